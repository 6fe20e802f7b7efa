import { topics, type Topic } from '@libs/contracts';
import type { EventLog, LogRecord } from '@libs/event-log';
import type { Ends } from '../core/positions.js';
import { firstRecords } from './first-records.js';
import type { AllEnds } from './topic-ends.js';

/** How far back an account begins at the most, and with how many changes. What is older is out of it. */
export const LOOKBACK_MS = 24 * 60 * 60 * 1_000;
export const LOOKBACK_CHANGES = 2_000_000;
/** Timestamps are those of the hosts that append: clocks that differ by less lose no outcome. Milliseconds. */
const CLOCKS_MS = 10 * 60_000;
/** A time is looked for no closer than this: to begin a little earlier costs less than to look on. Messages. */
const CLOSE_ENOUGH = 1_000;

type Log = Pick<EventLog, 'read'>;

/** Where the account begins. */
export interface Beginning {
  readonly changes: ReadonlyMap<number, number>;
  readonly outcomes: ReadonlyMap<number, number>;
  /** Every change appended from then on is in the account. Epoch milliseconds. */
  readonly sinceMs: number;
}

/**
 * By partition, an offset at or shortly before the first record of a time on, between `from` and the end. Looks by halves: records are
 * in the order of time but for the differences of clocks.
 */
async function offsetsAt(
  log: Log,
  topic: Topic,
  { timeMs, from, ends }: { readonly timeMs: number; readonly from: ReadonlyMap<number, number>; readonly ends: Ends },
  signal: AbortSignal,
): Promise<Map<number, number>> {
  const low = new Map(from);
  const high = new Map([...ends].map(([partition, { next }]) => [partition, next]));
  const isOld = (record: LogRecord | undefined) => record !== undefined && record.timestampMs < timeMs;
  const firsts = await firstRecords(log, topic, { at: low, ends }, signal);
  for (const partition of low.keys()) if (!isOld(firsts.get(partition))) high.set(partition, low.get(partition) ?? 0);
  while (!signal.aborted) {
    const middles = new Map<number, number>();
    for (const [partition, start] of low) {
      const end = high.get(partition) ?? start;
      if (end - start > CLOSE_ENOUGH) middles.set(partition, Math.floor((start + end) / 2));
    }
    if (middles.size === 0) break;
    const found = await firstRecords(log, topic, { at: middles, ends }, signal);
    for (const [partition, middle] of middles) (isOld(found.get(partition)) ? low : high).set(partition, middle);
  }
  return low;
}

/**
 * Finds where an account begins: with the newest {@link LOOKBACK_CHANGES} changes that are no older than {@link LOOKBACK_MS} and that
 * the log still has, and with every outcome that may be of one of them.
 */
export async function findBeginning(
  log: Log,
  { changes: ends, outcomes: outcomeEnds }: Pick<AllEnds, 'changes' | 'outcomes'>,
  nowMs: number,
  signal: AbortSignal,
): Promise<Beginning> {
  const each = Math.ceil(LOOKBACK_CHANGES / Math.max(1, ends.size));
  const newest = new Map(
    [...ends].map(([partition, { earliest, next }]) => [partition, Math.max(earliest, next - each)]),
  );
  const changes = await offsetsAt(log, topics.changes, { timeMs: nowMs - LOOKBACK_MS, from: newest, ends }, signal);
  const firsts = await firstRecords(log, topics.changes, { at: changes, ends }, signal);
  const times = [...firsts.values()].map(({ timestampMs }) => timestampMs);
  const oldestMs = times.length === 0 ? nowMs : Math.min(...times);
  const all = new Map([...outcomeEnds].map(([partition, { earliest }]) => [partition, earliest]));
  const from = { timeMs: oldestMs - CLOCKS_MS, from: all, ends: outcomeEnds };
  const outcomes = await offsetsAt(log, topics.outcomes, from, signal);
  // A partition whose older changes are left out, or gone, is in the account from its first one on; another from ever.
  const cuts = [...firsts.values()].filter(({ offset }) => offset > 0).map(({ timestampMs }) => timestampMs);
  return { changes, outcomes, sinceMs: cuts.length === 0 ? oldestMs : Math.max(...cuts) };
}
