import { topics, type RecordChange } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import {
  parseSalesforceDateTime,
  SalesforceUnavailableError,
  select,
  soqlDateTime,
  soqlString,
  type SalesforceClient,
  type SalesforceRecord,
} from '@libs/salesforce';
import { OVERLAP_MS } from './core/holes.js';
import type { Publisher } from './publisher.js';

/** Rows of one page: the most that REST gives. Source: facts/salesforce.md §4.1. */
const PAGE_ROWS = 2_000;
/** Most rows of one object remembered as published; past this some are published again, which is harmless. */
const MAX_REMEMBERED = 100_000;

interface Row {
  readonly id: string;
  readonly stampMs: number;
}

function toRow({ Id: id, SystemModstamp: stamp }: SalesforceRecord): Row {
  const stampMs = typeof stamp === 'string' ? parseSalesforceDateTime(stamp) : null;
  if (typeof id !== 'string' || stampMs === null)
    throw new SalesforceUnavailableError('a row came without Id or SystemModstamp');
  return { id, stampMs };
}

function toMessage(object: string, { id, stampMs }: Row): Outgoing<RecordChange> {
  const value: RecordChange = {
    recordType: object,
    recordId: id,
    changeType: 'SNAPSHOT',
    source: 'catch-up',
    lane: 'realtime',
    commitTimestamp: stampMs,
  };
  return { topic: topics.changes, key: id, value };
}

/**
 * Finds changes without events: the rows whose SystemModstamp is new, deleted ones included. Each time it looks back by the
 * overlap, for transactions that commit late, and leaves out what it published already.
 */
export class Poller {
  /** By object: the stamp with which each recent row was published. */
  private readonly published = new Map<string, Map<string, number>>();

  constructor(
    private readonly client: Pick<SalesforceClient, 'query'>,
    private readonly publisher: Pick<Publisher, 'publish'>,
  ) {}

  /**
   * Publishes what changed since `sinceMs` (epoch milliseconds, by SystemModstamp), page by page.
   * Output: the newest stamp found, when everything up to there is durable; `null` when `signal` ended it before.
   * Errors: those of the Salesforce client.
   */
  async poll(object: string, sinceMs: number, signal: AbortSignal): Promise<number | null> {
    let newestMs = sinceMs;
    let where = `SystemModstamp >= ${soqlDateTime(Math.max(0, sinceMs - OVERLAP_MS))}`;
    for (;;) {
      const { rows, complete } = await this.page(object, where, signal);
      const fresh = rows.filter(({ id, stampMs }) => this.publishedOf(object).get(id) !== stampMs);
      const messages = fresh.map((row) => toMessage(object, row));
      if (!(await this.publisher.publish(messages, signal))) return null;
      for (const row of fresh) this.remember(object, row);
      const last = rows.at(-1);
      newestMs = Math.max(newestMs, last?.stampMs ?? 0);
      if (last === undefined || complete) break;
      const at = soqlDateTime(last.stampMs);
      where = `SystemModstamp > ${at} OR (SystemModstamp = ${at} AND Id > ${soqlString(last.id)})`;
    }
    this.forget(object, newestMs - OVERLAP_MS);
    return newestMs;
  }

  private async page(object: string, where: string, signal: AbortSignal): Promise<{ rows: Row[]; complete: boolean }> {
    const fields = ['Id', 'SystemModstamp'];
    const soql = select({ object, fields, where, orderBy: ['SystemModstamp', 'Id'], limit: PAGE_ROWS });
    const options = { pageSize: PAGE_ROWS, includeDeleted: true, signal };
    const { records, next } = await this.client.query(soql, options);
    if (next !== null && records.length === 0) throw new SalesforceUnavailableError(`an empty page of ${object}`);
    // A page that Salesforce cut short is no end: what follows is asked for by the keyset
    return { rows: records.map(toRow), complete: next === null && records.length < PAGE_ROWS };
  }

  private publishedOf(object: string): Map<string, number> {
    const known = this.published.get(object) ?? new Map<string, number>();
    this.published.set(object, known);
    return known;
  }

  private remember(object: string, { id, stampMs }: Row): void {
    const rows = this.publishedOf(object);
    if (rows.size < MAX_REMEMBERED) rows.set(id, stampMs);
  }

  /** What the next poll does not see any more. */
  private forget(object: string, beforeMs: number): void {
    const rows = this.publishedOf(object);
    for (const [id, stampMs] of rows) if (stampMs < beforeMs) rows.delete(id);
  }
}
