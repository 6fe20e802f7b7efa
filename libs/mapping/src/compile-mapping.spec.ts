import { describe, expect, it } from 'vitest';
import { compileMapping, type CompiledMapping } from './compile-mapping.js';
import type { MappedUser } from './mapped-record.js';
import type { Mapping } from './mapping.js';
import { parseMapping } from './parse-mapping.js';
import type { SourceRecord } from './record-readers.js';
import { recordVersion } from './record-version.js';
import { toIdentity } from './to-identity.js';

function mapping(object: string, fields: Record<string, string>): Mapping {
  return { file: 'x.yaml', object, fields: Object.entries(fields).map(([source, target]) => ({ source, target })) };
}

function applied(compiled: CompiledMapping, row: SourceRecord): Omit<MappedUser, 'kind'> {
  const mapped = compiled.apply(row);
  if (mapped instanceof Promise || mapped.kind !== 'user') throw new Error('not a user');
  const { kind: _user, ...user } = mapped;
  return user;
}

describe("the incumbent's example", () => {
  const incumbent = `{
    "Email": "email",
    "FirstName": "dataFields.Name.First",
    "LastName": "dataFields.Name.Last",
    "Id": "dataFields.Salesforce.Id",
    "Status": "dataFields.Lead.Status",
    "Source": "dataFields.Lead.Source",
    "Account.Id": "dataFields.Company.Salesforce.Id",
    "Account.Name": "dataFields.Company.Name",
    "Owner.Email": "dataFields.Owner.Email",
    "Owner.Name": "dataFields.Owner.Name",
    "Owner.IsActive": "dataFields.Owner.Salesforce.Active",
    "Owner.Id": "dataFields.Owner.Salesforce.Id"
  }`;
  const row = {
    FirstName: 'Niels',
    LastName: 'Fogt',
    Email: 'niels@example.com',
    Id: '00Q4H00000nabD0UAI',
    Status: '3 - Marketing Qualified',
    Source: 'Paid Search',
    Account: { Id: '00158000013xKVnAAM', Name: 'Example Inc' },
    Owner: { Email: 'john@example.com', Name: 'John Doe', IsActive: true, Id: '0054H000007DMDRQA4' },
  };

  it('is reproduced to the letter', () => {
    const compiled = compileMapping(parseMapping('Lead.json', incumbent) as Mapping);
    expect(toIdentity('email', applied(compiled, row), row.Id)).toStrictEqual({
      kind: 'ok',
      user: {
        email: 'niels@example.com',
        dataFields: {
          Name: { First: 'Niels', Last: 'Fogt' },
          Lead: { Status: '3 - Marketing Qualified', Source: 'Paid Search' },
          Salesforce: { Id: '00Q4H00000nabD0UAI' },
          Company: { Name: 'Example Inc', Salesforce: { Id: '00158000013xKVnAAM' } },
          Owner: {
            Email: 'john@example.com',
            Name: 'John Doe',
            Salesforce: { Id: '0054H000007DMDRQA4', Active: true },
          },
        },
      },
    });
  });
});

describe('compileMapping: what is selected', () => {
  const fields = { Email: 'email', 'Owner.Name': 'dataFields.Owner', 'Account.Owner.Name': 'dataFields.AccountOwner' };

  it('is the mapped fields, Id, and what version and deletion need, each once', () => {
    const compiled = compileMapping(
      mapping('Contact', { Id: 'userId', SystemModstamp: 'dataFields.Changed', ...fields }),
    );
    expect(compiled.select).toEqual([
      'Id',
      'IsDeleted',
      'SystemModstamp',
      'CreatedDate',
      'MasterRecordId',
      'Account.SystemModstamp',
      'Account.Owner.SystemModstamp',
      'Owner.SystemModstamp',
      'Email',
      'Owner.Name',
      'Account.Owner.Name',
      'HasOptedOutOfEmail',
    ]);
    expect(compiled.parents).toEqual(['Account', 'Account.Owner', 'Owner']);
  });

  it.each([
    [
      'Lead',
      [
        'Id',
        'IsDeleted',
        'SystemModstamp',
        'CreatedDate',
        'IsConverted',
        'ConvertedContactId',
        'MasterRecordId',
        'Owner.Name',
        'HasOptedOutOfEmail',
      ],
    ],
    ['Invoice__c', ['Id', 'IsDeleted', 'SystemModstamp', 'CreatedDate', 'Owner.Name']],
    ['User', ['Id', 'SystemModstamp', 'CreatedDate', 'Owner.Name']],
  ])('leaves out, without describe, what %s may not have', (object, select) => {
    expect(compileMapping(mapping(object, { 'Owner.Name': 'dataFields.Owner' })).select).toEqual(select);
  });

  it('follows describe where there is one', () => {
    const systemFields = new Set(['SystemModstamp', 'Owner.SystemModstamp']);
    expect(compileMapping(mapping('Lead', { 'Owner.Name': 'dataFields.Owner' }), { systemFields }).select).toEqual([
      'Id',
      'SystemModstamp',
      'Owner.SystemModstamp',
      'Owner.Name',
    ]);
  });
});

describe('compileMapping: what becomes of a row', () => {
  const compiled = compileMapping(
    mapping('Contact', {
      Email: 'email',
      FirstName: 'dataFields.Name.First',
      CreatedDate: 'dataFields.Created',
      Notes__c: 'dataFields.Notes',
      'Account.Name': 'dataFields.Company.Name',
      'Account.Owner.Name': 'dataFields.Company.Owner',
      AnnualRevenue: 'dataFields.Revenue',
    }),
    {
      fieldTypes: new Map([
        ['CreatedDate', 'datetime'],
        ['Notes__c', 'string'],
      ]),
    },
  );
  const row = {
    attributes: { type: 'Contact' },
    Email: ' Ann@Example.COM ',
    FirstName: 'Ann',
    CreatedDate: '2022-11-09T01:46:18.000+0000',
    Notes__c: '2022-11-09T01:46:18.000+0000',
    Account: { attributes: {}, Name: 'Acme', Owner: { Name: 'Bob' } },
    AnnualRevenue: 1000.5,
  };

  it('converts by type, nests, and normalises the email', () => {
    expect(applied(compiled, row)).toEqual({
      email: 'ann@example.com',
      dataFields: {
        Name: { First: 'Ann' },
        Created: '2022-11-09 01:46:18 +00:00',
        Notes: '2022-11-09T01:46:18.000+0000',
        Company: { Name: 'Acme', Owner: 'Bob' },
        Revenue: 1000.5,
      },
    });
  });

  it('clears what Salesforce has no value for, through an empty lookup too', () => {
    const blank = { ...row, Email: null, FirstName: null, Notes__c: '', Account: null, AnnualRevenue: null };
    expect(applied(compiled, blank)).toEqual({
      email: null,
      dataFields: {
        Name: { First: null },
        Created: '2022-11-09 01:46:18 +00:00',
        Notes: null,
        Company: { Name: null, Owner: null },
        Revenue: null,
      },
    });
    expect(applied(compiled, { ...row, Account: { Name: 'Acme', Owner: null } }).dataFields['Company']).toEqual({
      Name: 'Acme',
      Owner: null,
    });
  });

  it('leaves out what the row does not have: absent is not cleared', () => {
    expect(applied(compiled, { FirstName: 'Ann' })).toStrictEqual({
      email: undefined,
      userId: undefined,
      dataFields: { Name: { First: 'Ann' } },
    });
    expect(applied(compiled, {}).dataFields).toEqual({});
  });

  it('does not touch the row', () => {
    const before = structuredClone(row);
    applied(compiled, row);
    expect(row).toEqual(before);
  });
});

describe('the version of a mapping', () => {
  const versionOf = (fields: Record<string, string>, object = 'Lead') =>
    compileMapping(mapping(object, fields)).version;
  const version = versionOf({ Email: 'email', Title: 'dataFields.Title' });

  it('does not change with the order of lines, and changes with what they say', () => {
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    expect(versionOf({ Title: 'dataFields.Title', Email: 'email' })).toBe(version);
    const others = [
      versionOf({ Email: 'email', Title: 'dataFields.Job' }),
      versionOf({ Email: 'email' }),
      versionOf({ Email: 'email', Title: 'dataFields.Title' }, 'Contact'),
    ];
    expect(new Set([version, ...others]).size).toBe(4);
  });
});

describe('recordVersion', () => {
  const compiled = compileMapping(mapping('Contact', { Email: 'email', 'Account.Name': 'dataFields.Company' }));
  const EARLY = '2026-11-24T08:00:00.000+0000';
  const LATE = '2026-11-24T09:30:00.000+0000';
  it.each([
    [
      'the record is newer',
      { SystemModstamp: LATE, Account: { SystemModstamp: EARLY } },
      Date.UTC(2026, 10, 24, 9, 30),
    ],
    ['a parent is newer', { SystemModstamp: EARLY, Account: { SystemModstamp: LATE } }, Date.UTC(2026, 10, 24, 9, 30)],
    ['no parent', { SystemModstamp: EARLY, Account: null }, Date.UTC(2026, 10, 24, 8)],
  ])('%s', (_which, row, modstampMs) => {
    expect(recordVersion(row, compiled, 77)).toEqual({ modstampMs, fetchedAtMs: 77 });
  });

  it.each([[{}], [{ SystemModstamp: null }], [{ SystemModstamp: 'soon' }]])('is none for %j', (row) => {
    expect(recordVersion(row, compiled, 77)).toBeNull();
  });
});
