import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunkIdsByUri, encodeSoql, MAX_IDS_PER_QUERY, MAX_URI_BYTES, whyTooLong } from './chunk-ids.js';
import { parseSalesforceDateTime } from './date-time.js';
import {
  allOf,
  fieldPath,
  idListCondition,
  identifier,
  select,
  selectByIds,
  soqlDateTime,
  SoqlPartError,
  soqlString,
} from './soql.js';
import { parseQuery } from '@jetstreamapp/soql-parser-js';
import { toRecordId } from '@libs/contracts';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';

const anyId = fc.stringMatching(/^[0-9A-Za-z]{15}$/).map((id15) => toRecordId(id15) ?? '');

describe('names', () => {
  it.each(['Lead', 'Invoice__c', 'X'])('takes %s', (name) => expect(identifier(name)).toBe(name));
  it.each(['', '1x', 'a b', "x'", 'Lead--', 'é', 'A.B', `a${'b'.repeat(80)}`])('refuses %j', (name) => {
    expect(() => identifier(name)).toThrow('not an API name');
  });
  it.each(['Email', 'Account.Name', 'Account.Owner.Manager.Profile.UserLicense.Name'])('takes the path %s', (path) =>
    expect(fieldPath(path)).toBe(path),
  );
  it.each(['', '.', 'A.', 'A..B', 'A.B.C.D.E.F.G', "A.B'"])('refuses the path %j', (path) => {
    expect(() => fieldPath(path)).toThrow(SoqlPartError);
  });
});

describe('literals', () => {
  it.each([
    ['plain', "'plain'"],
    ["it's", "'it\\'s'"],
    ['back\\slash', "'back\\\\slash'"],
    ["\\' OR Id != '", "'\\\\\\' OR Id != \\''"],
    ['two\nlines', "'two\\nlines'"],
  ])('soqlString(%j)', (text, expected) => {
    expect(soqlString(text)).toBe(expected);
  });

  it('keeps any text inside its quotes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const query = parseQuery(`SELECT Id FROM Lead WHERE LastName = ${soqlString(text)} AND X = 1`);
        expect(query.where).toMatchObject({ operator: 'AND', right: { left: { field: 'X', value: '1' } } });
      }),
    );
  });

  it('refuses a string longer than Salesforce takes', () => {
    expect(() => soqlString('x'.repeat(4_001))).toThrow('4001 characters');
  });

  it.each([
    [1_667_958_378_000, '2022-11-09T01:46:18Z'],
    [new Date('2022-11-09T01:46:18.250Z'), '2022-11-09T01:46:18.250Z'],
  ])('soqlDateTime(%s)', (time, expected) => {
    expect(soqlDateTime(time)).toBe(expected);
  });

  it.each([
    ['2022-11-09T01:46:18.000+0000', 1_667_958_378_000],
    ['2022-11-09T01:46:18.000Z', 1_667_958_378_000],
    ['2021-01-20T22:33:10Z', 1_611_181_990_000],
    ['2022-11-09T03:46:18.123+02:00', 1_667_958_378_123],
    ['2022-11-08T20:46:18-0500', 1_667_958_378_000],
    ['2022-11-09', null],
    ['2022-13-09T01:46:18Z', null],
    ['2022-11-09T01:46:18', null],
    ['', null],
  ])('parseSalesforceDateTime(%s)', (text, expected) => {
    expect(parseSalesforceDateTime(text)).toBe(expected);
  });

  it('reads back every datetime that it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (time) => {
        expect(parseSalesforceDateTime(soqlDateTime(time))).toBe(time);
      }),
    );
  });
});

describe('queries', () => {
  it('lists ids', () => {
    expect(idListCondition([LEAD, CONTACT])).toBe(`Id IN ('${LEAD}','${CONTACT}')`);
    expect(idListCondition([LEAD], 'Account.ParentId')).toBe(`Account.ParentId IN ('${LEAD}')`);
  });

  it.each([[[]], [['001*']], [[LEAD, "x' OR Id != '"]], [[LEAD.slice(0, 15)]]])('refuses the id list %j', (ids) => {
    expect(() => idListCondition(ids)).toThrow(SoqlPartError);
  });

  it.each([
    [[], ''],
    [['A = 1'], 'A = 1'],
    [['', 'A = 1', ''], 'A = 1'],
    [['A = 1 OR B = 2', 'C = 3'], '(A = 1 OR B = 2) AND (C = 3)'],
  ])('allOf(%j)', (conditions, expected) => {
    expect(allOf(conditions)).toBe(expected);
  });

  it('selects distinct fields, whatever their case', () => {
    expect(select({ object: 'Lead', fields: ['Id', 'Email', 'id', 'Owner.Email', 'Email'] })).toBe(
      'SELECT Id,Email,Owner.Email FROM Lead',
    );
  });

  it('orders and limits', () => {
    expect(
      select({ object: 'Lead', fields: ['Id'], where: 'A = 1', orderBy: ['CreatedDate', 'Id'], limit: 2000 }),
    ).toBe('SELECT Id FROM Lead WHERE A = 1 ORDER BY CreatedDate,Id LIMIT 2000');
    expect(select({ object: 'Lead', fields: ['Id'], orderBy: ['CreatedDate', 'Id'], descending: true })).toBe(
      'SELECT Id FROM Lead ORDER BY CreatedDate DESC,Id DESC',
    );
  });

  it('selects by ids, narrowed', () => {
    expect(selectByIds({ object: 'Lead', fields: ['Id', 'Email'], ids: [LEAD], where: 'A = 1 OR B = 2' })).toBe(
      `SELECT Id,Email FROM Lead WHERE (Id IN ('${LEAD}')) AND (A = 1 OR B = 2)`,
    );
  });

  it.each([
    [{ object: "Lead' ", fields: ['Id'] }],
    [{ object: 'Lead', fields: [] }],
    [{ object: 'Lead', fields: ['Id FROM User'] }],
    [{ object: 'Lead', fields: ['Id'], limit: 1.5 }],
    [{ object: 'Lead', fields: ['Id'], orderBy: ['Id DESC'] }],
  ])('refuses %j', (query) => {
    expect(() => select(query)).toThrow(SoqlPartError);
  });
});

describe('chunkIdsByUri', () => {
  const wide = Array.from({ length: 300 }, (_, index) => `Custom_Field_Number_${index}__c`);

  it('takes about 400 ids for a usual mapping, fewer for a wide one', () => {
    const ids = Array.from({ length: 1000 }, () => LEAD);
    const usual = selectByIds({ object: 'Lead', fields: wide.slice(0, 40), ids: [LEAD] });
    expect(chunkIdsByUri(usual, ids)[0]).toHaveLength(MAX_IDS_PER_QUERY);
    const [first = []] = chunkIdsByUri(selectByIds({ object: 'Lead', fields: wide, ids: [LEAD] }), ids);
    expect(first.length).toBeLessThan(200);
    expect(first.length).toBeGreaterThan(100);
  });

  it('gives nothing for nothing, and says when not even one id fits', () => {
    expect(chunkIdsByUri('SELECT Id FROM Lead', [])).toEqual([]);
    expect(() => chunkIdsByUri('x'.repeat(MAX_URI_BYTES), [LEAD])).toThrow('select fewer fields');
    const options = { path: '/q?q=', maxBytes: 105 };
    expect([whyTooLong('x'.repeat(100), options), whyTooLong('x'.repeat(101), options)]).toEqual([
      null,
      'the query is 1 bytes too long for a URI, with one id: select fewer fields',
    ]);
  });

  it('fits every chunk into the URI, fills it, and keeps every id once and in order', () => {
    fc.assert(
      fc.property(
        fc.array(anyId, { minLength: 1, maxLength: 900 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 10_000, max: 16_000 }),
        (ids, fields, maxBytes) => {
          const query = { object: 'Lead', fields: wide.slice(0, fields), where: "LastName LIKE 'é%'" };
          const path = '/services/data/v67.0/query?q=';
          const chunks = chunkIdsByUri(selectByIds({ ...query, ids: [ids[0] ?? ''] }), ids, { path, maxBytes });
          expect(chunks.flat()).toEqual(ids);
          const bytes = (chunk: readonly string[]) => {
            const url = new URL(path + encodeSoql(selectByIds({ ...query, ids: chunk })), 'http://x');
            return Buffer.byteLength(url.pathname + url.search);
          };
          for (const chunk of chunks) expect(bytes(chunk)).toBeLessThanOrEqual(maxBytes);
          const [first = []] = chunks;
          const full = first.length === MAX_IDS_PER_QUERY || bytes([...first, LEAD]) > maxBytes;
          expect(chunks.length === 1 || full).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
