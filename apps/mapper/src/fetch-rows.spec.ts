import { describe, expect, it } from 'vitest';
import { toRecordId } from '@libs/contracts';
import { SalesforceQueryTooLargeError, SalesforceUnavailableError } from '@libs/salesforce';
import { fetchRows } from './fetch-rows.js';
import { FakeOrg } from '../test/fake-org.js';

const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
const ids = (count: number) => Array.from({ length: count }, (_, n) => idOf(n));
const selection = { object: 'Lead', select: ['Id', 'IsDeleted', 'SystemModstamp', 'Email'] };
const { signal } = new AbortController();

function orgWith(count: number): FakeOrg {
  const org = new FakeOrg();
  for (const [n, id] of ids(count).entries()) org.put(id, { Email: `lead${n}@example.com` });
  return org;
}

describe('fetchRows', () => {
  it('asks once, by queryAll, for as many ids as fit into a URI', async () => {
    const org = orgWith(3);
    const before = Date.now();
    const rows = await fetchRows(org, selection, ids(3), signal);
    expect(org.queries.map(({ soql, options }) => [soql, options?.includeDeleted])).toEqual([
      [`SELECT Id,IsDeleted,SystemModstamp,Email FROM Lead WHERE Id IN ('${ids(3).join("','")}')`, true],
    ]);
    expect([...rows.keys()]).toEqual(ids(3));
    expect(rows.get(idOf(1))?.row['Email']).toBe('lead1@example.com');
    expect(rows.get(idOf(1))?.fetchedAtMs).toBeGreaterThanOrEqual(before);
  });

  it('cuts longer lists, and reads on where pages are small', async () => {
    const org = orgWith(900);
    org.pageSize = 150;
    const rows = await fetchRows(org, selection, ids(900), signal);
    expect(rows.size).toBe(900);
    expect(org.queries).toHaveLength(3);
  });

  it('asks for half as many when Salesforce finds it too much', async () => {
    const org = orgWith(8);
    const tooLarge = () => new SalesforceQueryTooLargeError('query on Lead: too complicated');
    org.failures = [tooLarge(), tooLarge()];
    const rows = await fetchRows(org, selection, ids(8), signal);
    expect([...rows.keys()]).toEqual(ids(8));
    expect(org.queries.map(({ soql }) => soql.match(/'00Q/g)?.length)).toEqual([8, 4, 2, 2, 4]);
  });

  it('gives up on one id, and on any other failure, at once', async () => {
    const org = orgWith(2);
    org.failures = [new SalesforceQueryTooLargeError('query on Lead: too complicated')];
    await expect(fetchRows(org, selection, ids(1), signal)).rejects.toThrow(SalesforceQueryTooLargeError);
    org.failures = [new SalesforceUnavailableError('query on Lead: 503')];
    await expect(fetchRows(org, selection, ids(2), signal)).rejects.toThrow(SalesforceUnavailableError);
    expect(org.queries).toHaveLength(2);
  });

  it('asks for nothing when there is nothing to ask for', async () => {
    const org = orgWith(1);
    expect((await fetchRows(org, selection, [], signal)).size).toBe(0);
    expect(org.queries).toEqual([]);
  });
});
