import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SyncError, type Lane, type RecordBatch, type RecordChange } from '@libs/contracts';
import type { Batch, Claim, EventLog, Outgoing } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { Windows } from './windows.js';

class Outage extends SyncError {
  readonly code = 'event-log.unavailable';
  readonly retryable = true;
}

/** A log of which only `append` is used: keeps what it was given, and fails while told to. */
class FakeLog {
  readonly appended: Array<Outgoing<RecordBatch>> = [];
  failWith: Error | null = null;

  async append(messages: ReadonlyArray<Outgoing<RecordBatch>>): Promise<[]> {
    if (this.failWith !== null) throw this.failWith;
    this.appended.push(...messages);
    return [];
  }

  recordsOf(topic: string): string[][] {
    return this.appended
      .filter((message) => message.topic.name === topic)
      .map((message) => message.value?.entries.map((entry) => entry.recordId) ?? []);
  }
}

class FakeClaim implements Claim {
  readonly topic = 'salesforce.changes.v1';
  readonly commits: Array<[number, string | undefined]> = [];
  private readonly abortion = new AbortController();
  readonly signal = this.abortion.signal;

  constructor(readonly partition = 0) {}

  async commit(nextOffset: number, metadata?: string): Promise<void> {
    this.commits.push([nextOffset, metadata]);
  }

  heartbeatAgeMs(): number {
    return 0;
  }

  takeAway(): void {
    this.abortion.abort();
  }
}

const recordId = (n: number) => `00Q5f00000${String(n).padStart(5, '0')}`;

function batchOf(claim: Claim, from: number, records: number[], lane: Lane = 'realtime'): Batch<RecordChange> {
  return {
    topic: claim.topic,
    partition: claim.partition,
    nextOffset: from + records.length,
    claim,
    records: records.map((n, index) => ({
      topic: claim.topic,
      partition: claim.partition,
      offset: from + index,
      key: recordId(n),
      headers: {},
      timestampMs: 0,
      value: {
        recordType: 'Lead',
        recordId: recordId(n),
        changeType: 'UPDATE',
        source: 'cdc',
        lane,
        commitTimestamp: 1,
      },
    })),
  };
}

function setUp(options = { windowMs: 60_000, maxRecords: 10 }) {
  const log = new FakeLog();
  const health = new Health();
  const windows = new Windows(log as unknown as EventLog, options, {
    metrics: createMetrics(),
    health,
    logger: createLogger('test', 'silent'),
  });
  return { log, health, windows };
}

const REALTIME = 'sync.batches.realtime.v1';
const BACKFILL = 'sync.batches.backfill.v1';

describe('Windows', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 130_000 }); // ten seconds into the window from 120,000 to 180,000
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('closes a real-time window on the minute, with one entry a record, and commits then', async () => {
    const { log, windows } = setUp();
    const claim = new FakeClaim();
    await windows.take(batchOf(claim, 7, [1, 2, 1]));
    await vi.advanceTimersByTimeAsync(49_999);
    expect(log.appended).toEqual([]);
    expect(claim.commits).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(2), recordId(1)]]);
    expect(log.appended[0]?.value).toMatchObject({ windowStart: 120_000, windowEnd: 180_000 });
    expect(claim.commits.map(([next]) => next)).toEqual([10]);
  });

  it('closes early at the limit of distinct records, not of changes', async () => {
    const { log, windows } = setUp({ windowMs: 60_000, maxRecords: 3 });
    const claim = new FakeClaim();
    await windows.take(batchOf(claim, 0, [1, 1, 1, 2, 2]));
    await vi.advanceTimersByTimeAsync(0);
    expect(log.appended).toEqual([]);
    await windows.take(batchOf(claim, 5, [3, 4]));
    await vi.advanceTimersByTimeAsync(0);
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(1), recordId(2), recordId(3)]]);
    expect(claim.commits.map(([next]) => next)).toEqual([6]); // 4 is in the next window
  });

  it('closes backfill after a second, and says how far it came though an open window holds the position', async () => {
    const { log, windows } = setUp();
    const claim = new FakeClaim(2);
    await windows.take(batchOf(claim, 0, [1]));
    await windows.take(batchOf(claim, 1, [5, 6], 'backfill'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(log.recordsOf(BACKFILL)).toEqual([[recordId(5), recordId(6)]]);
    expect(log.recordsOf(REALTIME)).toEqual([]);
    expect(log.appended[0]).toMatchObject({ key: '2', partition: 2 });
    expect(claim.commits).toEqual([[0, '{"backfillEmittedTo":3}']]);
    await vi.advanceTimersByTimeAsync(49_000);
    expect(claim.commits.at(-1)).toEqual([3, '{"backfillEmittedTo":3}']);
  });

  it('waits out an outage of the log and commits only what is durable', async () => {
    const { log, health, windows } = setUp();
    const claim = new FakeClaim();
    log.failWith = new Outage('broker gone');
    await windows.take(batchOf(claim, 0, [1]));
    await vi.advanceTimersByTimeAsync(120_000);
    expect(claim.commits).toEqual([]);
    expect(health.ready).toBe(false);
    log.failWith = null;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(1)]]);
    expect(claim.commits.map(([next]) => next)).toEqual([1]);
    expect(health.ready).toBe(true);
  });

  it('drops a partition that is taken away: its new owner reads it again', async () => {
    const { log, windows } = setUp();
    const [lost, kept] = [new FakeClaim(0), new FakeClaim(1)];
    await windows.take(batchOf(lost, 0, [1]));
    await windows.take(batchOf(kept, 0, [2]));
    lost.takeAway();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(2)]]);
    expect(lost.commits).toEqual([]);
  });

  it('begins anew when the same partition comes back with a new claim', async () => {
    const { log, windows } = setUp();
    const [before, after] = [new FakeClaim(), new FakeClaim()];
    await windows.take(batchOf(before, 4, [1, 2]));
    before.takeAway();
    await windows.take(batchOf(after, 4, [1, 2, 3]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(1), recordId(2), recordId(3)]]);
    expect(after.commits.map(([next]) => next)).toEqual([7]);
  });

  it('takes no more than it may hold while the log is down (back-pressure)', async () => {
    const { log, windows } = setUp({ windowMs: 60_000, maxRecords: 2 });
    const claim = new FakeClaim();
    log.failWith = new Outage('broker gone');
    const outcome = { taken: 0 };
    const feed = (async () => {
      for (let n = 0; n < 40; n += 1) {
        await windows.take(batchOf(claim, n, [n]));
        outcome.taken += 1;
      }
    })();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(outcome.taken).toBe(16); // two lanes of 2 records, 4 changes each
    log.failWith = null;
    await vi.advanceTimersByTimeAsync(60_000);
    await feed;
    await windows.flushAll();
    expect(log.recordsOf(REALTIME).flat()).toHaveLength(40);
  });

  it('stops the process on a bug, with nothing committed', async () => {
    const { log, health, windows } = setUp();
    const claim = new FakeClaim();
    log.failWith = new TypeError('x is not a function');
    await windows.take(batchOf(claim, 0, [1]));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(health.live).toBe(false);
    expect(claim.commits).toEqual([]);
  });

  it('flushes open windows at once when asked, as at shutdown', async () => {
    const { log, windows } = setUp();
    const claim = new FakeClaim();
    await windows.take(batchOf(claim, 0, [1]));
    await windows.flushAll();
    expect(log.recordsOf(REALTIME)).toEqual([[recordId(1)]]);
    expect(claim.commits.map(([next]) => next)).toEqual([1]);
  });
});
