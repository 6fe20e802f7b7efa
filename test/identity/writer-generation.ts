import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { updateTopics, type Lane, type UserMessage } from '@libs/contracts';
import type { Claim } from '@libs/event-log';
import { createIterableClient } from '@libs/iterable';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { IdentityStore } from '../../apps/iterable-writer/src/identity-store.js';
import { Writer } from '../../apps/iterable-writer/src/writer.js';
import type { Rules } from './model.js';
import { PARTITIONS, type MemoryLog } from './memory-log.js';

export interface WriterSetting extends Rules {
  readonly settleMs: number;
  readonly usersPerRequest: number;
}

/** What survives a writer: the log and the positions that were committed. */
export interface Durable {
  readonly log: MemoryLog;
  /** Next offset to read, by lane and partition. */
  readonly committed: Record<Lane, number[]>;
}

/** Where a writer's store is; with another directory it restores all of it from the log. */
export const newDataDir = (): string => mkdtempSync(join(tmpdir(), 'identity-'));

const never = <T>(): Promise<T> => new Promise(() => {});

/**
 * One life of the real writer, from its assignment to its end. When it is killed nothing that it began has an effect any
 * more, but a call to Iterable on its way may have been applied, and what was appended but not committed is read again.
 */
export class WriterGeneration {
  private readonly writer: Writer;
  private readonly store: IdentityStore;
  private readonly lost = new AbortController();
  private readonly position: Record<Lane, number[]>;
  private readonly taking = new Set<string>();
  private readonly claims: Record<Lane, Claim[]>;
  private alive = true;

  constructor(
    private readonly durable: Durable,
    readonly dataDir: string,
    setting: WriterSetting,
    pause: () => Promise<void>,
  ) {
    this.position = { realtime: [...durable.committed.realtime], backfill: [...durable.committed.backfill] };
    const claims = (lane: Lane) => Array.from({ length: PARTITIONS }, (_, partition) => this.claimOf(lane, partition));
    this.claims = { realtime: claims('realtime'), backfill: claims('backfill') };
    this.store = IdentityStore.open({ dataDir, source: 'model' });
    const log = durable.log.facade(async (work) => {
      await pause();
      if (!this.alive) return never();
      const done = work();
      await pause();
      return this.alive ? done : never();
    });
    this.writer = new Writer(
      {
        log,
        client: createIterableClient({
          baseUrl: 'http://iterable.test',
          apiKey: 'key',
          timeoutMs: 30_000,
          userAgent: 'model',
        }),
        store: this.store,
        metrics: createMetrics(),
        health: new Health(),
        logger: createLogger('model', 'silent'),
      },
      {
        policy: { ...setting, onOptOut: 'unsubscribe' },
        usersPerRequest: setting.usersPerRequest,
        requestsPerSecond: 1_000,
        dryRun: false,
        newFields: 'project',
        seedFieldTypes: true,
        deadLetterStop: { percent: 100, windowMs: 60_000 },
        sessionTimeoutMs: 10_000,
      },
    );
    this.writer.start();
    this.writer.assigned([...this.claims.realtime, ...this.claims.backfill]);
  }

  /** Hands over up to `most` of the next messages, unless the ones before are still being taken. Returns how many. */
  deliver(lane: Lane, partition: number, most: number): number {
    const name = `${lane} ${partition}`;
    const from = this.position[lane][partition] ?? 0;
    const topic = updateTopics[lane];
    const records = this.durable.log.kept(topic, partition).slice(from, from + most);
    if (records.length === 0 || this.taking.has(name)) return 0;
    const nextOffset = from + records.length;
    this.position[lane][partition] = nextOffset;
    this.taking.add(name);
    const delivered = records.map((kept) => ({
      ...kept,
      headers: {},
      timestampMs: 0,
      value: structuredClone(kept.value) as UserMessage,
    }));
    const claim = this.claims[lane][partition] as Claim;
    const batch = { topic: topic.name, partition, records: delivered, nextOffset, claim };
    void this.writer.take(batch, lane).finally(() => this.taking.delete(name));
    return records.length;
  }

  /** Without warning. */
  kill(): void {
    this.alive = false;
    this.lost.abort();
    this.writer.stopTaking();
    this.store.close();
  }

  private claimOf(lane: Lane, partition: number): Claim {
    return {
      topic: updateTopics[lane].name,
      partition,
      signal: this.lost.signal,
      heartbeatAgeMs: () => 0,
      commit: (nextOffset) => {
        if (this.alive) this.durable.committed[lane][partition] = nextOffset;
        return Promise.resolve();
      },
    };
  }
}
