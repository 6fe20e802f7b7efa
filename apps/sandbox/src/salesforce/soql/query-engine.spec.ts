import { afterAll, describe, expect, it } from 'vitest';
import { SalesforceError } from '../errors.js';
import { Schema } from '../schema/schema.js';
import { standardObjects } from '../schema/standard-objects.js';
import { seedPeople } from '../seed/people.js';
import { RecordStore } from '../store/record-store.js';
import { Writer } from '../writes/writer.js';
import { QueryEngine } from './query-engine.js';

const NOW = Date.parse('2026-11-24T08:41:05.250Z');
let now = NOW;
const schema = new Schema(standardObjects, () => now);
const store = new RecordStore(schema);
const userId = seedPeople(store, NOW);
const writer = new Writer(
  store,
  () => now,
  () => {},
);
const engine = new QueryEngine(store, () => now, { open: 2, idleMs: 60_000 });
const author = { userId, changeOrigin: '' };

const create = (name: string, input: Record<string, unknown>) => {
  const object = schema.object(name);
  if (object === null) throw new Error(name);
  return writer.one({ kind: 'create', object, input }, author);
};
const owners = store.idsWhere(schema.object('User') ?? raise(), 'CreatedById', userId);
const queue = store.idsWhere(schema.object('Group') ?? raise(), 'CreatedById', userId)[0] ?? '';
const parent = create('Account', { Name: 'Parent Ltd' });
const acme = create('Account', { Name: 'Acme', ParentId: parent, OwnerId: owners[1] });

now = Date.parse('2026-11-20T10:00:00Z');
const ann = create('Contact', {
  LastName: "O'Brien",
  FirstName: 'Ann',
  Email: 'Ann@Example.com',
  AccountId: acme,
  Birthdate: '1980-02-29',
  MailingCity: 'Berlin',
});
now = NOW;
const bob = create('Contact', { LastName: 'Bold', FirstName: 'Bob', Title: '50%_off', HasOptedOutOfEmail: true });
const cat = create('Contact', { LastName: 'Cole', AccountId: acme, Title: 'CEO' });
const gone = create('Contact', { LastName: 'Gone' });
writer.one({ kind: 'delete', object: schema.object('Contact') ?? raise(), id: gone }, author);
const owned = create('Lead', {
  LastName: 'Lee',
  Company: 'L',
  OwnerId: owners[2],
  Rating: 'Hot',
  NumberOfEmployees: 501,
});
create('Opportunity', { Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-12-31', AccountId: acme });
const queued = create('Lead', { LastName: 'Queue', Company: 'Q', OwnerId: queue, AnnualRevenue: 1_000 });

function raise(): never {
  throw new Error('missing');
}

const run = (soql: string, pageSize = 2_000, includeDeleted = false) =>
  engine.query(soql, { includeDeleted, pageSize, version: '67.0' });
const ids = (soql: string) => run(soql).records.map((one) => (one as Record<string, unknown>)['Id']);
const refused = (soql: string): SalesforceError => {
  try {
    run(soql);
  } catch (error) {
    if (error instanceof SalesforceError) return error;
    throw error;
  }
  throw new Error(`not refused: ${soql}`);
};

afterAll(() => store.close());

describe('conditions', () => {
  it.each([
    ['equality without case', "Email = 'ANN@EXAMPLE.COM'", [ann]],
    ['an escaped quote', String.raw`LastName = 'O\'Brien'`, [ann]],
    ['inequality includes blanks', "Title != 'CEO'", [ann, bob]],
    ['NOT includes blanks', "NOT Title = 'CEO'", [ann, bob]],
    ['NOT IN includes blanks', "Title NOT IN ('CEO')", [ann, bob]],
    ['null', 'Title = null', [ann]],
    ['an empty text is null', "Title = ''", [ann]],
    ['not null', 'Title != null', [bob, cat]],
    ['IN with null', "Title IN ('CEO', null)", [ann, cat]],
    ['IN', "LastName IN ('bold', 'cole')", [bob, cat]],
    ['15-character ids', `Id IN ('${ann.slice(0, 15)}')`, [ann]],
    ['LIKE', "LastName LIKE '%o%'", [ann, bob, cat]],
    ['LIKE with one character', "LastName LIKE '_ole'", [cat]],
    ['LIKE with escapes', String.raw`Title LIKE '50\%\_%'`, [bob]],
    ['a boolean', 'HasOptedOutOfEmail = true', [bob]],
    ['AND and OR in parentheses', "(LastName = 'Bold' OR LastName = 'Cole') AND AccountId != null", [cat]],
    ['nested NOT', "NOT (LastName = 'Bold' OR (LastName = 'Cole' AND Title = 'CEO'))", [ann]],
    ['a datetime', 'SystemModstamp > 2026-11-20T10:00:00Z', [bob, cat]],
    ['a datetime with offset', 'SystemModstamp >= 2026-11-20T11:00:00+01:00', [ann, bob, cat]],
    ['a date', 'Birthdate = 1980-02-29', [ann]],
    ['a date literal', 'CreatedDate = TODAY', [bob, cat]],
    ['a counted date literal', 'CreatedDate < LAST_N_DAYS:2', [ann]],
    ['a parent field', "Account.Name = 'Acme'", [ann, cat]],
    ['two levels of parents', "Account.Parent.Name = 'Parent Ltd'", [ann, cat]],
    ['a missing parent is unequal', "Account.Name != 'Acme'", [bob]],
    ['a semi-join', "AccountId IN (SELECT Id FROM Account WHERE Name = 'Acme')", [ann, cat]],
    ['an anti-join', "AccountId NOT IN (SELECT Id FROM Account WHERE Name = 'Acme')", [bob]],
    ['the object in front', "Contact.LastName = 'Cole'", [cat]],
  ])('%s: %s', (_what, condition, expected) => {
    expect(ids(`SELECT Id FROM Contact WHERE ${condition} ORDER BY Id`)).toEqual(expected);
  });

  it('pages by keyset over stamps and ids', () => {
    const after = (stamp: string, id: string) =>
      ids(
        `SELECT Id FROM Contact WHERE (SystemModstamp > ${stamp} OR (SystemModstamp = ${stamp} AND Id > '${id}')) ORDER BY SystemModstamp, Id LIMIT 1`,
      );
    expect(after('1970-01-01T00:00:00Z', ann)).toEqual([ann]);
    expect(after('2026-11-20T10:00:00Z', ann)).toEqual([bob]);
    expect(after('2026-11-24T08:41:05Z', bob)).toEqual([cat]);
    expect(after('2026-11-24T08:41:05Z', cat)).toEqual([]);
  });
});

describe('records', () => {
  it('come nested, in the order of the SELECT list, with attributes', () => {
    const page = run(
      `SELECT Id, account.name, Email, Birthdate, SystemModstamp, HasOptedOutOfEmail, Account.Parent.Name, ReportsTo.Name, MailingAddress FROM Contact c WHERE c.Id = '${ann}'`,
    );
    const attributes = (type: string, id: string) => ({ type, url: `/services/data/v67.0/sobjects/${type}/${id}` });
    expect(page).toEqual({
      totalSize: 1,
      done: true,
      next: null,
      records: [
        {
          attributes: attributes('Contact', ann),
          Id: ann,
          Account: {
            attributes: attributes('Account', acme),
            Name: 'Acme',
            Parent: { attributes: attributes('Account', parent), Name: 'Parent Ltd' },
          },
          Email: 'Ann@Example.com',
          Birthdate: '1980-02-29',
          SystemModstamp: '2026-11-20T10:00:00.000+0000',
          HasOptedOutOfEmail: false,
          ReportsTo: null,
          MailingAddress: {
            street: null,
            city: 'Berlin',
            state: null,
            postalCode: null,
            country: null,
            geocodeAccuracy: null,
            latitude: null,
            longitude: null,
          },
        },
      ],
    });
    expect(Object.keys(page.records[0] ?? {}).slice(0, 4)).toEqual(['attributes', 'Id', 'Account', 'Email']);
  });

  it('show a lead owner as the entity Name, be it a user or a queue', () => {
    const { records } = run('SELECT Owner.Name, Owner.IsActive, Owner.Type, Score__c FROM Lead ORDER BY Id');
    expect(records[0]).toMatchObject({
      Score__c: 75,
      Owner: {
        attributes: { type: 'Name', url: `/services/data/v67.0/sobjects/User/${owners[2]}` },
        IsActive: true,
        Type: 'User',
      },
    });
    expect(records[1]).toMatchObject({
      Owner: {
        attributes: { type: 'Name', url: `/services/data/v67.0/sobjects/Group/${queue}` },
        Name: 'Inbound Leads',
        IsActive: null,
        Type: 'Queue',
      },
    });
    expect(ids("SELECT Id FROM Lead WHERE Owner.Type = 'Queue'")).toEqual([queued]);
    expect(ids('SELECT Id FROM Lead WHERE Owner.IsActive = true')).toEqual([owned]);
  });

  it('are ordered with blanks first, limited and offset', () => {
    expect(ids('SELECT Id FROM Contact ORDER BY Title')).toEqual([ann, bob, cat]);
    expect(ids('SELECT Id FROM Contact ORDER BY Title DESC NULLS LAST')).toEqual([cat, bob, ann]);
    expect(ids('SELECT Id FROM Contact ORDER BY Account.Name, Id DESC')).toEqual([bob, cat, ann]);
    expect(ids('SELECT Id FROM Contact ORDER BY Id LIMIT 1 OFFSET 1')).toEqual([bob]);
    expect(ids('SELECT Id FROM Contact LIMIT 0')).toEqual([]);
  });

  it('hide deleted ones except from queryAll', () => {
    expect(run('SELECT COUNT() FROM Contact').totalSize).toBe(3);
    expect(run('SELECT COUNT() FROM Contact', 2_000, true).totalSize).toBe(4);
    expect(run('SELECT Id, IsDeleted FROM Contact WHERE IsDeleted = true', 2_000, true).records).toMatchObject([
      { Id: gone, IsDeleted: true },
    ]);
  });

  it('expand FIELDS(), only with a small limit', () => {
    const [record] = run('SELECT FIELDS(CUSTOM), Id FROM Lead LIMIT 1').records;
    expect(Object.keys(record ?? {})).toEqual(['attributes', 'Score__c', 'Id']);
    expect(refused('SELECT FIELDS(ALL) FROM Lead').errorCode).toBe('MALFORMED_QUERY');
  });
});

describe('every object', () => {
  it.each(standardObjects.map((one) => one.name))('%s can be queried in full', (name) => {
    expect(run(`SELECT FIELDS(ALL) FROM ${name} LIMIT 1`).records[0]).toHaveProperty('Id');
  });
});

describe('aggregates', () => {
  it('count, group and name their columns', () => {
    expect(run('SELECT MAX(SystemModstamp) FROM Contact').records).toEqual([
      { attributes: { type: 'AggregateResult' }, expr0: '2026-11-24T08:41:05.000+0000' },
    ]);
    const grouped = run(
      'SELECT HasOptedOutOfEmail, COUNT(Id) n, COUNT_DISTINCT(AccountId) FROM Contact GROUP BY HasOptedOutOfEmail ORDER BY COUNT(Id) DESC',
    );
    const attributes = { type: 'AggregateResult' };
    expect(grouped.records).toEqual([
      { attributes, HasOptedOutOfEmail: false, n: 2, expr0: 1 },
      { attributes, HasOptedOutOfEmail: true, n: 1, expr0: 0 },
    ]);
  });
});

describe('cursors', () => {
  const all = 'SELECT Id FROM Contact ORDER BY Id';

  it('keep their list of rows while records change, and can be read again', () => {
    const first = run(all, 2);
    expect(first).toMatchObject({ totalSize: 3, done: false });
    expect(first.next).toMatch(/^01g\w{15}-2$/);
    const late = create('Contact', { LastName: 'Late' });
    const more = () => engine.more(first.next ?? '', { pageSize: 2, version: '67.0' });
    expect(more()).toMatchObject({ totalSize: 3, done: true, next: null, records: [{ Id: cat }] });
    expect(more().records).toHaveLength(1);
    store.purge(schema.object('Contact') ?? raise(), [late]);
  });

  it.each(['01gxxx-2', 'nonsense', '01g000000000000AAA-x'])('refuse the locator %s', (tail) => {
    expect(() => engine.more(tail, { pageSize: 2, version: '67.0' })).toThrow('invalid query locator');
  });

  it('end after a time, and when there are too many', () => {
    const locators = [run(all, 2), run(all, 2), run(all, 2)].map((one) => one.next ?? '');
    const more = (index: number) => engine.more(locators[index] ?? '', { pageSize: 2, version: '67.0' }).records.length;
    expect(() => more(0)).toThrow('invalid query locator');
    expect(more(2)).toBe(1);
    now += 60_001;
    expect(() => more(2)).toThrow('invalid query locator');
    now = NOW;
  });
});

describe('refusals', () => {
  it('point at an unknown field as Salesforce does', () => {
    expect(refused('SELECT Id, Foo__c FROM Lead').entries).toEqual([
      {
        errorCode: 'INVALID_FIELD',
        message:
          "\nSELECT Id, Foo__c FROM Lead\n           ^\nERROR at Row:1:Column:12\nNo such column 'Foo__c' on entity 'Lead'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.",
      },
    ]);
  });

  it.each([
    ['SELECT Id FROM Foo', 'INVALID_TYPE', "sObject type 'Foo' is not supported"],
    ['SELECT Id, Foo.Name FROM Lead', 'INVALID_FIELD', "Didn't understand relationship 'Foo' in field path"],
    ['SELECT Owner.Department FROM Lead', 'INVALID_FIELD', "No such column 'Department' on entity 'Name'"],
    ['SELECT Id FROM Lead WHERE Email = 5', 'INVALID_FIELD', 'must be of type string and should be enclosed in quotes'],
    ["SELECT Id FROM Lead WHERE IsConverted = 'x'", 'INVALID_FIELD', 'must be of type boolean and should not be'],
    ["SELECT Id FROM Lead WHERE CreatedDate > '2026'", 'INVALID_FIELD', 'must be of type dateTime'],
    ['SELECT Id FROM Lead WHERE CreatedDate > 2026-11-24', 'INVALID_FIELD', 'must be of type dateTime'],
    ["SELECT Id FROM Lead WHERE NumberOfEmployees > '5'", 'INVALID_FIELD', 'must be of type int'],
    ["SELECT Id FROM Lead WHERE Description = 'x'", 'INVALID_FIELD', "field 'Description' can not be filtered"],
    ['SELECT Id FROM Lead ORDER BY Description', 'INVALID_FIELD', "field 'Description' can not be sorted"],
    ["SELECT Id FROM Lead WHERE Id = 'abc'", 'INVALID_QUERY_FILTER_OPERATOR', 'invalid ID field: abc'],
    ["SELECT Id FROM Lead WHERE Id LIKE 'a%'", 'INVALID_QUERY_FILTER_OPERATOR', 'invalid operator on id field'],
    ['SELECT Id, Id FROM Lead', 'MALFORMED_QUERY', 'duplicate field selected: Id'],
    ['SELECT Id FROM Lead WHERE', 'MALFORMED_QUERY', "unexpected token: '<EOF>'"],
    ['SELECT FROM Lead', 'MALFORMED_QUERY', "unexpected token: 'FROM'"],
    ["SELECT Id FROM Lead WHERE Title = 'x", 'MALFORMED_QUERY', 'mismatched character'],
    [String.raw`SELECT Id FROM Lead WHERE Title = 'a\x'`, 'MALFORMED_QUERY', 'Illegal character sequence'],
    [
      "SELECT Id FROM Lead WHERE Title = 'a' AND Title = 'b' OR Title = 'c'",
      'MALFORMED_QUERY',
      "unexpected token: 'OR'",
    ],
    ['SELECT Id FROM Lead LIMIT 5 OFFSET 2001', 'NUMBER_OUTSIDE_VALID_RANGE', 'Maximum SOQL offset allowed is 2000'],
    ['SELECT Status, COUNT(Id) FROM Lead', 'MALFORMED_QUERY', 'Field must be grouped or aggregated: Status'],
    [`SELECT Id FROM Lead WHERE Title = '${'x'.repeat(4_001)}'`, 'MALFORMED_QUERY', 'maximum string length'],
    [`SELECT Id FROM Lead WHERE Title = 'a' ${' '.repeat(100_000)}`, 'MALFORMED_QUERY', '100000 characters'],
    ['SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Contact', 'MALFORMED_QUERY', '5 levels'],
    ['SELECT Id, (SELECT Id FROM Contacts) FROM Account', 'MALFORMED_QUERY', 'the sandbox does not know'],
  ])('%s', (soql, errorCode, message) => {
    const error = refused(soql);
    expect(error.errorCode).toBe(errorCode);
    expect(error.message).toContain(message);
  });

  it('shows a long query around the culprit only', () => {
    const names = 'Id, Title, Company, City, State, Phone, Fax, Email, Website, Status';
    const { message } = refused(`SELECT ${names}, Foo__c, Rating, Industry, LeadSource, CreatedDate FROM Lead`);
    const [, line = '', caret = ''] = message.split('\n');
    expect(line.length).toBeLessThanOrEqual(100);
    expect(line.slice(caret.indexOf('^'))).toMatch(/^Foo__c, Rating/);
    expect(message).toContain('ERROR at Row:1:Column:77\n');
  });

  it('refuse a field hidden by field-level security, wherever it stands', () => {
    schema.setVisible('Contact', 'Title', false);
    try {
      expect(refused('SELECT Title FROM Contact').errorCode).toBe('INVALID_FIELD');
      expect(refused("SELECT Id FROM Contact WHERE Title = 'CEO'").errorCode).toBe('INVALID_FIELD');
      expect(refused('SELECT Id FROM Contact ORDER BY Title').errorCode).toBe('INVALID_FIELD');
    } finally {
      schema.setVisible('Contact', 'Title', true);
    }
  });
});
