import type { RecordBatch } from '@libs/contracts';
import { collapse, type TakenChange } from './collapse.js';

export interface BatchLimits {
  /** Most entries in one batch. */
  readonly maxEntries: number;
  /** Most offsets in one batch: keeps the message far below the broker's limit of 1 MB. */
  readonly maxOffsets: number;
}

/** One entry is about 180 bytes and one offset about 14: with these a batch stays under 400 kB. */
export const batchLimits: BatchLimits = { maxEntries: 400, maxOffsets: 20_000 };

export interface ClosedWindow {
  readonly partition: number;
  readonly windowStart: number;
  readonly windowEnd: number;
  /** In log order. */
  readonly changes: readonly TakenChange[];
}

/**
 * The batches of a closed window: collapsed, grouped by object type, chunked.
 *
 * Output: every offset of the window in exactly one entry of one batch; a record in one batch only; no empty batch.
 * The id of a batch follows from its content, so that the same window emitted twice has the same ids.
 */
export function planBatches(window: ClosedWindow, limits: BatchLimits = batchLimits): RecordBatch[] {
  const byType = Map.groupBy(window.changes, (taken) => taken.change.recordType);
  return [...byType].flatMap(([recordType, changes]) =>
    chunk(collapse(changes), limits).map((entries) => ({
      batchId: `${recordType}-${entries[0]?.offsets[0]}-${entries.length}`,
      recordType,
      entries,
      windowStart: window.windowStart,
      windowEnd: window.windowEnd,
    })),
  );
}

function chunk<T extends { readonly offsets: readonly string[] }>(entries: readonly T[], limits: BatchLimits): T[][] {
  const chunks: T[][] = [];
  let current: T[] = [];
  let offsets = 0;
  for (const entry of entries) {
    const full = current.length >= limits.maxEntries || offsets + entry.offsets.length > limits.maxOffsets;
    if (current.length > 0 && full) {
      chunks.push(current);
      current = [];
      offsets = 0;
    }
    current.push(entry);
    offsets += entry.offsets.length;
  }
  if (current.length > 0) chunks.push(current);
  return chunks;
}
