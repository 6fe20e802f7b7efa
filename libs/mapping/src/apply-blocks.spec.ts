import { describe, expect, it } from 'vitest';
import { compileMapping, type CompileOptions } from './compile-mapping.js';
import type { MappedRecord } from './mapped-record.js';
import { describeMistake } from './mapping.js';
import { parseMapping } from './parse-mapping.js';
import type { SourceRecord } from './record-readers.js';
import { MAX_TEXT_LENGTH } from './shorten-texts.js';

function compiled(text: string, options?: CompileOptions) {
  const parsed = parseMapping('x.yaml', text);
  if (Array.isArray(parsed)) throw new Error(parsed.map(describeMistake).join('\n'));
  return compileMapping(parsed, options);
}

async function mapped(text: string, row: SourceRecord, options?: CompileOptions): Promise<MappedRecord> {
  return compiled(text, options).apply(row);
}

async function dataFields(text: string, row: SourceRecord, options?: CompileOptions): Promise<unknown> {
  const made = await mapped(text, row, options);
  return made.kind === 'user' ? made.dataFields : made;
}

describe('when', () => {
  const text = 'object: Contact\nwhen: HasLeft__c = false\nfields: { Email: email }\n';

  it.each([
    [{ HasLeft__c: false }, 'user'],
    [{ HasLeft__c: true }, 'filtered'],
    [{ HasLeft__c: null }, 'filtered'],
    [{}, 'filtered'],
  ])('of %j: %s', async (row, kind) => {
    expect((await mapped(text, row)).kind).toBe(kind);
  });

  it('must be true, not only something', async () => {
    expect(await mapped('object: Contact\nwhen: LastName\nfields: { Email: email }', { LastName: 'Lee' })).toEqual({
      kind: 'filtered',
    });
  });

  it('that fails for a record is a failure of the record', async () => {
    const failing = 'object: Contact\nwhen: Score__c > "a"\nfields: { Email: email }';
    expect(await mapped(failing, { Score__c: 5 })).toEqual({
      kind: 'failed',
      code: 'mapping.expression_failed',
      message: 'when: two values of different types are compared (JSONata T2009, near character 10)',
    });
  });
});

describe('transform', () => {
  const text = `
object: Contact
fields: { Email: email }
transform:
  dataFields.FullName: "$trim(FirstName & ' ' & LastName)"
  dataFields.Company.Owner: Account.Owner.Name
  dataFields.Seen: LastSeen__c
`;

  it('sees the whole record, empty fields as absent', async () => {
    const row = {
      Email: 'a@b.co',
      FirstName: null,
      LastName: 'Lee',
      Account: { Owner: { Name: 'Bob' } },
      LastSeen__c: '2022-11-09T01:46:18.000+0000',
    };
    expect(await dataFields(text, row)).toEqual({
      FullName: 'Lee',
      Company: { Owner: 'Bob' },
      Seen: '2022-11-09 01:46:18 +00:00',
    });
  });

  it('that gives nothing clears the field', async () => {
    expect(await dataFields(text, { Account: null })).toEqual({ FullName: null, Company: { Owner: null }, Seen: null });
  });

  it('may make the email', async () => {
    const own = 'object: Contact\nfields: { LastName: dataFields.Last }\ntransform: { email: "WorkEmail__c ?: Email" }';
    expect(await mapped(own, { WorkEmail__c: '', Email: 'Ann@B.co', LastName: null })).toMatchObject({
      email: 'ann@b.co',
    });
  });

  it('that fails names its target', async () => {
    const failing = 'object: Contact\nfields: { Email: email }\ntransform: { dataFields.Half: Score__c / 2 }';
    expect(await mapped(failing, { Score__c: 'secret' })).toEqual({
      kind: 'failed',
      code: 'mapping.expression_failed',
      message:
        'transform of dataFields.Half: the left side of an operator is no number (JSONata T2001, near character 10)',
    });
  });

  it('counts as what the mapping reads', () => {
    const { select, parents } = compiled(text);
    expect(parents).toEqual(['Account', 'Account.Owner']);
    expect(select).toEqual(
      expect.arrayContaining(['FirstName', 'LastName', 'Account.Owner.Name', 'Account.Owner.SystemModstamp']),
    );
  });
});

describe('constants, type, values, onNull and merge', () => {
  it.each<[string, string, SourceRecord, unknown]>([
    [
      'a constant',
      'constants: { dataFields.Origin: salesforce, dataFields.Old: null }',
      {},
      { Origin: 'salesforce', Old: null },
    ],
    ['a typed constant', 'constants: { dataFields.X: "5" }\ntype: { dataFields.X: long }', {}, { X: 5 }],
    ['a list of constants', 'constants: { dataFields.X: [a, b] }', {}, { X: ['a', 'b'] }],
    ['a converted type', 'type: { dataFields.A: double }', { A__c: '12.5' }, { A: 12.5 }],
    ['an empty value of a type', 'type: { dataFields.A: double }', { A__c: '' }, { A: null }],
    ['a list', 'type: { dataFields.A: list }', { A__c: 'x;y' }, { A: ['x', 'y'] }],
    ['a value list', 'values: { dataFields.A: { map: { Hot: 1, Cold: 2 } } }', { A__c: 'Cold' }, { A: 2 }],
    ['a value that is not listed', 'values: { dataFields.A: { map: { Hot: 1 } } }', { A__c: 'Cold' }, { A: 'Cold' }],
    [
      'one that is cleared',
      'values: { dataFields.A: { map: { Hot: 1 }, others: clear } }',
      { A__c: 'Cold' },
      { A: null },
    ],
    [
      'a checkbox by a value list',
      'values: { dataFields.A: { map: { true: "yes", false: "no" } } }',
      { A__c: false },
      { A: 'no' },
    ],
    [
      'a listed value that is cleared',
      'values: { dataFields.A: { map: { "--": null } } }',
      { A__c: '--' },
      { A: null },
    ],
    [
      'a value list over a list',
      'type: { dataFields.A: list }\nvalues: { dataFields.A: { map: { x: X, y: null }, others: keep } }',
      { A__c: 'x;y;z' },
      { A: ['X', 'z'] },
    ],
    [
      'a value list, then a type',
      'type: { dataFields.A: long }\nvalues: { dataFields.A: { map: { Hot: "3" } } }',
      { A__c: 'Hot' },
      { A: 3 },
    ],
    ['nothing to send', 'onNull: omit', { A__c: null }, {}],
    ['nothing to send for one', 'onNull: { default: clear, dataFields.A: omit }', { A__c: '' }, {}],
    ['cleared against the default', 'onNull: { default: omit, dataFields.A: clear }', { A__c: null }, { A: null }],
  ])('%s', async (_what, blocks, row, made) => {
    const fields = Object.hasOwn(row, 'A__c') ? '  A__c: dataFields.A' : '  Email: email';
    expect(await dataFields(`object: Contact\nfields:\n${fields}\n${blocks}\n`, row)).toStrictEqual(made);
  });

  it('look a multi-select up value by value where describe says that it is one', async () => {
    const text =
      'object: Contact\nfields: { A__c: dataFields.A }\nvalues: { dataFields.A: { map: { x: X }, others: clear } }';
    const fieldTypes = new Map([['A__c', 'multipicklist']]);
    expect(await dataFields(text, { A__c: 'x;y;x' }, { fieldTypes })).toEqual({ A: 'X;X' });
    expect(await dataFields(text, { A__c: 'y' }, { fieldTypes })).toEqual({ A: null });
  });

  it('refuse a record whose value is of another type, without the value', async () => {
    const text = 'object: Contact\nfields: { A__c: dataFields.A }\ntype: { dataFields.A: double }';
    expect(await mapped(text, { A__c: 'secret' })).toEqual({
      kind: 'failed',
      code: 'mapping.type_mismatch',
      message: 'the value for dataFields.A is no double',
    });
  });

  it('an empty email is told, whatever onNull says', async () => {
    expect(await mapped('object: Contact\nfields: { Email: email }\nonNull: omit', { Email: null })).toMatchObject({
      email: null,
    });
  });

  it.each([
    ['', false],
    ['merge: merge', false],
    ['merge: replace', true],
  ])('%s', (block, replaceNested) => {
    expect(compiled(`object: Contact\nfields: { Email: email }\n${block}`).replaceNested).toBe(replaceNested);
  });
});

describe('long texts', () => {
  const text = 'object: Contact\nfields: { A__c: dataFields.A, B__c: dataFields.B }\ntype: { dataFields.B: list }';

  it('are cut and counted', async () => {
    const long = 'x'.repeat(MAX_TEXT_LENGTH + 1);
    const made = await mapped(text, { A__c: long, B__c: `short;${long}` });
    expect(made).toMatchObject({ shortened: ['dataFields.A', 'dataFields.B'] });
    expect(made).toMatchObject({ dataFields: { A: long.slice(1), B: ['short', long.slice(1)] } });
  });

  it('are left alone up to the limit', async () => {
    const made = await mapped(text, { A__c: 'x'.repeat(MAX_TEXT_LENGTH), B__c: 'y' });
    expect(made).not.toHaveProperty('shortened');
  });

  it('are not cut inside a character', async () => {
    const made = await dataFields(text, { A__c: `${'x'.repeat(MAX_TEXT_LENGTH - 1)}😀`, B__c: null });
    expect(made).toEqual({ A: 'x'.repeat(MAX_TEXT_LENGTH - 1), B: null });
  });
});

describe('clear', () => {
  it('nulls the targets of others, beside its own, though empty values are left out', async () => {
    const text = 'object: Contact\nfields: { A__c: dataFields.Place.City }\nonNull: omit';
    const clear = ['dataFields.Lead', 'dataFields.Place.Country'];
    expect(await dataFields(text, { A__c: 'Rome' }, { clear })).toEqual({
      Lead: null,
      Place: { City: 'Rome', Country: null },
    });
    expect(await dataFields(text, { A__c: null }, { clear })).toEqual({ Lead: null, Place: { Country: null } });
  });
});

describe('flagFields', () => {
  it.each([
    ['fields: { Email: email }', null],
    ['fields: { IsDeleted: dataFields.Salesforce.Deleted }', { Salesforce: { Deleted: true } }],
    [
      'fields: { IsDeleted: dataFields.State }\nvalues: { dataFields.State: { map: { true: gone, false: here } } }',
      { State: 'gone' },
    ],
  ])('%s', (blocks, flagFields) => {
    expect(compiled(`object: Contact\n${blocks}`).flagFields).toEqual(flagFields);
  });
});

describe('targetTypes', () => {
  it('come from type, value list, constant and describe, with the objects on the way', () => {
    const text = `
object: Lead
fields: { Email: email, AnnualRevenue: dataFields.Company.Revenue, Rating: dataFields.Rating, Title: dataFields.Title, Score__c: dataFields.Score, Odd__c: dataFields.Odd }
transform: { dataFields.Free: Title, dataFields.Tags: Tags__c }
constants: { dataFields.Origin: salesforce, dataFields.Share: [1, 0.5], dataFields.Old: null }
type: { dataFields.Score: double, dataFields.Tags: list }
values: { dataFields.Rating: { map: { Hot: 1 }, others: clear }, dataFields.Title: { map: { CEO: 1 } } }
`;
    const fieldTypes = new Map([
      ['AnnualRevenue', 'currency'],
      ['Rating', 'picklist'],
      ['Title', 'string'],
      ['Score__c', 'string'],
      ['Odd__c', 'anyType'],
    ]);
    expect(Object.fromEntries(compiled(text, { fieldTypes }).targetTypes)).toEqual({
      'dataFields.Company': 'object',
      'dataFields.Company.Revenue': 'double',
      'dataFields.Rating': 'long',
      'dataFields.Score': 'double',
      'dataFields.Tags': 'string',
      'dataFields.Origin': 'string',
      'dataFields.Share': 'double',
    });
  });
});
