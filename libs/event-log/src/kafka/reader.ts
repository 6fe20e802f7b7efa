import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Consumer as Client, Kafka } from 'kafkajs';
import { LogUnavailableError } from '../errors.js';
import type { LogRecord } from '../port.js';
import { RETRY } from './client.js';
import { toLogError } from './errors.js';
import type { InternalCluster } from './internals.js';
import { makeAssigner } from './assigners.js';
import { toRecord } from './record.js';

const FETCH_WAIT_MS = 250;
const MAX_PARTITION_BYTES = 1_048_576;
const MAX_BYTES = 10_485_760;
const READ_UNCOMMITTED = 0;
const ATTEMPTS = 8;
const FIRST_DELAY_MS = 50;

/** Where to read on in one partition, and where to end: `null` follows. */
export interface Cursor {
  readonly partition: number;
  next: number;
  readonly end: number | null;
}

/**
 * Reads partitions without a group: nothing joins, nothing commits, nothing is left behind on the broker.
 * `topic` as the broker knows it; `name` as the records show it.
 */
export class Reader {
  private readonly client: Client;
  private cluster!: InternalCluster;

  constructor(
    kafka: Kafka,
    private readonly topic: string,
    private readonly name: string,
    private readonly cursors: readonly Cursor[],
    private readonly signal: AbortSignal,
  ) {
    // A consumer that never runs is a connection to the cluster, and no member of any group.
    this.client = kafka.consumer({
      groupId: `never-joined-${randomUUID()}`,
      allowAutoTopicCreation: false,
      retry: RETRY,
      partitionAssigners: [
        ({ cluster }) => {
          this.cluster = cluster as unknown as InternalCluster;
          return makeAssigner('shared', this.cluster, () => null);
        },
      ],
    });
  }

  async *read(): AsyncGenerator<readonly LogRecord[]> {
    try {
      await this.attempt(async () => {
        await this.client.connect();
        await this.cluster.addMultipleTargetTopics([this.topic]);
      });
      for (;;) {
        const open = this.cursors.filter(({ next, end }) => end === null || next < end);
        if (open.length === 0 || this.signal.aborted) return;
        for (const records of (await this.attempt(() => this.fetch(open))) ?? []) {
          if (this.signal.aborted) return;
          yield records;
        }
      }
    } finally {
      await this.client.disconnect().catch(() => undefined);
    }
  }

  /** One round over all leaders. */
  private async fetch(open: readonly Cursor[]): Promise<LogRecord[][]> {
    await this.cluster.refreshMetadataIfNecessary();
    const leaders = this.cluster.findLeaderForPartitions(
      this.topic,
      open.map(({ partition }) => partition),
    );
    const rounds = Object.entries(leaders).map(async ([nodeId, partitions]) => {
      const broker = await this.cluster.findBroker({ nodeId });
      const mine = open.filter(({ partition }) => partitions.includes(partition));
      const { responses } = await broker.fetch({
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        isolationLevel: READ_UNCOMMITTED,
        topics: [
          {
            topic: this.topic,
            partitions: mine.map(({ partition, next }) => ({
              partition,
              fetchOffset: String(next),
              maxBytes: MAX_PARTITION_BYTES,
            })),
          },
        ],
      });
      return responses.flatMap((response) => response.partitions);
    });
    const answers = (await Promise.all(rounds)).flat();
    return answers
      .map(({ partition, messages }) => {
        const cursor = open.find((one) => one.partition === partition);
        if (cursor === undefined) return [];
        const { next, end } = cursor;
        // A compressed batch comes whole, also when the wanted offset is in its middle.
        const fresh = messages.filter(({ offset }) => Number(offset) >= next);
        const last = fresh.at(-1);
        if (last === undefined) return [];
        cursor.next = Number(last.offset) + 1;
        return fresh
          .filter(({ offset, isControlRecord }) => isControlRecord !== true && (end === null || Number(offset) < end))
          .map((message) => toRecord(this.name, partition, message));
      })
      .filter((records) => records.length > 0);
  }

  /** Again while the world fails. `undefined`: the reader was told to end. */
  private async attempt<T>(step: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await step();
      } catch (error) {
        const failure = toLogError(error, `reading ${this.name}`);
        if (!(failure instanceof LogUnavailableError) || attempt === ATTEMPTS) throw failure;
        await wait(FIRST_DELAY_MS * 2 ** attempt, undefined, { signal: this.signal }).catch(() => undefined);
        if (this.signal.aborted) return undefined;
        await this.cluster.refreshMetadata().catch(() => undefined);
      }
    }
  }
}
