import { deadLettersContinue, isRetryable, topics, type DeadLettersContinue } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import type { Logger } from '@libs/observability';

/** Type of the command. */
const CONTINUE = 'dead-letters.continue';
/** Wait before the commands are followed again. Milliseconds. */
const FOLLOW_AGAIN_MS = 2_000;

export interface FollowParts {
  readonly log: Pick<EventLog, 'read' | 'offsets'>;
  readonly logger: Pick<Logger, 'warn'>;
}

/**
 * Calls back for each `dead-letters.continue` that is given from now on, until `signal` aborts. Without a group: every instance
 * obeys. An outage of the log is waited out. What is no such command, or a wrong one, is passed over: the backfill service answers it.
 * Errors: a bug.
 */
export async function followContinue(
  { log, logger }: FollowParts,
  onContinue: (order: DeadLettersContinue) => void,
  signal: AbortSignal,
): Promise<void> {
  const next: Record<number, number> = {};
  while (!signal.aborted) {
    try {
      for (const { partition, earliest, next: end } of await log.offsets(topics.commands)) {
        next[partition] = Math.max(earliest, next[partition] ?? end);
      }
      for await (const records of log.read(topics.commands, { from: next, signal })) {
        for (const { partition, offset, value } of records) {
          next[partition] = offset + 1;
          const order = orderOf(value);
          if (order !== null) onContinue(order);
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

function orderOf(value: string | null): DeadLettersContinue | null {
  const decoded = decode(topics.commands, value);
  if (!decoded.ok || decoded.value.type !== CONTINUE) return null;
  return deadLettersContinue.safeParse(decoded.value.data ?? {}).data ?? null;
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
