import { expect } from 'vitest';
import {
  allTopics,
  encodeBatcherProgress,
  groupOf,
  topics,
  type Outcome,
  type RecordChange,
  type Status,
} from '@libs/contracts';
import { createEmbeddedLog, decode, type Consumer, type EmbeddedLog, type LogRecord } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import type { QueryOptions, QueryPage, SalesforceClient } from '@libs/salesforce';
import { Session } from '../src/session.js';

/** Id of the n-th lead. */
export const toId = (n: number) => {
  // 15 characters without capitals but 'Q' at the third place: the checksum of such an id is always EAA.
  return `00Q${String(n).padStart(12, '0')}EAA`;
};

const stamp = (seconds: number) => new Date(seconds * 1000).toISOString().replace('Z', '+0000');

/** An org with `rows` leads, made one a second; answers the keyset queries of a backfill as SOQL would. */
export class FakeOrg implements SalesforceClient {
  readonly queries: string[] = [];
  readonly withDeleted: string[] = [];
  failNext: Error[] = [];
  readonly pageCap: number;

  constructor(
    readonly rows: number,
    options: { readonly pageCap?: number } = {},
  ) {
    this.pageCap = options.pageCap ?? 2_000;
  }

  async query(soql: string, options: QueryOptions = {}): Promise<QueryPage> {
    this.queries.push(soql);
    if (options.includeDeleted === true) this.withDeleted.push(soql);
    const failure = this.failNext.shift();
    if (failure !== undefined) throw failure;
    if (soql.includes('COUNT()')) return { totalSize: this.rows, records: [], next: null };
    const after = /Id > '([^']+)'/.exec(soql)?.[1];
    const limit = Number(/LIMIT (\d+)/.exec(soql)?.[1]);
    const start = after === undefined ? 0 : Number(after.slice(3, 15)) + 1;
    const end = Math.min(this.rows, start + Math.min(limit, this.pageCap));
    const records = Array.from({ length: end - start }, (_, index) => ({
      Id: toId(start + index),
      CreatedDate: stamp(start + index),
      SystemModstamp: stamp(start + index),
    }));
    return { totalSize: this.rows, records, next: end < Math.min(this.rows, start + limit) ? '/more' : null };
  }

  queryMore(): Promise<QueryPage> {
    throw new Error('a backfill pages by keyset');
  }
  describe(): never {
    throw new Error('not asked for');
  }
  connect(): never {
    throw new Error('not asked for');
  }
}

/** The rest of the pipeline in miniature: takes changes in the place of the batcher and tells what became of each. */
export async function drain(
  log: EmbeddedLog,
  fateOf: (change: RecordChange) => Pick<Outcome, 'kind' | 'reason'>,
): Promise<Consumer> {
  return log.consume(
    { group: groupOf('batcher'), topics: [topics.changes] },
    {
      onCrash: (error) => {
        throw error;
      },
      onRecords: async (records, claim) => {
        const messages = records.map((record) => {
          const decoded = decode(topics.changes, record.value);
          if (!decoded.ok) throw new Error(decoded.reason);
          const { recordId, recordType, jobId, lane } = decoded.value;
          return {
            topic: topics.outcomes,
            key: recordId,
            value: {
              recordId,
              recordType,
              offsets: [`${record.partition}:${record.offset}`],
              jobIds: jobId === undefined ? [] : [jobId],
              lane,
              time: 1,
              ...fateOf(decoded.value),
            },
          };
        });
        await log.append(messages);
        const next = (records.at(-1)?.offset ?? 0) + 1;
        await claim.commit(0, encodeBatcherProgress({ backfillEmittedTo: next }));
      },
    },
  );
}

const open: Array<() => Promise<void>> = [];

/** Ends what the test began. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close();
}

/** An empty log with all topics, closed at the end of the test. */
export async function newLog(): Promise<EmbeddedLog> {
  const log = createEmbeddedLog({ dataDir: ':memory:', partitions: 3, sessionTimeoutMs: 5_000 });
  await log.applyTopics(allTopics);
  open.push(() => log.close());
  return log;
}

/** An owner of the admin topic; `end`: the topic is taken away from it. */
export function begin(log: EmbeddedLog, salesforce: SalesforceClient) {
  const abortion = new AbortController();
  const health = new Health();
  const session = new Session(
    {
      log,
      salesforce,
      mappedObjects: () => ['Lead', 'Contact'],
      metrics: createMetrics(),
      health,
      logger: createLogger('test', 'silent'),
    },
    abortion.signal,
  );
  open.push(async () => abortion.abort());
  return { session, health, end: () => abortion.abort() };
}

/** What was said of a command or job, in order. */
export async function statuses(log: EmbeddedLog, id: string): Promise<Status[]> {
  const found: Status[] = [];
  for await (const records of log.read(topics.status, { untilEnd: true })) {
    for (const record of records) {
      const decoded = decode(topics.status, record.value);
      if (decoded.ok && decoded.value.id === id) found.push(decoded.value);
    }
  }
  return found;
}

/** Ids in the first topic. */
export async function published(log: EmbeddedLog): Promise<string[]> {
  const ids: string[] = [];
  for await (const records of log.read(topics.changes, { untilEnd: true }))
    ids.push(...records.map((record) => record.key));
  return ids;
}

/** Every state of a job that was made durable. */
export async function cursorsOf(log: EmbeddedLog, id: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const records of log.read(topics.cursors, { untilEnd: true }))
    found.push(...records.filter((record) => record.key === id));
  return found;
}

/** The type of the last word about a job, to be waited for. */
export const end = (log: EmbeddedLog, id: string) =>
  expect.poll(async () => (await statuses(log, id)).at(-1)?.type, { timeout: 30_000, interval: 50 });
