import { isRetryable, topics } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { Health, Logger } from '@libs/observability';
import type { Identities } from './identities.js';

/** Between looks. The calls know when the day is over, and ask Iterable no more often than that either. Milliseconds. */
const LOOK_EVERY_MS = 10 * 60_000;
/** Asked for in one look: more than Iterable takes in the time, at 3 a second, is no use. */
const MOST = 1_000;

/**
 * People to be forgotten whom the daily limit did not allow: asks for their records again, so that each comes by the normal way, with
 * what is true by then. Runs while this writer is the active one.
 */
export class Deferred {
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly identities: Pick<Identities, 'dueToForget'>,
    private readonly parts: { readonly health: Health; readonly logger: Logger },
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), LOOK_EVERY_MS);
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  private async look(): Promise<void> {
    const due = this.identities.dueToForget(MOST);
    if (due.length === 0) return;
    const commitTimestamp = Date.now();
    try {
      await this.log.append(
        due.map(({ recordId, identity: { recordType } }) => ({
          topic: topics.changes,
          key: recordId,
          value: { recordType, recordId, changeType: 'DELETE', source: 'redrive', lane: 'backfill', commitTimestamp },
        })),
      );
      this.parts.logger.info({ records: due.length }, 'asked again for records whose people are to be forgotten');
    } catch (error) {
      if (!isRetryable(error)) this.parts.health.fail(error);
      else this.parts.logger.warn({ err: error }, 'cannot ask for deferred records, will try again');
    }
  }
}
