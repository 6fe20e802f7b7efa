import { describe, expect, it } from 'vitest';
import { differenceOf } from './difference.js';

const merge = { replaceNested: false };
const replace = { replaceNested: true };

describe('differenceOf', () => {
  it.each([
    ['nothing', { A: 1 }, { A: 1 }, []],
    ['a new field', {}, { A: 1 }, [{ path: 'dataFields.A', kind: 'added', after: 1 }]],
    ['another value', { A: 1 }, { A: 2 }, [{ path: 'dataFields.A', kind: 'changed', before: 1, after: 2 }]],
    ['a cleared field', { A: 1 }, { A: null }, [{ path: 'dataFields.A', kind: 'cleared', before: 1 }]],
    ['null where nothing is', {}, { A: null, B: { C: null } }, []],
    ['what is not named', { A: 1, itblInternal: { documentCreatedAt: 'x' } }, {}, []],
    [
      'keys of an object, in the order of the body',
      { N: { First: 'A', Nick: 'x' } },
      { N: { Last: 'Z', First: 'B' } },
      [
        { path: 'dataFields.N.Last', kind: 'added', after: 'Z' },
        { path: 'dataFields.N.First', kind: 'changed', before: 'A', after: 'B' },
      ],
    ],
    [
      'an object that is cleared as a whole',
      { C: { A: 1, B: 2 } },
      { C: null },
      [
        { path: 'dataFields.C.A', kind: 'cleared', before: 1 },
        { path: 'dataFields.C.B', kind: 'cleared', before: 2 },
      ],
    ],
    [
      'an object inside an object: it is replaced',
      { C: { S: { Id: 1, Old: 2 }, Other: 3 } },
      { C: { S: { Id: 1 } } },
      [{ path: 'dataFields.C.S.Old', kind: 'lost', before: 2 }],
    ],
    [
      'a value that becomes an object',
      { A: 1 },
      { A: { B: 2 } },
      [
        { path: 'dataFields.A.B', kind: 'added', after: 2 },
        { path: 'dataFields.A', kind: 'lost', before: 1 },
      ],
    ],
    ['an email in another case', { email: 'Ada@Example.com' }, { email: 'ada@example.com' }, []],
    [
      'an identifier',
      { email: 'a@example.com' },
      { email: null },
      [{ path: 'email', kind: 'cleared', before: 'a@example.com' }],
    ],
  ])('tells %s', (_, profile, body, expected) => {
    expect(differenceOf(profile, body, merge)).toEqual(expected);
  });

  it('tells what a replaced object loses', () => {
    const [profile, body] = [{ N: { First: 'A', Nick: 'x' } }, { N: { First: 'A' } }];
    expect(differenceOf(profile, body, merge)).toEqual([]);
    expect(differenceOf(profile, body, replace)).toEqual([{ path: 'dataFields.N.Nick', kind: 'lost', before: 'x' }]);
  });

  it('compares by the type of the target', () => {
    const [profile, body] = [{ A: '2022-11-09' }, { A: '2022-11-09 00:00:00 +00:00' }];
    expect(differenceOf(profile, body, merge)).toEqual([]);
    expect(differenceOf(profile, body, { ...merge, types: new Map([['dataFields.A', 'string']]) })).toHaveLength(1);
  });
});
