import type { Topic } from '@libs/contracts';
import type { EventLog, LogRecord } from '@libs/event-log';
import type { Ends } from '../core/positions.js';

/**
 * The first record at or after an offset, for each partition that is asked for; none where the topic ends before.
 * Incomplete when `signal` aborts. Errors: those of the log.
 */
export async function firstRecords(
  log: Pick<EventLog, 'read'>,
  topic: Topic,
  { at, ends }: { readonly at: ReadonlyMap<number, number>; readonly ends: Ends },
  signal: AbortSignal,
): Promise<Map<number, LogRecord>> {
  const found = new Map<number, LogRecord>();
  const wanted = new Set(
    [...at].filter(([partition, offset]) => offset < (ends.get(partition)?.next ?? 0)).map(([partition]) => partition),
  );
  if (wanted.size === 0) return found;
  const from = Object.fromEntries([...ends].map(([partition, { next }]) => [partition, at.get(partition) ?? next]));
  for await (const [first] of log.read(topic, { from, untilEnd: true, signal })) {
    if (first === undefined || !wanted.delete(first.partition)) continue;
    found.set(first.partition, first);
    if (wanted.size === 0) break;
  }
  return found;
}
