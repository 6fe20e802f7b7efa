import { topics, type Lane } from '@libs/contracts';
import { LogUnavailableError, type EventLog, type LogRecord } from '@libs/event-log';
import { createMetrics, Health } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEAD_LETTERS_CHECK, SafetyStop } from './safety-stop.js';

const FAILED = 'mapping.expression_failed';
const MINUTE_MS = 60_000;

/** The commands of a log that may be away. */
class Commands implements Pick<EventLog, 'read' | 'offsets'> {
  isAway = false;
  private readonly records: LogRecord[] = [];
  private wake = () => {};

  give(type: string, data: unknown, timestampMs = Date.now()): void {
    const value = JSON.stringify({ id: `command-${this.records.length}`, type, data });
    const place = { topic: topics.commands.name, partition: 0, offset: this.records.length };
    this.records.push({ ...place, key: 'dead-letters', value, headers: {}, timestampMs });
    this.wake();
  }

  breakDown(): void {
    this.isAway = true;
    this.wake();
  }

  offsets(): Promise<Array<{ partition: number; earliest: number; next: number }>> {
    if (this.isAway) return Promise.reject(new LogUnavailableError('away'));
    return Promise.resolve([{ partition: 0, earliest: 0, next: this.records.length }]);
  }

  async *read(_: unknown, options: Parameters<EventLog['read']>[1] = {}): AsyncGenerator<readonly LogRecord[]> {
    let next = options.from?.[0] ?? 0;
    while (options.signal?.aborted !== true) {
      if (this.isAway) throw new LogUnavailableError('away');
      const records = this.records.slice(next);
      next += records.length;
      if (records.length > 0) yield records;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
          options.signal?.addEventListener('abort', () => resolve(), { once: true });
        });
      }
    }
  }
}

const logger = { info: vi.fn(), warn: vi.fn(), error: vi.fn() };
let commands: Commands;
let health: Health;
let metrics: ReturnType<typeof createMetrics>;
let stop: SafetyStop;
let continued: number;

const dead = (count: number, code = FAILED) => new Map([[code, count]]);
const none = new Map<string, number>();
const check = () => health.report().checks.find(({ name }) => name === DEAD_LETTERS_CHECK);
const gauge = async () =>
  Object.fromEntries((await metrics.safetyStop.get()).values.map(({ labels, value }) => [labels.lane, value]));
const stopped = () => (['realtime', 'backfill'] satisfies Lane[]).filter((lane) => stop.stopped(lane));
const soon = () => vi.advanceTimersByTimeAsync(0);

function begin(stage: 'mapper' | 'writer' = 'mapper', percent = 25): void {
  stop = new SafetyStop({ log: commands, health, metrics, logger, stage }, { percent, windowMs: MINUTE_MS });
  continued = 0;
  stop.onContinue(() => (continued += 1));
  stop.start();
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime('2026-11-24T12:00:00Z');
  vi.clearAllMocks();
  commands = new Commands();
  health = new Health();
  metrics = createMetrics();
  begin();
});

afterEach(async () => {
  await Promise.all([stop.close(), vi.advanceTimersByTimeAsync(10_000)]);
  vi.useRealTimers();
});

describe('SafetyStop', () => {
  it('stops the lane in which too much dies, and only that', async () => {
    stop.note('backfill', { ended: 400, dead: dead(99) });
    stop.note('realtime', { ended: 400, dead: none });
    expect(stopped()).toEqual([]);
    expect(health.ready).toBe(true);
    stop.note('backfill', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual([]); // 100 of 401 are not more than 25 %
    stop.note('backfill', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual(['backfill']);
    expect(health.ready).toBe(false);
    expect(await gauge()).toEqual({ realtime: 0, backfill: 1 });
  });

  it('forgets what is older than its window', () => {
    stop.note('realtime', { ended: 99, dead: dead(99) });
    vi.advanceTimersByTime(MINUTE_MS);
    stop.note('realtime', { ended: 99, dead: dead(99) });
    expect(stopped()).toEqual([]);
    vi.advanceTimersByTime(MINUTE_MS / 2);
    stop.note('realtime', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual(['realtime']);
  });

  it('is not set off by good records, also when those that outnumbered the dead are too old to count', () => {
    stop.note('realtime', { ended: 10_000, dead: none });
    vi.advanceTimersByTime(MINUTE_MS - 1_000);
    stop.note('realtime', { ended: 200, dead: dead(200) });
    vi.advanceTimersByTime(2_000);
    stop.note('realtime', { ended: 1, dead: none });
    expect(stopped()).toEqual([]);
    stop.note('realtime', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual(['realtime']);
  });

  it('never stops at 100 percent', () => {
    begin('writer', 100);
    stop.note('realtime', { ended: 5_000, dead: dead(5_000) });
    expect(stop.wouldTrip('realtime', { ended: 5_000, dead: dead(5_000) })).toBe(false);
    expect(stopped()).toEqual([]);
  });

  it('says what happened, what the code means and what to do, once', () => {
    stop.note('backfill', { ended: 500, dead: new Map([...dead(300), ['mapping.type_mismatch', 20]]) });
    stop.note('backfill', { ended: 500, dead: dead(500) });
    expect(check()).toEqual({
      name: 'dead-letters',
      ok: false,
      detail:
        'the backfill lane is not read since 2026-11-24T12:00:00.000Z: 320 of 500 records (64 %) of 60 s ended as dead letters, ' +
        'most with mapping.expression_failed: An expression of the mapping cannot be evaluated for this record. ' +
        'Correct the expression that the message names, then redrive; sync mapping preview shows it at work. ' +
        'Correct the mapping: reading goes on by itself as soon as the new file is in force, with nothing lost. ' +
        '"sync dead-letters continue" lets it go on as it is; ' +
        '"sync dead-letters redrive --code mapping.expression_failed" brings back, after the correction, what is dead already.',
    });
    expect(logger.error).toHaveBeenCalledTimes(1);
  });

  it('says that the writer does not go on by a correction alone', () => {
    begin('writer');
    stop.note('realtime', { ended: 100, dead: dead(100, 'iterable.field_type_mismatch') });
    expect(check()?.detail).toContain('what waits was mapped before, and may still become dead letters');
  });

  it('looks ahead without counting', () => {
    stop.note('realtime', { ended: 60, dead: dead(60) });
    for (const _ of [1, 2]) {
      expect(stop.wouldTrip('realtime', { ended: 40, dead: dead(40) })).toBe(true);
      expect(stop.wouldTrip('realtime', { ended: 39, dead: dead(39) })).toBe(false);
      expect(stop.wouldTrip('backfill', { ended: 40, dead: dead(40) })).toBe(false);
    }
    expect(stopped()).toEqual([]);
  });

  it('holds back what would be too much: the lane is stopped, and it is not counted as dead', () => {
    stop.note('realtime', { ended: 60, dead: dead(60) });
    expect(stop.holdBack('realtime', { ended: 39, dead: dead(39) })).toBe(false);
    expect(stopped()).toEqual([]);
    expect(stop.holdBack('realtime', { ended: 400, dead: dead(400) })).toBe(true);
    expect(stopped()).toEqual(['realtime']);
    expect(check()?.detail).toContain(
      '460 of 460 records (100 %) of 60 s ended as dead letters, had the last of them not been held back',
    );
    // As long as the lane is stopped nothing of it dies
    expect(stop.holdBack('realtime', { ended: 5, dead: dead(1) })).toBe(true);
    expect(stop.holdBack('realtime', { ended: 5, dead: none })).toBe(false);
  });

  it('goes on anew when what was counted says nothing any more', async () => {
    stop.note('backfill', { ended: 100, dead: dead(100) });
    stop.restart();
    expect(stopped()).toEqual([]);
    expect(continued).toBe(1);
    expect(check()).toEqual({ name: 'dead-letters', ok: true });
    expect(await gauge()).toEqual({ realtime: 0, backfill: 0 });
    stop.note('backfill', { ended: 99, dead: dead(99) });
    expect(stopped()).toEqual([]);
    stop.note('backfill', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual(['backfill']);
    stop.restart();
    stop.restart(); // nothing was stopped: nobody is called
    expect(continued).toBe(2);
  });
});

describe('dead-letters.continue', () => {
  it('lets everything go on for so long, then stops again', async () => {
    await soon();
    stop.note('backfill', { ended: 100, dead: dead(100) });
    commands.give('dead-letters.continue', { minutes: 5 });
    await soon();
    expect(stopped()).toEqual([]);
    expect(continued).toBe(1);
    expect(check()).toMatchObject({
      ok: true,
      warning: true,
      detail: expect.stringContaining('off until 2026-11-24T12:05:00.000Z'),
    });
    for (const lane of ['backfill', 'realtime'] as const) {
      expect(stop.holdBack(lane, { ended: 500, dead: dead(500) })).toBe(false);
      stop.note(lane, { ended: 500, dead: dead(500) });
    }
    expect(stopped()).toEqual([]);
    await vi.advanceTimersByTimeAsync(5 * MINUTE_MS);
    expect(check()).toEqual({ name: 'dead-letters', ok: true });
    stop.note('backfill', { ended: 99, dead: dead(99) }); // those of the time when it was off do not count
    expect(stopped()).toEqual([]);
    stop.note('backfill', { ended: 1, dead: dead(1) });
    expect(stopped()).toEqual(['backfill']);
  });

  it('given again, counts from then', async () => {
    await soon();
    commands.give('dead-letters.continue', { minutes: 10 });
    await vi.advanceTimersByTimeAsync(8 * MINUTE_MS);
    commands.give('dead-letters.continue', {});
    await vi.advanceTimersByTimeAsync(9 * MINUTE_MS);
    stop.note('backfill', { ended: 100, dead: dead(100) });
    expect(stopped()).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    stop.note('backfill', { ended: 100, dead: dead(100) });
    expect(stopped()).toEqual(['backfill']);
  });

  it('holds for the rest of its time after a restart, and no longer', async () => {
    commands.give('dead-letters.continue', { minutes: 5 });
    await vi.advanceTimersByTimeAsync(4 * MINUTE_MS);
    await Promise.all([stop.close(), soon()]);
    begin();
    await soon();
    expect(check()?.detail).toContain('off until 2026-11-24T12:05:00.000Z');
    stop.note('backfill', { ended: 100, dead: dead(100) });
    expect(stopped()).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    stop.note('backfill', { ended: 100, dead: dead(100) });
    expect(stopped()).toEqual(['backfill']);
    await Promise.all([stop.close(), soon()]);
    begin();
    await soon();
    stop.note('backfill', { ended: 100, dead: dead(100) });
    expect(stopped()).toEqual(['backfill']);
  });

  it('counts from when it is heard, whatever the clock of whoever gave it', async () => {
    await soon();
    commands.give('dead-letters.continue', { minutes: 5 }, Date.now() - 60 * MINUTE_MS);
    await soon();
    expect(check()?.detail).toContain('off until 2026-11-24T12:05:00.000Z');
  });

  it.each([
    ['another command', 'dead-letters.redrive', { codes: [FAILED] }],
    ['no time', 'dead-letters.continue', { minutes: 0 }],
    ['more than a day', 'dead-letters.continue', { minutes: 1_441 }],
    ['what it does not know', 'dead-letters.continue', { minutes: 1, lane: 'backfill' }],
  ])('is not obeyed for %s', async (_, type, data) => {
    await soon();
    stop.note('backfill', { ended: 100, dead: dead(100) });
    commands.give(type, data);
    await soon();
    expect(stopped()).toEqual(['backfill']);
  });

  it('is heard after an outage of the log, also if it was given while we could not hear', async () => {
    await soon();
    stop.note('backfill', { ended: 100, dead: dead(100) });
    commands.breakDown();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(logger.warn.mock.calls.length).toBeGreaterThan(10);
    commands.give('dead-letters.continue', { minutes: 5 });
    await vi.advanceTimersByTimeAsync(30_000);
    expect(stopped()).toEqual(['backfill']);
    commands.isAway = false;
    await vi.advanceTimersByTimeAsync(4_000);
    expect(stopped()).toEqual([]);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(continued).toBe(1); // heard once
  });

  it('stops the process when it cannot be followed because of a bug', async () => {
    await Promise.all([stop.close(), soon()]);
    commands.offsets = () => Promise.reject(new TypeError('a bug'));
    begin();
    await soon();
    expect(health.live).toBe(false);
  });
});
