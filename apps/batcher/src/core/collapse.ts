import type { BatchEntry, RecordChange } from '@libs/contracts';

/** A change as taken from the log: what it says and its name, `partition:offset`. */
export interface TakenChange {
  readonly change: RecordChange;
  readonly offset: string;
}

/**
 * Collapses the changes of one window and partition to one entry for each record.
 *
 * Input: changes in log order; a record any number of times.
 * Output: one entry a record, in the order of each record's newest change; the change type is that of the newest by commit
 * (ties: the later in the log); offsets in log order; job ids distinct.
 */
export function collapse(changes: readonly TakenChange[]): BatchEntry[] {
  const byRecord = new Map<string, TakenChange[]>();
  for (const taken of changes) {
    const earlier = byRecord.get(taken.change.recordId);
    byRecord.delete(taken.change.recordId); // put in anew, so that the map stays in the order of the newest change
    byRecord.set(taken.change.recordId, earlier === undefined ? [taken] : push(earlier, taken));
  }
  return [...byRecord.values()].map(toEntry);
}

/** The list belongs to the map above: appending to it is not seen outside. */
function push(list: TakenChange[], taken: TakenChange): TakenChange[] {
  list.push(taken);
  return list;
}

function toEntry(changes: readonly TakenChange[]): BatchEntry {
  const [first, ...rest] = changes as readonly [TakenChange, ...TakenChange[]];
  let newest = first.change;
  let oldest = first.change.commitTimestamp;
  for (const { change } of rest) {
    if (change.commitTimestamp >= newest.commitTimestamp) newest = change;
    if (change.commitTimestamp < oldest) oldest = change.commitTimestamp;
  }
  return {
    recordId: newest.recordId,
    changeType: newest.changeType,
    offsets: changes.map((taken) => taken.offset),
    jobIds: [...new Set(changes.flatMap((taken) => taken.change.jobId ?? []))],
    oldestCommitTimestamp: oldest,
    newestCommitTimestamp: newest.commitTimestamp,
  };
}
