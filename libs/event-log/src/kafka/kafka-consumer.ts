import { setTimeout as wait } from 'node:timers/promises';
import type { EachBatchPayload, Kafka, Consumer as Client } from 'kafkajs';
import { isRetryable } from '@libs/contracts';
import type { Logger } from '@libs/observability';
import type { FencedHandlers } from '../claims.js';
import type { Assignment, Committed, Consumer } from '../port.js';
import { makeAssigner } from './assigners.js';
import { RETRY } from './client.js';
import { toLogError } from './errors.js';
import { Generation } from './generation.js';
import { hooksOf, type FetchedMessage, type InternalCluster, type InternalGroup } from './internals.js';
import { toRecord } from './record.js';

/** Longest that the broker holds a fetch without news: the client notices a resumed partition only after it. Milliseconds. */
const FETCH_WAIT_MS = 100;
/**
 * Of one partition in one fetch. A fetch is of all partitions and is decoded as a whole before any of it is handed out: a real-time
 * record must not wait for megabytes of a backfill beside it (Invariant 6). One record alone may be larger.
 */
const MAX_PARTITION_BYTES = 131_072;
/** All that is fetched and not handed out, over all partitions, about. Characters. */
const MAX_WAITING_CHARS = 64_000_000;
const MAX_PARTITION_CHARS = 4_000_000;
/** Longest that a rebalance waits for handlers in hand. Milliseconds. */
const SETTLE_MS = 10_000;
const REBALANCE_TIMEOUT_MS = 60_000;
/** Longest that leaving may take; past it the broker finds out by itself. Milliseconds. */
const LEAVE_MS = 5_000;
/** Milliseconds. */
const ASK_AGAIN_MS = 1_000;
/** Without any sign of life for so long the client is stuck (tulios/kafkajs#1152) and is made anew. Milliseconds. */
const WATCHDOG_MS = 60_000;

export interface KafkaConsumerOptions {
  /** With the prefix. */
  readonly group: string;
  /** The port's names by the broker's. */
  readonly topics: ReadonlyMap<string, string>;
  readonly assignment: Assignment;
  readonly maxRecords: number;
  readonly from: 'earliest' | 'latest';
  readonly sessionTimeoutMs: number;
}

/**
 * One member of a group. The client's callback only fills queues; handlers run beside it, one at a time for each partition,
 * while the client goes on fetching and heartbeating. Each generation has its own claims and queues.
 */
export class KafkaConsumer implements Consumer {
  private client: Client | null = null;
  private cluster: object | null = null;
  private generation: Generation | null = null;
  private group: InternalGroup | null = null;
  /** Handlers of generations that are over, by partition: the next one of a partition begins after them. */
  private readonly settling = new Map<string, Promise<void>>();
  private readonly timers: NodeJS.Timeout[] = [];
  private lastBeatMs = Date.now();
  private lastSignMs = Date.now();
  private stopped: Promise<void> | null = null;
  private closed: Promise<void> | null = null;

  constructor(
    private readonly kafka: Kafka,
    private readonly options: KafkaConsumerOptions,
    private readonly handlers: FencedHandlers,
    private readonly logger: Logger,
    private readonly onClosed: () => void,
  ) {}

  /** Joins the group. Errors: when a topic does not exist, or the brokers cannot be reached. */
  async start(): Promise<void> {
    const { sessionTimeoutMs } = this.options;
    try {
      await this.connect();
    } catch (error) {
      await this.close();
      throw toLogError(error, `joining group ${this.options.group}`);
    }
    this.timers.push(
      setInterval(() => void this.beat(), sessionTimeoutMs / 4),
      setInterval(() => this.watch(), WATCHDOG_MS / 4),
    );
    for (const timer of this.timers) timer.unref();
  }

  stop(): Promise<void> {
    this.generation?.pauseAll();
    this.stopped ??= Promise.all([...(this.generation?.held.values() ?? [])].map(({ queue }) => queue.stop())).then(
      () => undefined,
    );
    return this.stopped;
  }

  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  private async leave(): Promise<void> {
    await this.stop();
    for (const timer of this.timers) clearInterval(timer);
    this.generation?.revokeAll();
    await Promise.all(this.settling.values());
    await this.disconnect();
    this.onClosed();
  }

  private async connect(): Promise<void> {
    const { group, topics, assignment, from, sessionTimeoutMs } = this.options;
    const client = this.kafka.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(REBALANCE_TIMEOUT_MS, sessionTimeoutMs),
      heartbeatInterval: Math.floor(sessionTimeoutMs / 4),
      maxWaitTimeInMs: FETCH_WAIT_MS,
      maxBytesPerPartition: MAX_PARTITION_BYTES,
      allowAutoTopicCreation: false,
      retry: { ...RETRY, restartOnFailure: () => Promise.resolve(this.closed === null) },
      partitionAssigners: [
        ({ cluster }) => {
          this.cluster = cluster;
          hooksOf.set(cluster, { leaving: (old) => this.leaving(old), joined: (next) => this.joined(next) });
          return makeAssigner(assignment, cluster as unknown as InternalCluster, () => {
            const { generation } = this;
            return generation === null ? null : { generation: generation.id, owned: generation.owned };
          });
        },
      ],
    });
    this.client = client;
    const alive = () => void (this.lastSignMs = Date.now());
    client.on(client.events.HEARTBEAT, () => void (this.lastBeatMs = Date.now()));
    client.on(client.events.FETCH, alive);
    client.on(client.events.REBALANCING, alive);
    client.on(client.events.STOP, () => this.ended());
    client.on(client.events.CRASH, ({ payload }) => this.crashed(client, payload.error, payload.restart));
    await client.connect();
    await client.subscribe({ topics: [...topics.keys()], fromBeginning: from === 'earliest' });
    await client.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: (payload) => this.take(payload) });
  }

  private async disconnect(): Promise<void> {
    const { client, cluster } = this;
    this.client = null;
    if (cluster !== null) hooksOf.delete(cluster);
    if (client === null) return;
    const end = new AbortController();
    const left = client.disconnect().catch((error: unknown) => {
      this.logger.debug({ err: error, group: this.options.group }, 'leaving a group failed');
    });
    await Promise.race([left, wait(LEAVE_MS, undefined, { signal: end.signal }).catch(() => undefined)]);
    end.abort();
  }

  /** The client's callback: into the queue and back, so that fetching and heartbeats never wait for a handler. */
  private take({ batch, resolveOffset }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    const { generation } = this;
    const held = generation?.find(topic, partition);
    if (generation === null || held === undefined || this.stopped !== null) return Promise.resolve();
    const { fetchedOffset } = batch as unknown as { fetchedOffset: { toString(): string } };
    // Of a fetch that the rebalance overtook: to take it would skip what was committed less far.
    if (fetchedOffset.toString() !== generation.nextFetch(topic, partition)) return Promise.resolve();
    const name = this.options.topics.get(topic) ?? topic;
    held.queue.push(batch.messages.map((message) => toRecord(name, partition, message as unknown as FetchedMessage)));
    resolveOffset(batch.lastOffset());
    if (held.queue.full) generation.pause(held);
    return Promise.resolve();
  }

  private async leaving(group: InternalGroup): Promise<void> {
    this.lastSignMs = Date.now();
    // After a restart the client joins as a new member: heartbeats for the old one would keep it from being buried.
    if (group !== this.group) this.group = null;
    const { generation } = this;
    if (generation === null) return;
    generation.revokeAll();
    const settled = [...generation.held].map(([name, { queue }]) => {
      const before = Promise.all([this.settling.get(name), queue.stop()]).then(() => {
        if (this.settling.get(name) === before) this.settling.delete(name);
        return undefined;
      });
      this.settling.set(name, before);
      return before;
    });
    const end = new AbortController();
    const late = wait(SETTLE_MS, 'late', { signal: end.signal }).catch(() => undefined);
    if ((await Promise.race([Promise.all(settled), late])) === 'late') {
      this.logger.warn({ group: this.options.group }, 'a rebalance did not wait longer for handlers in hand');
    }
    end.abort();
  }

  private joined(group: InternalGroup): void {
    this.lastSignMs = Date.now();
    this.lastBeatMs = Date.now();
    this.group = group;
    const count = group.assigned().reduce((sum, { partitions }) => sum + partitions.length, 0);
    const maxChars = Math.min(MAX_PARTITION_CHARS, Math.floor(MAX_WAITING_CHARS / Math.max(1, count)));
    const generation = new Generation(group, { maxRecords: this.options.maxRecords, maxChars }, this.logger);
    this.generation = generation;
    if (this.stopped !== null) {
      generation.pauseAll();
      return;
    }
    void this.begin(generation);
  }

  private async begin(generation: Generation): Promise<void> {
    try {
      const committed = await this.committedOf(generation);
      if (committed === null) return;
      const claims = [...generation.held].map(([name, held]) => {
        const topic = this.options.topics.get(held.topic) ?? held.topic;
        const metadata = committed.get(name)?.metadata ?? null;
        return { name, held, claim: generation.claim(held, topic, metadata, () => Date.now() - this.lastBeatMs) };
      });
      this.handlers.onAssigned?.(claims.map(({ claim }) => claim));
      for (const { name, held, claim } of claims) {
        const start = () => held.queue.start(claim, this.handlers, (error) => this.fail(error));
        void this.beginPartition(generation, name, start);
      }
      await this.lookForHoles(generation, committed);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Asks until it is answered: the log may be away for long. `null`: the generation is over. */
  private async committedOf(generation: Generation): Promise<ReadonlyMap<string, Committed> | null> {
    const over = () => this.generation !== generation || this.stopped !== null;
    while (!over()) {
      try {
        const committed = await generation.committed();
        return over() ? null : committed;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.logger.warn({ err: error, group: this.options.group }, 'cannot read committed offsets, will try again');
        await wait(ASK_AGAIN_MS);
      }
    }
    return null;
  }

  /** A position that retention has passed is a loss, and is told as one: the client only goes on at the earliest record. */
  private async lookForHoles(generation: Generation, committed: ReadonlyMap<string, Committed>): Promise<void> {
    try {
      const earliest = await generation.earliest();
      for (const [name, { offset }] of committed) {
        const first = earliest.get(name) ?? 0;
        if (offset === null || offset >= first) continue;
        const hole = { group: this.options.group, partition: name, committed: offset, earliest: first };
        this.logger.error(hole, 'a hole: retention passed the committed position');
      }
    } catch (error) {
      this.logger.debug({ err: error, group: this.options.group }, 'looking for holes failed');
    }
  }

  /** The handlers of one partition are strictly one after another, over generations too. */
  private async beginPartition(generation: Generation, name: string, start: () => void): Promise<void> {
    await this.settling.get(name);
    if (this.generation === generation && this.stopped === null) start();
  }

  private async beat(): Promise<void> {
    try {
      await this.group?.heartbeat({ interval: Math.floor(this.options.sessionTimeoutMs / 4) });
    } catch {
      // The client's own heartbeat meets the same answer and acts on it.
    }
  }

  /** The client's own crash policy: what a repetition may mend it restarts by itself, over and over. */
  private crashed(client: Client, error: Error, restart: boolean): void {
    if (client !== this.client) return;
    this.lastSignMs = Date.now();
    this.ended();
    if (!restart && this.closed === null) this.fail(toLogError(error, `consuming as group ${this.options.group}`));
  }

  /** The client is no member any more. */
  private ended(): void {
    this.group = null;
    this.generation?.revokeAll();
  }

  private watch(): void {
    const silentMs = Date.now() - this.lastSignMs;
    if (silentMs < WATCHDOG_MS || this.closed !== null) return;
    this.logger.error({ group: this.options.group, silentMs }, 'the Kafka client is stuck: making it anew');
    this.lastSignMs = Date.now();
    this.ended();
    void this.reconnect();
  }

  private async reconnect(): Promise<void> {
    await this.disconnect();
    if (this.closed !== null) return;
    try {
      await this.connect();
    } catch (error) {
      // The watchdog comes back.
      this.logger.warn({ err: error, group: this.options.group }, 'making the Kafka client anew failed');
    }
  }

  private fail(error: Error): void {
    if (this.closed !== null) return;
    void this.close();
    this.handlers.onCrash(error);
  }
}
