import { setTimeout as delay } from 'node:timers/promises';
import { decodeBatcherProgress, groupOf, topics } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { countFrom, type RangesByPartition } from './core/offset-ranges.js';

/** Most backfilled ids that wait in `salesforce.changes.v1` at a time. Invariant 6: a real-time change never queues behind more. */
export const MAX_WAITING_IDS = 10_000;

/** How often the batcher's position is asked for while there is no room. Milliseconds. */
const ASK_EVERY_MS = 100;

/** How many of the published ids the batcher has not emitted yet. */
async function waitingIds(log: EventLog, published: readonly RangesByPartition[]): Promise<number> {
  const committed = await log.committed(groupOf('batcher'), topics.changes);
  let waiting = 0;
  for (const { partition, offset, metadata } of committed) {
    const emittedTo = Math.max(offset ?? 0, decodeBatcherProgress(metadata)?.backfillEmittedTo ?? 0);
    for (const ranges of published) waiting += countFrom(ranges[partition], emittedTo);
  }
  return waiting;
}

/** Resolves when `count` more ids may be published (invariant 5: a slow sink slows the source); returns early when aborted. */
export async function waitForRoom(
  log: EventLog,
  published: () => readonly RangesByPartition[],
  count: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted && (await waitingIds(log, published())) + count > MAX_WAITING_IDS) {
    await delay(ASK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
