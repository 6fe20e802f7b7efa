import { topics } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';

/** Records of each partition looked at first; eight times as many each time that it was not enough. */
const FIRST_LOOK = 2_000;

/**
 * The newest commit of each object among the listener's own changes in the log, looked for from the end: what can be said of
 * a position that is lost. Objects without any are left out. Epoch milliseconds. Errors: the log's.
 */
export async function newestChanges(
  log: Pick<EventLog, 'read' | 'offsets'>,
  objects: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const ends = await log.offsets(topics.changes);
  for (let size = FIRST_LOOK; ; size *= 8) {
    const from = Object.fromEntries(
      ends.map(({ partition, earliest, next }) => [partition, Math.max(earliest, next - size)]),
    );
    const found = new Map<string, number>();
    for await (const records of log.read(topics.changes, { from, untilEnd: true, signal })) {
      for (const { value } of records) {
        const decoded = decode(topics.changes, value);
        if (!decoded.ok || decoded.value.source !== 'cdc') continue;
        const { recordType, commitTimestamp } = decoded.value;
        found.set(recordType, Math.max(found.get(recordType) ?? 0, commitTimestamp));
      }
    }
    const all = ends.every(({ earliest, next }) => next - size <= earliest);
    if (all || signal.aborted || [...objects].every((object) => found.has(object))) return found;
  }
}
