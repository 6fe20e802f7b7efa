import { expect, it } from 'vitest';
import { MAX_FAN_OUT_IDS, toRecordId } from '@libs/contracts';
import { encodeSoql, MAX_URI_BYTES, type QueryPage, type SalesforceClient } from '@libs/salesforce';
import { readPage } from './pages.js';

const idOf = (n: number) => toRecordId(`001${String(n).padStart(12, '0')}`) as string;

it('asks for the longest fan-out there can be within one URI', async () => {
  const asked: string[] = [];
  const salesforce = {
    query: async (soql: string): Promise<QueryPage> => {
      asked.push(soql);
      return { totalSize: 0, records: [], next: null };
    },
  } as Partial<SalesforceClient> as SalesforceClient;
  const longest = 'A'.repeat(80);
  const through = Array.from({ length: 6 }, () => longest).join('.');
  const ids = Array.from({ length: MAX_FAN_OUT_IDS }, (_, n) => idOf(n));
  const after = { atMs: Date.UTC(2026, 10, 24, 8, 0, 0, 123), id: idOf(1) };
  const position = { object: longest, fanOut: { from: 'Account', ids, through }, after, queried: 2_000 };
  await readPage(salesforce, position, new AbortController().signal);
  expect(asked[0]).toContain(`(${through} IN ('${ids[0]}',`);
  expect('/services/data/v999.0/queryAll?q='.length + encodeSoql(asked[0] ?? '').length).toBeLessThan(MAX_URI_BYTES);
});
