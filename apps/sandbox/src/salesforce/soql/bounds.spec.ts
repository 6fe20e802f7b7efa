import { parseQuery } from '@jetstreamapp/soql-parser-js';
import { describe, expect, it } from 'vitest';
import { lowerBound } from './bounds.js';
import { conditionTree } from './condition-tree.js';

/** The bound on `A` that a condition implies. */
function boundOf(condition: string) {
  const { where } = parseQuery(`SELECT Id FROM X WHERE ${condition}`);
  if (where === undefined) throw new Error('no condition');
  return lowerBound(conditionTree(where), ({ test }) =>
    'field' in test && test.field === 'A' && 'value' in test ? Number(test.value) : null,
  );
}

describe('lowerBound', () => {
  it.each([
    ['A > 5', 5],
    ['A = 5', 5],
    ['A < 5', null],
    ['A != 5', null],
    ['B > 5', null],
    ['A > 5 AND A > 7 AND B = 1', 7],
    ['A > 5 OR A = 3', 3],
    ['A > 5 OR B = 3', null],
    ['A > 5 OR (A = 5 AND B > 1)', 5],
    ['B = 1 AND (A > 5 OR (A = 5 AND B > 1))', 5],
    ['NOT A > 5', null],
  ])('%s: %s', (condition, bound) => {
    expect(boundOf(condition)).toBe(bound);
  });
});
