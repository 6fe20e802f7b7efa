import { BACKFILL_TARGET, topics, type BatchEntry, type Lane, type RecordBatch } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import type { Metrics } from '@libs/observability';
import {
  chunkIdsByUri,
  idListCondition,
  SalesforceQueryTooLargeError,
  select,
  type SalesforceClient,
} from '@libs/salesforce';
import { causesOf, changesOf, jobsOf, MAX_RECORDS_AT_ONCE } from './core/fan-out.js';
import type { Reader } from './core/readers.js';
import type { ParentReaders } from './parent-readers.js';

export interface FanOutParts {
  readonly salesforce: Pick<SalesforceClient, 'query' | 'queryMore'>;
  readonly readers: Pick<ParentReaders, 'of'>;
  readonly metrics: Metrics;
  /** Are changes of Users followed? */
  readonly followOwners: boolean;
}

/** What a batch's changes mean for those who show its records. Nothing is counted or durable yet. */
export interface Expansion {
  /** Does anybody show records of this object? */
  readonly isRead: boolean;
  readonly causes: number;
  /** Changes of the dependents, and jobs for those who are too many. */
  readonly messages: readonly Outgoing[];
  /** How many changes, and how many jobs, by the dependents' object. */
  readonly records: ReadonlyMap<string, number>;
  readonly jobs: ReadonlyMap<string, number>;
}

const NOTHING: Expansion = { isRead: false, causes: 0, messages: [], records: new Map(), jobs: new Map() };

/**
 * Finds who shows changed records, so that they are written anew: up to a thousand at once, in the lane of their cause; more
 * by a job of the backfill service, which reads them page by page, in the backfill lane (Invariants 5 and 6).
 */
export class FanOut {
  constructor(private readonly parts: FanOutParts) {}

  /** Are changes of this object left alone on purpose? */
  ignores(object: string): boolean {
    return object === 'User' && !this.parts.followOwners;
  }

  /** Errors: those of Salesforce; `signal.reason` when it aborts. */
  async expand(
    batch: RecordBatch,
    { lane, isMapped }: { readonly lane: Lane; readonly isMapped: boolean },
    signal: AbortSignal,
  ): Promise<Expansion> {
    const { recordType } = batch;
    if (this.ignores(recordType)) return NOTHING;
    const readers = await this.parts.readers.of(recordType);
    const causes = causesOf(batch, isMapped);
    if (readers.length === 0 || causes.length === 0) return { ...NOTHING, isRead: readers.length > 0 };
    return this.collect(recordType, { readers, causes, lane }, signal);
  }

  /** One reader after another, for as long as there is room; one that does not fit becomes a job, and those after it may fit. */
  private async collect(
    from: string,
    { readers, causes, lane }: { readers: readonly Reader[]; causes: readonly BatchEntry[]; lane: Lane },
    signal: AbortSignal,
  ): Promise<Expansion> {
    const byObject = new Map<string, Set<string>>();
    const jobs = new Map<string, number>();
    const messages: Outgoing[] = [];
    let room = MAX_RECORDS_AT_ONCE;
    for (const reader of readers) {
      const { object } = reader;
      const known = byObject.get(object) ?? new Set<string>();
      const found = await this.idsOf(reader, { causes, known, room }, signal);
      if (found === null) {
        const handed = jobsOf(from, reader, causes);
        for (const value of handed) messages.push({ topic: topics.commands, key: BACKFILL_TARGET, value });
        jobs.set(object, (jobs.get(object) ?? 0) + handed.length);
      } else {
        byObject.set(object, new Set([...known, ...found]));
        room -= found.size;
      }
    }
    for (const [object, ids] of byObject) {
      for (const value of changesOf(ids, object, { causes, lane })) {
        messages.push({ topic: topics.changes, key: value.recordId, value });
      }
    }
    const records = new Map([...byObject].map(([object, ids]) => [object, ids.size]));
    return { isRead: true, causes: causes.length, messages, records, jobs };
  }

  /** The records that show the causes and are not `known`; `null` when they are more than `room`. Reads no more than needed to tell. */
  private async idsOf(
    { object, lookup }: Reader,
    { causes, known, room }: { causes: readonly BatchEntry[]; known: ReadonlySet<string>; room: number },
    signal: AbortSignal,
  ): Promise<Set<string> | null> {
    const found = new Set<string>();
    const soqlOf = (ids: readonly string[]) =>
      select({
        object,
        fields: ['Id'],
        where: idListCondition(ids, lookup),
        orderBy: ['Id'],
        limit: room + known.size + 1,
      });
    const ids = causes.map((cause) => cause.recordId);
    const chunks = chunkIdsByUri(soqlOf(ids.slice(0, 1)), ids);
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      try {
        for await (const id of this.read(object, soqlOf(chunk), signal)) {
          if (!known.has(id)) found.add(id);
          if (found.size > room) return null;
        }
      } catch (error) {
        if (!(error instanceof SalesforceQueryTooLargeError) || chunk.length === 1) throw error;
        const half = Math.ceil(chunk.length / 2);
        chunks.unshift(chunk.slice(0, half), chunk.slice(half));
      }
    }
    return found;
  }

  private async *read(object: string, soql: string, signal: AbortSignal): AsyncGenerator<string> {
    const { salesforce, metrics } = this.parts;
    metrics.mapperFanOutQueries.inc({ object });
    let page = await salesforce.query(soql, { signal });
    for (;;) {
      for (const { Id: id } of page.records) if (typeof id === 'string') yield id;
      if (page.next === null) return;
      page = await salesforce.queryMore(page.next, { signal });
    }
  }

  /** Counts what is durable. */
  count(object: string, lane: Lane, { causes, records, jobs }: Expansion): void {
    const { metrics } = this.parts;
    if (causes > 0) metrics.mapperFanOutCauses.inc({ object, lane }, causes);
    for (const [dependent, count] of records) metrics.mapperFanOutRecords.inc({ object: dependent, lane }, count);
    for (const [dependent, count] of jobs) metrics.mapperFanOutJobs.inc({ object: dependent }, count);
  }
}
