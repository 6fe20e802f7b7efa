import { createHash } from 'node:crypto';
import {
  MAX_FAN_OUT_IDS,
  type BackfillStart,
  type BatchEntry,
  type ChangeSource,
  type Command,
  type Lane,
  type RecordBatch,
  type RecordChange,
} from '@libs/contracts';
import type { Reader } from './readers.js';

/** Most records that one batch of causes turns into changes at once. Invariant 6: more take the backfill lane, as a job. */
export const MAX_RECORDS_AT_ONCE = 1_000;

/** Changes after which a record itself may be another one, so that those who show it are too. */
const NEWS: ReadonlySet<ChangeSource> = new Set(['cdc', 'catch-up', 'redrive']);

/**
 * The entries of a batch whose dependents must follow. Of an object that is not mapped: all, for nothing else happens to them.
 * Of a mapped one: not those that were only read again, by a backfill or because of a parent, for they are what they were.
 */
export function causesOf(batch: RecordBatch, isMapped: boolean): readonly BatchEntry[] {
  if (!isMapped) return batch.entries;
  return batch.entries.filter(({ sources }) => sources === undefined || sources.some((source) => NEWS.has(source)));
}

/** The changes of the records that show the causes. They are as old as the oldest cause: latency counts from there. */
export function changesOf(
  ids: Iterable<string>,
  object: string,
  { causes, lane }: { readonly causes: readonly BatchEntry[]; readonly lane: Lane },
): RecordChange[] {
  const commitTimestamp = Math.min(...causes.map((cause) => cause.oldestCommitTimestamp));
  return [...ids].map((recordId) => ({
    recordType: object,
    recordId,
    changeType: 'SNAPSHOT',
    source: 'fan-out',
    lane,
    commitTimestamp,
  }));
}

/**
 * Hands those who show the causes over to the backfill service. The ids of the jobs follow from what changed and who shows
 * it, so that a batch delivered twice starts them once, and later changes of the same records start others.
 */
export function jobsOf(from: string, { object, lookup }: Reader, causes: readonly BatchEntry[]): Command[] {
  const jobs: Command[] = [];
  for (let start = 0; start < causes.length; start += MAX_FAN_OUT_IDS) {
    const some = causes.slice(start, start + MAX_FAN_OUT_IDS);
    const named = some.map(({ recordId, offsets, newestCommitTimestamp }) => [
      recordId,
      offsets,
      newestCommitTimestamp,
    ]);
    const hash = createHash('sha256')
      .update(JSON.stringify([from, object, lookup, named]))
      .digest('hex');
    const ids = some.map((cause) => cause.recordId);
    const data = { object, fanOut: { from, ids, through: lookup } } satisfies BackfillStart;
    jobs.push({ id: `fan-out-${from}-${object}-${hash.slice(0, 16)}`, type: 'backfill.start', data, by: 'mapper' });
  }
  return jobs;
}
