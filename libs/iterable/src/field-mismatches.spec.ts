import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldMismatches } from './field-mismatches.js';

const recorded = {
  incomingTypes: ['string', 'keyword'],
  expectedType: 'date',
  category: 'user',
  offendingValue: 'ada@example.com',
  _type: 'UnexpectedType',
};

describe('fieldMismatches', () => {
  it.each<[string, unknown, ReturnType<typeof fieldMismatches>]>([
    ['as recorded', { validationErrors: { when: recorded } }, [{ field: 'when', expected: 'date' }]],
    [
      'several, nested ones by path, other characters in names',
      { validationErrors: { 'Company.Size': { expectedType: 'long' }, 'etl:::größe': { expectedType: 'double' } } },
      [
        { field: 'Company.Size', expected: 'long' },
        { field: 'etl:::größe', expected: 'double' },
      ],
    ],
    [
      'types in a list',
      { validationErrors: { a: { expectedType: ['long', 'double'] }, b: { expectedType: ['keyword', 'string'] } } },
      [
        { field: 'a', expected: 'long' },
        { field: 'b', expected: 'string' },
      ],
    ],
    [
      'a field without a type that could be read',
      { validationErrors: { a: {}, b: null, c: 'date', d: { expectedType: '' }, e: { expectedType: [] }, f: [] } },
      ['a', 'b', 'c', 'd', 'e', 'f'].map((field) => ({ field, expected: null })),
    ],
    ['a field without a name', { validationErrors: { '': recorded } }, []],
    [
      'a name that prototypes have',
      JSON.parse('{"validationErrors":{"__proto__":{"expectedType":"long"}}}'),
      [{ field: '__proto__', expected: 'long' }],
    ],
    ['no errors', { validationErrors: {} }, []],
    ['errors in a list', { validationErrors: [recorded] }, []],
    ['errors as text', { validationErrors: 'when' }, []],
    ['no params', null, []],
    ['params left out', undefined, []],
    ['params as text', 'when', []],
    ['params as a list', [{ validationErrors: { when: recorded } }], []],
  ])('%s', (_, params, expected) => {
    expect(fieldMismatches(params)).toEqual(expected);
  });

  it('takes whatever comes, and never tells a value', () => {
    const error = fc.oneof(fc.jsonValue(), fc.record({ expectedType: fc.jsonValue(), offendingValue: fc.jsonValue() }));
    const params = fc.oneof(fc.jsonValue(), fc.record({ validationErrors: fc.dictionary(fc.string(), error) }));
    fc.assert(
      fc.property(params, (given) => {
        for (const found of fieldMismatches(given)) {
          expect(Object.keys(found)).toEqual(['field', 'expected']);
          expect(found.field).not.toBe('');
        }
      }),
    );
    expect(JSON.stringify(fieldMismatches({ validationErrors: { when: recorded } }))).not.toContain('ada@');
  });
});
