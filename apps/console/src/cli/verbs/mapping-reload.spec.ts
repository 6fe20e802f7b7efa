import { describe, expect, it } from 'vitest';
import { reloadLines } from './mapping-reload.js';

const id = 'c1';
const versions = { Lead: 'a1', Contact: 'b2' };
const inForce = ['  Lead a1', '  Contact b2'];

describe('reloadLines', () => {
  it.each([
    [
      'unchanged',
      { id, state: 'completed' as const, versions, changed: [] },
      ['Nothing changed. In force:', ...inForce],
    ],
    [
      'a command that is refused',
      { id, state: 'rejected' as const, reason: 'data: Unrecognized key: "x"' },
      ['Refused: data: Unrecognized key: "x"'],
    ],
    [
      'several mistakes',
      { id, state: 'rejected' as const, mistakes: ['a', 'b'], versions },
      ['Refused, 2 mistakes:', '  a', '  b', 'Still in force:', ...inForce],
    ],
    [
      'an org that cannot be asked',
      { id, state: 'accepted' as const, reason: 'the files cannot be checked yet: 503', versions },
      ['Not decided yet: the files cannot be checked yet: 503. Still in force:', ...inForce],
    ],
    [
      'silence',
      { id, state: 'sent' as const },
      ['Sent; nobody has answered yet. Is the mapper running? See sync status.'],
    ],
  ])('tells %s', (_, answer, lines) => {
    expect(reloadLines(answer)).toEqual(lines);
  });
});
