import { batchTopics, encodeBatcherProgress, isRetryable, type Lane, lanes, type RecordChange } from '@libs/contracts';
import { OffsetTracker, type Batch, type Claim, type EventLog } from '@libs/event-log';
import type { Health, Logger, Metrics } from '@libs/observability';
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel';
import { planBatches, type ClosedWindow } from './core/plan-batches.js';
import type { TakenChange } from './core/collapse.js';
import { windowOf } from './core/window-bounds.js';

/** Backfilled changes wait no longer than this for company: they are not news. Milliseconds. */
const BACKFILL_WAIT_MS = 1_000;
/** Changes held for each distinct record allowed in a window: bounds memory when one record changes all the time. */
const CHANGES_PER_RECORD = 4;
/** Most changes that one entry may stand for, so that its message stays small. */
const MAX_ENTRY_OFFSETS = 10_000;

interface OpenWindow {
  readonly startedAt: number;
  readonly changes: TakenChange[];
  readonly offsets: number[];
  readonly seen: Map<string, number>;
}

/** What the windows of one lane share. */
interface LaneState {
  timer: NodeJS.Timeout | null;
  /** Distinct records and changes in open windows, over all partitions. */
  records: number;
  changes: number;
  /** The last flush begun: the next one waits for it, so that a record's batches keep their order. */
  lastFlush: Promise<void>;
}

function newLane(): LaneState {
  return { timer: null, records: 0, changes: 0, lastFlush: Promise.resolve() };
}

/** A partition in our hands for one generation. */
interface Held {
  readonly claim: Claim;
  readonly open: Map<Lane, OpenWindow>;
  /** What is taken and not yet emitted: of both lanes, for the commit, and of the backfill lane, for whoever waits for that one. */
  readonly tracker: OffsetTracker;
  readonly backfillTracker: OffsetTracker;
}

export interface WindowsOptions {
  readonly windowMs: number;
  readonly maxRecords: number;
}

/**
 * The open windows of this instance, per partition and lane. Changes stay in memory, uncommitted, until their batches are
 * durable; a partition that is taken away is dropped, and its new owner reads the changes again (Invariant 1).
 */
export class Windows {
  private readonly held = new Map<number, Held>();
  private readonly laneStates: Readonly<Record<Lane, LaneState>> = { realtime: newLane(), backfill: newLane() };
  private readonly roomWaiters: Array<() => void> = [];
  private unemitted = 0;

  constructor(
    private readonly log: EventLog,
    private readonly options: WindowsOptions,
    private readonly parts: { readonly metrics: Metrics; readonly health: Health; readonly logger: Logger },
  ) {}

  /** Takes a run of changes. Resolves when there was room for them (Invariant 5), not when they are emitted. */
  async take(batch: Batch<RecordChange>): Promise<void> {
    const held = this.hold(batch);
    await this.room(batch.claim.signal);
    if (held === null || batch.claim.signal.aborted) return;
    for (const { value: change, offset } of batch.records) this.add(held, change, offset);
    // Unreadable messages at the end of the run are dealt with already: the positions may pass them.
    held.tracker.passed(batch.nextOffset);
    held.backfillTracker.passed(batch.nextOffset);
    this.showWaiting();
  }

  /** Closes the windows of both lanes now and waits until their batches are durable. */
  async flushAll(): Promise<void> {
    await Promise.all(lanes.map((lane) => this.flush(lane)));
  }

  private hold({ claim, records, nextOffset }: Batch<RecordChange>): Held | null {
    if (claim.signal.aborted) return null;
    const known = this.held.get(claim.partition);
    if (known?.claim === claim) return known;
    if (known !== undefined) this.drop(known);
    const start = records[0]?.offset ?? nextOffset;
    const held: Held = {
      claim,
      open: new Map(),
      tracker: new OffsetTracker(start),
      backfillTracker: new OffsetTracker(start),
    };
    this.held.set(claim.partition, held);
    claim.signal.addEventListener('abort', () => this.drop(held), { once: true });
    return held;
  }

  private drop(held: Held): void {
    if (this.held.get(held.claim.partition) !== held) return;
    this.held.delete(held.claim.partition);
    for (const lane of lanes) this.freed(this.close(held, lane)?.changes.length ?? 0);
    this.showWaiting();
  }

  private add(held: Held, change: RecordChange, offset: number): void {
    held.tracker.took(offset);
    if (change.lane === 'backfill') held.backfillTracker.took(offset);
    let window = held.open.get(change.lane);
    if (window === undefined) {
      window = { startedAt: Date.now(), changes: [], offsets: [], seen: new Map() };
      held.open.set(change.lane, window);
      this.schedule(change.lane);
    }
    window.changes.push({ change, offset: `${held.claim.partition}:${offset}` });
    window.offsets.push(offset);
    const times = (window.seen.get(change.recordId) ?? 0) + 1;
    window.seen.set(change.recordId, times);
    const state = this.laneStates[change.lane];
    if (times === 1) state.records += 1;
    state.changes += 1;
    this.unemitted += 1;
    this.parts.metrics.batcherChanges.inc({ object: change.recordType, lane: change.lane });
    const full =
      state.records >= this.options.maxRecords || state.changes >= this.maxLaneChanges || times >= MAX_ENTRY_OFFSETS;
    if (full) void this.flush(change.lane);
  }

  private schedule(lane: Lane): void {
    const now = Date.now();
    const wait = lane === 'realtime' ? windowOf(now, this.options.windowMs).end - now : BACKFILL_WAIT_MS;
    this.laneStates[lane].timer ??= setTimeout(() => void this.flush(lane), wait);
  }

  private get maxLaneChanges(): number {
    return this.options.maxRecords * CHANGES_PER_RECORD;
  }

  /** Waits while as many changes are held as two full lanes: then at least one lane is being flushed and will free some. */
  private async room(signal: AbortSignal): Promise<void> {
    while (this.unemitted >= this.maxLaneChanges * lanes.length && !signal.aborted) {
      await new Promise<void>((resolve) => this.roomWaiters.push(resolve));
    }
  }

  private freed(count: number): void {
    this.unemitted -= count;
    for (const wake of this.roomWaiters.splice(0)) wake();
  }

  /** Takes the open window of a lane out of a partition. */
  private close(held: Held, lane: Lane): OpenWindow | undefined {
    const window = held.open.get(lane);
    held.open.delete(lane);
    this.laneStates[lane].records -= window?.seen.size ?? 0;
    this.laneStates[lane].changes -= window?.changes.length ?? 0;
    return window;
  }

  /** Closes the open windows of a lane and makes their batches durable, after those closed before. */
  private flush(lane: Lane): Promise<void> {
    const state = this.laneStates[lane];
    if (state.timer !== null) clearTimeout(state.timer);
    state.timer = null;
    const closed = [...this.held.values()].flatMap((held) => {
      const window = this.close(held, lane);
      return window === undefined ? [] : [{ held, window }];
    });
    state.lastFlush = state.lastFlush
      .then(() => this.emit(lane, closed))
      .catch((error: unknown) => this.parts.health.fail(error));
    return state.lastFlush;
  }

  private async emit(
    lane: Lane,
    closed: ReadonlyArray<{ readonly held: Held; readonly window: OpenWindow }>,
  ): Promise<void> {
    const now = Date.now();
    await Promise.all(
      closed.map(async ({ held, window }) => {
        const timer = this.parts.metrics.batcherFlushSeconds.startTimer({ lane });
        try {
          await this.makeDurable(lane, held, {
            partition: held.claim.partition,
            ...this.bounds(lane, window, now),
            changes: window.changes,
          });
        } finally {
          this.freed(window.changes.length);
          timer();
        }
        if (held.claim.signal.aborted) return;
        for (const offset of window.offsets) {
          held.tracker.done(offset);
          held.backfillTracker.done(offset);
        }
        // Invariant 1: the batches are durable, now the position may pass their changes.
        const progress = { backfillEmittedTo: held.backfillTracker.position() };
        await held.claim.commit(held.tracker.position(), encodeBatcherProgress(progress));
      }),
    );
    this.showWaiting();
  }

  private bounds(lane: Lane, window: OpenWindow, now: number) {
    const windowStart =
      lane === 'realtime' ? windowOf(window.startedAt, this.options.windowMs).start : window.startedAt;
    return { windowStart, windowEnd: Math.max(now, windowStart) };
  }

  /** Appends the batches of one closed window; an outage of the log is waited out, for as long as the partition is ours. */
  private async makeDurable(lane: Lane, held: Held, window: ClosedWindow): Promise<void> {
    const batches = planBatches(window);
    const messages = batches.map((value) => ({
      topic: batchTopics[lane],
      key: String(window.partition),
      partition: window.partition,
      value,
    }));
    const policy = retry(
      handleWhen((error) => {
        if (!isRetryable(error)) return false;
        this.parts.health.set('batches', false, 'the log does not take batches; trying again');
        return true;
      }),
      {
        maxAttempts: Number.POSITIVE_INFINITY,
        backoff: new ExponentialBackoff({ initialDelay: 200, maxDelay: 10_000 }),
      },
    );
    try {
      await policy.execute(() => this.log.append(messages), held.claim.signal);
    } catch (error) {
      if (held.claim.signal.aborted) return; // its new owner emits this window
      throw error;
    }
    this.parts.health.set('batches', true);
    for (const batch of batches)
      this.parts.metrics.batcherEntries.inc({ object: batch.recordType, lane }, batch.entries.length);
  }

  private showWaiting(): void {
    for (const lane of lanes) this.parts.metrics.batcherWindowRecords.set({ lane }, this.laneStates[lane].records);
  }
}
