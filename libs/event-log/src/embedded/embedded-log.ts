import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Topic } from '@libs/contracts';
import { createLogger, type Logger } from '@libs/observability';
import type { FencedHandlers } from '../claims.js';
import { encode } from '../codec.js';
import { holdLease } from '../lease.js';
import type {
  Committed,
  Consumer,
  ConsumerHandlers,
  ConsumerOptions,
  EventLog,
  LeaseHolder,
  LeaseOptions,
  LogRecord,
  Outgoing,
  Position,
  ReadOptions,
  TopicResult,
} from '../port.js';
import { Database } from './database.js';
import { EmbeddedConsumer } from './embedded-consumer.js';
import { GroupStore } from './group-store.js';
import { Retention } from './retention.js';
import { recordsOf, TopicStore } from './topic-store.js';

/** Records in one array of `read`. */
const READ_RECORDS = 1_000;
const SWEEP_INTERVAL_MS = 60_000;
/** Heartbeats in one session timeout. */
const BEATS_PER_SESSION = 4;

export interface EmbeddedLogOptions {
  /** Directory of the file `event-log.db`, made if missing; a local disk, never NFS. Or `:memory:`. */
  readonly dataDir: string;
  /** Partitions of `scaled` topics. Default 6. */
  readonly partitions?: number;
  /** After this long without a heartbeat a member is dead and its partitions move. Default 10,000 milliseconds. */
  readonly sessionTimeoutMs?: number;
  /** `FULL` (default): what was acknowledged survives a power loss. `NORMAL`: only a crash of the process. */
  readonly synchronous?: 'FULL' | 'NORMAL';
  /** Named in each message's `ce_source`. Default `embedded`. */
  readonly clientId?: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Opens the log in a file of its own. Several processes of one host may share it; one that is frozen in the middle of a
 * transaction holds up the others' writes, which fail as unavailable meanwhile.
 */
export function createEmbeddedLog(options: EmbeddedLogOptions): EmbeddedLog {
  return new EmbeddedLog(options);
}

/** {@link EventLog} on SQLite: one file, one writer queue a process, leases and fencing for groups across processes. */
export class EmbeddedLog implements EventLog {
  private readonly db: Database;
  private readonly topics: TopicStore;
  private readonly groups: GroupStore;
  private readonly retention: Retention;
  private readonly consumers = new Set<EmbeddedConsumer>();
  private readonly timers: readonly NodeJS.Timeout[];
  private readonly source: string;
  private readonly logger: Logger;
  private closed: Promise<void> | null = null;

  constructor(options: EmbeddedLogOptions) {
    const { dataDir, partitions = 6, sessionTimeoutMs = 10_000, synchronous = 'FULL' } = options;
    this.source = `/sync/${options.clientId ?? 'embedded'}`;
    this.logger = options.logger ?? createLogger('event-log', 'silent');
    if (dataDir !== ':memory:') mkdirSync(dataDir, { recursive: true });
    this.db = new Database(dataDir === ':memory:' ? dataDir : join(dataDir, 'event-log.db'), synchronous);
    this.topics = new TopicStore(this.db, partitions);
    this.groups = new GroupStore(this.db, this.topics, sessionTimeoutMs);
    this.retention = new Retention(this.db, this.topics, this.logger);
    this.timers = [
      setInterval(() => void this.beat(), Math.max(50, sessionTimeoutMs / BEATS_PER_SESSION)),
      setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS),
    ];
    for (const timer of this.timers) timer.unref();
  }

  applyTopics(topics: readonly Topic[]): Promise<readonly TopicResult[]> {
    return this.topics.apply(topics);
  }

  async append(messages: readonly Outgoing[]): Promise<readonly Position[]> {
    const now = new Date();
    const encoded = messages.map((message) => ({
      topic: message.topic.name,
      encoded: encode(message, this.source, now),
      ...(message.partition === undefined ? {} : { partition: message.partition }),
    }));
    return this.topics.append(encoded, now.getTime());
  }

  consume(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<Consumer> {
    return this.join(options, handlers);
  }

  holdLease(options: LeaseOptions, holder: LeaseHolder, onCrash: (error: Error) => void): Promise<Consumer> {
    return holdLease((consumer, handlers) => this.join(consumer, handlers), options, holder, onCrash);
  }

  async *read(topic: Topic, options: ReadOptions = {}): AsyncGenerator<readonly LogRecord[]> {
    const { from = {}, start = 'earliest', untilEnd = false, signal } = options;
    const stored = this.topics.find(topic.name);
    const cursors = Array.from({ length: stored.partitions }, (_, partition) => {
      const { earliest, next } = this.topics.range(stored, partition);
      return { partition, position: from[partition] ?? (start === 'latest' ? next : earliest), end: next };
    });
    for (;;) {
      let found = false;
      for (const cursor of cursors) {
        if (signal?.aborted === true || !this.db.isOpen) return;
        const records = this.topics
          .fetch(stored, cursor.partition, cursor.position, READ_RECORDS)
          .filter(({ offset }) => !untilEnd || offset < cursor.end);
        const last = records.at(-1);
        if (last === undefined) continue;
        found = true;
        cursor.position = last.offset + 1;
        yield records;
        await nextTurn();
      }
      if (found) continue;
      if (untilEnd) return;
      await this.db.changed(recordsOf(stored), signal);
    }
  }

  partitionCount(topic: Topic): Promise<number> {
    return Promise.resolve().then(() => this.topics.find(topic.name).partitions);
  }

  async offsets(topic: Topic) {
    await nextTurn();
    const stored = this.topics.find(topic.name);
    return Array.from({ length: stored.partitions }, (_, partition) => ({
      partition,
      ...this.topics.range(stored, partition),
    }));
  }

  async committed(group: string, topic: Topic): Promise<readonly Committed[]> {
    await nextTurn();
    return this.groups.committed(group, this.topics.find(topic.name));
  }

  /** One round of retention and compaction; runs by itself every minute. Returns the number of records freed. */
  sweep(now: Date = new Date()): Promise<number> {
    return this.retention.sweep(now.getTime()).catch((error: unknown) => {
      this.logger.error({ err: error }, 'retention failed: the next round tries again');
      return 0;
    });
  }

  close(): Promise<void> {
    this.closed ??= this.shut();
    return this.closed;
  }

  private async shut(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    for (const timer of this.timers) clearInterval(timer);
    await this.db.close();
  }

  private async join(options: ConsumerOptions, handlers: FencedHandlers): Promise<Consumer> {
    const topics = options.topics.map(({ name }) => this.topics.find(name));
    const consumer: EmbeddedConsumer = new EmbeddedConsumer(
      { db: this.db, topics: this.topics, groups: this.groups, logger: this.logger },
      options,
      handlers,
      topics,
      () => this.consumers.delete(consumer),
    );
    this.consumers.add(consumer);
    await consumer.start();
    return consumer;
  }

  private async beat(): Promise<void> {
    const present = [...this.consumers];
    if (present.length === 0 || !this.db.isOpen) return;
    try {
      await this.groups.beat(present.map(({ id }) => id));
      for (const consumer of present) consumer.confirmed();
    } catch (error) {
      this.logger.warn({ err: error }, 'a heartbeat failed');
    }
  }
}
