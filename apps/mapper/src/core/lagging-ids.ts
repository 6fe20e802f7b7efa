import type { BatchEntry, RecordBatch } from '@libs/contracts';
import { recordVersion, type CompiledMapping } from '@libs/mapping';
import type { FetchedRows } from './plan-batch.js';

const SECOND_MS = 1_000;

/** After these the row is expected to be gone. */
const REMOVALS: ReadonlySet<string> = new Set(['DELETE', 'GAP_DELETE']);

/**
 * The records whose row does not show their newest change yet: a change event can overtake the row by a moment.
 *
 * Change events say when a row must have changed, and so does what followed one: the stamps of the parents count as well. A
 * row that a backfill read is as it was read. Compared in whole seconds, which is what Salesforce's stamps have. A transaction
 * that took long gives a row that is older than its commit for good, and a lookup to several objects shows no stamp of its
 * parent, so asking again once is all that makes sense. Source: facts/salesforce.md §8, 15 and 16.
 */
export function laggingIds(batch: RecordBatch, rows: FetchedRows, compiled: CompiledMapping): string[] {
  return batch.entries.filter((entry) => lags(entry, rows, compiled)).map((entry) => entry.recordId);
}

function lags(entry: BatchEntry, rows: FetchedRows, compiled: CompiledMapping): boolean {
  const isEvent = entry.changeType !== 'SNAPSHOT';
  if (!isEvent && entry.sources?.includes('fan-out') !== true) return false;
  const fetched = rows.get(entry.recordId);
  if (fetched === undefined) return isEvent && !REMOVALS.has(entry.changeType);
  const version = recordVersion(fetched.row, compiled, fetched.fetchedAtMs);
  if (version === null) return false;
  return version.modstampMs < Math.floor(entry.newestCommitTimestamp / SECOND_MS) * SECOND_MS;
}
