import type { Cursor } from '@libs/contracts';
import { parseSalesforceDateTime, soqlDateTime, soqlString, type SalesforceClient } from '@libs/salesforce';

/** Rows asked for in one page: the most that REST gives. Source: facts/salesforce.md §4.1. */
export const PAGE_SIZE = 2_000;

/** Some ids of a job, read and not yet published. `after` stands behind the last of them; `last`: nothing follows. */
export interface Page {
  readonly ids: readonly string[];
  readonly after: Cursor['after'];
  readonly queried: number;
  readonly last: boolean;
}

type Position = Pick<Cursor, 'object' | 'where' | 'ids' | 'after' | 'queried'>;

/** The WHERE clause of the rows behind a position, in the order (CreatedDate, Id), which no later change of a row moves. */
function condition({ where, after }: Position): string {
  const parts: string[] = [];
  if (where !== undefined) parts.push(`(${where})`);
  if (after !== undefined) {
    const created = soqlDateTime(new Date(parseSalesforceDateTime(after.createdDate)));
    parts.push(`(CreatedDate > ${created} OR (CreatedDate = ${created} AND Id > ${soqlString(after.id)}))`);
  }
  return parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`;
}

/**
 * Reads the page behind a position: of an object by keyset, so that it can go on anywhere after a crash; of an id list by slices.
 * `where` was parsed and checked when the job was accepted.
 */
export async function readPage(salesforce: SalesforceClient, position: Position, signal: AbortSignal): Promise<Page> {
  if (position.ids !== undefined) {
    const ids = position.ids.slice(position.queried, position.queried + PAGE_SIZE);
    const queried = position.queried + ids.length;
    return { ids, after: undefined, queried, last: queried >= position.ids.length };
  }
  const soql = `SELECT Id, CreatedDate FROM ${position.object}${condition(position)} ORDER BY CreatedDate, Id LIMIT ${PAGE_SIZE}`;
  const page = await salesforce.query(soql, { pageSize: PAGE_SIZE, signal });
  const rows = page.records as ReadonlyArray<{ readonly Id: string; readonly CreatedDate: string }>;
  const end = rows.at(-1);
  return {
    ids: rows.map((row) => row.Id),
    after: end === undefined ? position.after : { createdDate: end.CreatedDate, id: end.Id },
    queried: position.queried + rows.length,
    last: page.next === null && rows.length < PAGE_SIZE,
  };
}

/** How many rows an object job will read. */
export async function countRows(
  salesforce: SalesforceClient,
  object: string,
  where: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const page = await salesforce.query(`SELECT COUNT() FROM ${object}${condition({ object, where, queried: 0 })}`, {
    signal,
  });
  return page.totalSize;
}
