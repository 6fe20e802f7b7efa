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
 * Output: one entry a record, in the order of each record's newest change; the change type is that of the newest event by commit
 * (ties: the later in the log), `SNAPSHOT` when there is none: a row that was read says nothing of what happened to it; offsets in log order; job ids and
 * sources distinct.
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
  let told = first.change;
  let oldest = first.change.commitTimestamp;
  let newest = oldest;
  for (const { change } of rest) {
    if (tellsMore(change, told)) told = change;
    oldest = Math.min(oldest, change.commitTimestamp);
    newest = Math.max(newest, change.commitTimestamp);
  }
  return {
    recordId: told.recordId,
    changeType: told.changeType,
    offsets: changes.map((taken) => taken.offset),
    jobIds: [...new Set(changes.flatMap((taken) => taken.change.jobId ?? []))],
    sources: [...new Set(changes.map((taken) => taken.change.source))],
    oldestCommitTimestamp: oldest,
    newestCommitTimestamp: newest,
  };
}

function tellsMore(later: RecordChange, earlier: RecordChange): boolean {
  const [isEvent, wasEvent] = [later.changeType !== 'SNAPSHOT', earlier.changeType !== 'SNAPSHOT'];
  return isEvent === wasEvent ? later.commitTimestamp >= earlier.commitTimestamp : isEvent;
}
