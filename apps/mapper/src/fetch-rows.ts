import type { CompiledMapping, SourceRecord } from '@libs/mapping';
import { chunkIdsByUri, SalesforceQueryTooLargeError, selectByIds, type SalesforceClient } from '@libs/salesforce';
import type { Fetched } from './core/to-message.js';

/**
 * Reads the current state of records of one object: one relationship query for as many ids as fit into a URI, further pages
 * where Salesforce gives smaller ones. Deleted records are among the rows (queryAll), unknown ones are not.
 * Errors: those of the client; `signal.reason` when it aborts.
 */
export async function fetchRows(
  salesforce: Pick<SalesforceClient, 'query' | 'queryMore'>,
  { object, select }: Pick<CompiledMapping, 'object' | 'select'>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Fetched>> {
  const soqlFor = (some: readonly string[]) => selectByIds({ object, fields: select, ids: some });
  const rows = new Map<string, Fetched>();
  for (const chunk of chunksOf(ids, soqlFor)) {
    for (const [id, fetched] of await fetchChunk(chunk)) rows.set(id, fetched);
  }
  return rows;

  async function fetchChunk(some: readonly string[]): Promise<Array<[string, Fetched]>> {
    const fetchedAtMs = Date.now();
    try {
      const found = await readPages(salesforce, soqlFor(some), signal);
      return found.map((row) => [String(row['Id']), { row, fetchedAtMs }]);
    } catch (error) {
      if (!(error instanceof SalesforceQueryTooLargeError) || some.length === 1) throw error;
      const half = Math.ceil(some.length / 2);
      return [...(await fetchChunk(some.slice(0, half))), ...(await fetchChunk(some.slice(half)))];
    }
  }
}

function chunksOf(ids: readonly string[], soqlFor: (ids: readonly string[]) => string): readonly string[][] {
  const [first] = ids;
  return first === undefined ? [] : chunkIdsByUri(soqlFor([first]), ids);
}

async function readPages(
  salesforce: Pick<SalesforceClient, 'query' | 'queryMore'>,
  soql: string,
  signal: AbortSignal,
): Promise<SourceRecord[]> {
  const rows: SourceRecord[] = [];
  let page = await salesforce.query(soql, { includeDeleted: true, signal });
  rows.push(...page.records);
  while (page.next !== null) {
    page = await salesforce.queryMore(page.next, { signal });
    rows.push(...page.records);
  }
  return rows;
}
