import { deadLettersContinue, isRetryable, topics } from '@libs/contracts';
import { decode, type EventLog, type LogRecord } from '@libs/event-log';
import type { Logger } from '@libs/observability';

/** Type of the command. */
const CONTINUE = 'dead-letters.continue';
const MINUTE_MS = 60_000;
/** Commands given before we began that are looked through: one may still hold. */
const READ_BACK = 1_000;
/** Wait before the commands are followed again. Milliseconds. */
const FOLLOW_AGAIN_MS = 2_000;

export interface FollowParts {
  readonly log: Pick<EventLog, 'read' | 'offsets'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Calls back for each `dead-letters.continue` with the end of its time (epoch milliseconds), also for one of before whose time
 * is not over, until `signal` aborts. Without a group: every instance obeys. An outage of the log is waited out. What is no such
 * command, or a wrong one, is passed over: the backfill service answers it. Errors: a bug.
 */
export async function followContinue(
  { log, logger }: FollowParts,
  onContinue: (untilMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  /** By partition: what is to be read next, and the end when we began. */
  const positions = new Map<number, { next: number; readonly began: number }>();
  while (!signal.aborted) {
    try {
      for (const { partition, earliest, next } of await log.offsets(topics.commands)) {
        const known = positions.get(partition) ?? { next: next - READ_BACK, began: next };
        positions.set(partition, { ...known, next: Math.max(earliest, known.next) });
      }
      const from = Object.fromEntries([...positions].map(([partition, { next }]) => [partition, next]));
      for await (const records of log.read(topics.commands, { from, signal })) {
        for (const record of records) {
          const position = positions.get(record.partition);
          if (position !== undefined) position.next = record.offset + 1;
          const untilMs = endOf(record, position?.began ?? 0);
          if (untilMs !== null && untilMs > Date.now()) onContinue(untilMs);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isRetryable(error)) throw error;
      logger.warn({ err: error }, 'cannot follow the commands about dead letters, will try again');
    }
    await pause(FOLLOW_AGAIN_MS, signal);
  }
}

/** When the time of a command is over; `null`: it is another one. */
function endOf({ value, offset, timestampMs }: LogRecord, began: number): number | null {
  const decoded = decode(topics.commands, value);
  if (!decoded.ok || decoded.value.type !== CONTINUE) return null;
  const order = deadLettersContinue.safeParse(decoded.value.data);
  if (!order.success) return null;
  // A new one counts from now: the clock of whoever gave it may be another
  const givenMs = offset < began ? timestampMs : Date.now();
  return givenMs + order.data.minutes * MINUTE_MS;
}

/** The timer that tests may fake: that of node:timers/promises they may not. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, ms);
  signal.addEventListener('abort', end);
  await promise;
  clearTimeout(timer);
  signal.removeEventListener('abort', end);
}
