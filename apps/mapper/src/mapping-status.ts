import { setTimeout as wait } from 'node:timers/promises';
import {
  isRetryable,
  MAPPING_TARGET,
  topics,
  type MappingApplied,
  type MappingRefused,
  type Status,
} from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { Health, Logger } from '@libs/observability';
import { versionsOf, type LiveMappings } from '@libs/service';

/** Name under which the mapper answers. */
export const MAPPER = 'mapper';
/** Wait before the log is tried again. Milliseconds. */
const RETRY_MS = 1_000;

/**
 * Tells on `sync.status.v1` which mappings are in force, in order: at the start, when they change, when files are refused.
 * Each instance speaks for itself and says it again at each start; a follower goes by the last word.
 */
export class MappingStatus {
  private readonly stopping = new AbortController();
  private telling: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: {
      readonly log: Pick<EventLog, 'append'>;
      readonly logger: Pick<Logger, 'warn'>;
      readonly health: Pick<Health, 'fail'>;
    },
    private readonly mappings: Pick<LiveMappings, 'inForce' | 'onNews'>,
  ) {}

  start(): void {
    const versions = versionsOf(this.mappings.inForce);
    this.say('mapping-applied', { versions, changed: Object.keys(versions), cause: 'start' } satisfies MappingApplied);
    this.mappings.onNews((news) => {
      const { cause } = news;
      const now = versionsOf(this.mappings.inForce);
      if (news.kind === 'applied') {
        const changed = [...news.changed];
        this.say('mapping-applied', { versions: now, changed, cause } satisfies MappingApplied);
      } else {
        const mistakes = [...news.mistakes];
        this.say('mapping-refused', { versions: now, mistakes, cause } satisfies MappingRefused);
      }
    });
  }

  /** Resolves when all that was said is durable. */
  said(): Promise<void> {
    return this.telling;
  }

  /** What the log has not taken yet is not said: the next start says what is in force. */
  async close(): Promise<void> {
    this.stopping.abort();
    await this.telling;
  }

  private say(type: Status['type'], data: Status['data']): void {
    const value: Status = { id: MAPPING_TARGET, type, data, time: Date.now(), by: MAPPER };
    this.telling = this.telling.then(() => this.append(value)).catch((error: unknown) => this.parts.health.fail(error));
  }

  private async append(value: Status): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      try {
        await this.parts.log.append([{ topic: topics.status, key: value.id, value }]);
        return;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.parts.logger.warn({ err: error }, 'cannot tell which mappings are in force, will try again');
        await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
