import * as fc from 'fast-check';
import { profileSchema } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';
import type { IdentifiedSchema } from './profile-schema.js';
import { parseMappingFiles } from './parse-mapping-files.js';

const fieldTypes = new Map(
  Object.entries({
    Email: 'email',
    Name: 'string',
    Amount: 'currency',
    Count: 'int',
    Born: 'date',
    Billing: 'address',
  }),
);

function schemaOf(lines: readonly string[], object = 'Contact'): IdentifiedSchema {
  const text = [`object: ${object}`, ...lines].join('\n');
  const mapping = parseMappingFiles([{ name: 'x.yaml', text }]).get(object);
  if (mapping === undefined) throw new Error(`no mapping of ${object}`);
  return compileMapping(mapping, { fieldTypes }).schema;
}

const FIELDS = ['fields:', '  Email: email', '  Name: dataFields.Name'];
const fieldsOf = (...lines: string[]) => schemaOf([...FIELDS, ...lines]).value.fields;

describe('the profile schema of a mapping', () => {
  it('names the object, the version and the fields as Iterable does', () => {
    const { id, value } = schemaOf([...FIELDS, '  Amount: dataFields.Deal.Amount']);
    expect(value).toEqual({
      object: 'Contact',
      mappingVersion: expect.stringMatching(/^[0-9a-f]{16}$/),
      fields: { 'Deal.Amount': { type: 'double' }, Name: { type: 'string' } },
    });
    expect(id).toMatch(/^[0-9a-f]{16}$/);
    expect(profileSchema.parse(value)).toEqual(value);
  });

  it.each([
    ['what describe says', ['  Count: dataFields.X'], [], { type: 'long' }],
    ['an amount is a double, whatever its first value', ['  Amount: dataFields.X'], [], { type: 'double' }],
    ['an address', ['  Billing: dataFields.X'], [], { type: 'object' }],
    [
      'a type that the mapping gives',
      ['  Count: dataFields.X'],
      ['type: {dataFields.X: string}'],
      { type: 'string', pinned: true },
    ],
    [
      'one that says what describe does',
      ['  Born: dataFields.X'],
      ['type: {dataFields.X: date}'],
      { type: 'date', pinned: true },
    ],
    [
      'a list, by what is in it',
      ['  Picks__c: dataFields.X'],
      ['type: {dataFields.X: list}'],
      { type: 'string', pinned: true },
    ],
    ['a constant', [], ['constants: {dataFields.X: true}'], { type: 'boolean' }],
    ['an expression whose result nobody knows', [], ['transform: {dataFields.X: Name}'], undefined],
    [
      'an expression with a type',
      [],
      ['transform: {dataFields.X: Count}', 'type: {dataFields.X: double}'],
      { type: 'double', pinned: true },
    ],
    ['what is only cleared', [], ['constants: {dataFields.X: null}'], undefined],
    ['a field that describe does not know', ['  Other__c: dataFields.X'], [], undefined],
  ])('%s', (_, own, blocks, expected) => {
    expect(fieldsOf(...own, ...blocks)['X']).toEqual(expected);
  });

  it('has no identifier, and none of the objects on the way', () => {
    expect(Object.keys(fieldsOf('  Count: dataFields.A.B.C'))).toEqual(['A.B.C', 'Name']);
  });

  it('keeps its id when the mapping does something else with the same fields', () => {
    const [plain, edited] = [schemaOf(FIELDS), schemaOf([...FIELDS, 'when: Name != null'])];
    expect(edited.id).toBe(plain.id);
    expect(edited.value.mappingVersion).not.toBe(plain.value.mappingVersion);
  });

  it.each([
    ['another object', schemaOf(FIELDS, 'Lead')],
    ['one field more', schemaOf([...FIELDS, '  Count: dataFields.Count'])],
    ['another type', schemaOf([...FIELDS, 'type:', '  dataFields.Name: long'])],
    ['the same type, but said by the mapping', schemaOf([...FIELDS, 'type:', '  dataFields.Name: string'])],
  ])('has another id for %s', (_, other) => {
    expect(other.id).not.toBe(schemaOf(FIELDS).id);
  });

  it('is the same whatever the order of the lines', () => {
    const sources = [
      '  Email: email',
      '  Name: dataFields.Name',
      '  Amount: dataFields.Deal.Amount',
      '  Count: dataFields.Deal.Count',
    ];
    const types = ['  dataFields.Name: string', '  dataFields.Deal.Count: double'];
    const made = (own: readonly string[], given: readonly string[]) => schemaOf(['fields:', ...own, 'type:', ...given]);
    const shuffled = <T>(all: readonly T[]) => fc.shuffledSubarray([...all], { minLength: all.length });
    fc.assert(
      fc.property(shuffled(sources), shuffled(types), (own, given) => {
        expect(made(own, given)).toEqual(made(sources, types));
      }),
    );
  });
});
