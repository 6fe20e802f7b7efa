import { recordTypeOfId, type Cursor } from '@libs/contracts';
import {
  allOf,
  idListCondition,
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

/** Some records of a job, read and not yet published. */
export interface Page {
  readonly records: ReadonlyArray<{ readonly recordId: string; readonly recordType: string }>;
  /** What of the job's state stands behind the last of them. */
  readonly position: Pick<Cursor, 'queried' | 'after' | 'redrive'>;
  /** Nothing follows. */
  readonly last: boolean;
}

type Position = Pick<Cursor, 'object' | 'where' | 'ids' | 'sinceMs' | 'hole' | 'fanOut' | 'after' | 'queried'>;
type Scope = Pick<Cursor, 'where' | 'sinceMs' | 'hole' | 'fanOut'>;

/**
 * The stamp that rows are read in the order of, together with the id. All rows: CreatedDate, which no later change of a row
 * moves. Rows changed since a moment: SystemModstamp; a row that changes meanwhile moves to the end and is read again.
 */
function stampOf({ sinceMs }: Scope): 'CreatedDate' | 'SystemModstamp' {
  return sinceMs === undefined ? 'CreatedDate' : 'SystemModstamp';
}

/** The rows that a job is about. */
function conditionOf({ where = '', sinceMs, fanOut }: Scope): string {
  const since = sinceMs === undefined ? '' : `SystemModstamp >= ${soqlDateTime(sinceMs)}`;
  return allOf([where, fanOut === undefined ? '' : idListCondition(fanOut.ids, fanOut.through), since]);
}

/** The rows behind a position. */
function conditionBehind({ after, ...scope }: Position): string {
  if (after === undefined) return conditionOf(scope);
  const [stamp, at] = [stampOf(scope), soqlDateTime(after.atMs)];
  return allOf([conditionOf(scope), `${stamp} > ${at} OR (${stamp} = ${at} AND Id > ${soqlString(after.id)})`]);
}

/**
 * Reads the page behind a position: of an object by keyset, so that it can go on anywhere after a crash; of an id list by slices.
 * `where` was parsed and checked when the job was accepted.
 */
export async function readPage(salesforce: SalesforceClient, position: Position, signal: AbortSignal): Promise<Page> {
  if (position.ids !== undefined) {
    const ids = position.ids.slice(position.queried, position.queried + PAGE_SIZE);
    const queried = position.queried + ids.length;
    const records = ids.map((recordId) => ({ recordId, recordType: recordTypeOfId(recordId) ?? 'Unknown' }));
    return { records, position: { queried }, last: queried >= position.ids.length };
  }
  const { object = '' } = position;
  const stamp = stampOf(position);
  const soql = select({
    object,
    fields: ['Id', stamp],
    where: conditionBehind(position),
    orderBy: [stamp, 'Id'],
    limit: PAGE_SIZE,
  });
  // What was deleted in a hole must be seen as deleted, so its catch-up reads the recycle bin too.
  const includeDeleted = position.hole !== undefined;
  const page = await salesforce.query(soql, { pageSize: PAGE_SIZE, includeDeleted, signal });
  const rows = page.records.map((record) => toRow(record, stamp));
  const end = rows.at(-1);
  return {
    records: rows.map(({ id }) => ({ recordId: id, recordType: object })),
    position: { after: end ?? position.after, queried: position.queried + rows.length },
    last: page.next === null && rows.length < PAGE_SIZE,
  };
}

function toRow(record: SalesforceRecord, stamp: string): { readonly id: string; readonly atMs: number } {
  const { Id, [stamp]: text } = record;
  const atMs = typeof text === 'string' ? parseSalesforceDateTime(text) : null;
  if (typeof Id !== 'string' || atMs === null)
    throw new SalesforceUnavailableError(`a row came without Id or ${stamp}`);
  return { id: Id, atMs };
}

/** How many rows an object job will read. */
export async function countRows(
  salesforce: SalesforceClient,
  job: Scope & { readonly object: string },
  signal: AbortSignal,
): Promise<number> {
  const condition = conditionOf(job);
  const soql = `SELECT COUNT() FROM ${identifier(job.object)}${condition === '' ? '' : ` WHERE ${condition}`}`;
  return (await salesforce.query(soql, { includeDeleted: job.hole !== undefined, signal })).totalSize;
}
