import type { Cursor } from '@libs/contracts';
import {
  allOf,
  identifier,
  parseSalesforceDateTime,
  select,
  soqlDateTime,
  soqlString,
  type SalesforceClient,
  type SalesforceRecord,
  SalesforceUnavailableError,
} from '@libs/salesforce';

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

/** The rows behind a position, in the order (CreatedDate, Id), which no later change of a row moves. */
function conditionBehind({ where, after }: Position): string {
  const parts = where === undefined ? [] : [where];
  if (after === undefined) return allOf(parts);
  const created = soqlDateTime(after.createdMs);
  return allOf([...parts, `CreatedDate > ${created} OR (CreatedDate = ${created} AND Id > ${soqlString(after.id)})`]);
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
  const soql = select({
    object: position.object ?? '',
    fields: ['Id', 'CreatedDate'],
    where: conditionBehind(position),
    orderBy: ['CreatedDate', 'Id'],
    limit: PAGE_SIZE,
  });
  const page = await salesforce.query(soql, { pageSize: PAGE_SIZE, signal });
  const rows = page.records.map(toRow);
  const end = rows.at(-1);
  return {
    ids: rows.map((row) => row.id),
    after: end ?? position.after,
    queried: position.queried + rows.length,
    last: page.next === null && rows.length < PAGE_SIZE,
  };
}

function toRow(record: SalesforceRecord): { readonly id: string; readonly createdMs: number } {
  const { Id, CreatedDate } = record;
  const createdMs = typeof CreatedDate === 'string' ? parseSalesforceDateTime(CreatedDate) : null;
  if (typeof Id !== 'string' || createdMs === null)
    throw new SalesforceUnavailableError('a row came without Id or CreatedDate');
  return { id: Id, createdMs };
}

/** How many rows an object job will read. */
export async function countRows(
  salesforce: SalesforceClient,
  object: string,
  where: string | undefined,
  signal: AbortSignal,
): Promise<number> {
  const soql = `SELECT COUNT() FROM ${identifier(object)}${where === undefined ? '' : ` WHERE ${where}`}`;
  return (await salesforce.query(soql, { signal })).totalSize;
}
