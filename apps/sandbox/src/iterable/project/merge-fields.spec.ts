import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { mergeFields, type NestedMerge } from './merge-fields.js';

describe('mergeFields', () => {
  it.each<[string, JsonObject, NestedMerge, JsonObject]>([
    ['overwrites, adds, leaves the rest', { A: 2, C: 3 }, 'replace', { A: 2, B: { x: 1, y: { z: 1 } }, C: 3 }],
    ['null removes', { A: null, Z: null }, 'replace', { B: { x: 1, y: { z: 1 } } }],
    ['replaces an object whole', { B: { w: 1 } }, 'replace', { A: 1, B: { w: 1 } }],
    ['merges an object one level', { B: { w: 1, y: { v: 2 } } }, 'one-level', { A: 1, B: { x: 1, w: 1, y: { v: 2 } } }],
    ['merges an object all the way', { B: { y: { v: 2 } } }, 'deep', { A: 1, B: { x: 1, y: { z: 1, v: 2 } } }],
    ['null inside a merged object removes there', { B: { x: null } }, 'one-level', { A: 1, B: { y: { z: 1 } } }],
    [
      'null inside a new object is left out',
      { N: { a: null, b: 1 } },
      'replace',
      { A: 1, B: { x: 1, y: { z: 1 } }, N: { b: 1 } },
    ],
    ['replaces an array whole', { A: [1] }, 'deep', { A: [1], B: { x: 1, y: { z: 1 } } }],
  ])('%s', (_what, incoming, nested, expected) => {
    const current: JsonObject = { A: 1, B: { x: 1, y: { z: 1 } } };
    expect(mergeFields(current, incoming, nested)).toEqual(expected);
    expect(current).toEqual({ A: 1, B: { x: 1, y: { z: 1 } } });
  });
});
