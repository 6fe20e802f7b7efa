import { topics, type ProfileSchema } from '@libs/contracts';
import { decode, type EventLog, type LogRecord } from '@libs/event-log';
import type { Logger } from '@libs/observability';

/** The schemas of `sync.schemas.v1`, by id. One is in the topic before the first update that names it, so it is read when it is named. */
export class ProfileSchemas {
  private readonly byId = new Map<string, ProfileSchema>();

  constructor(
    private readonly log: Pick<EventLog, 'read'>,
    private readonly logger: Logger,
  ) {}

  get(id: string): ProfileSchema | null {
    return this.byId.get(id) ?? null;
  }

  /**
   * Reads the topic to its end, unless the schema is known. Afterwards `get` has it, or nobody published it. Rejects with the signal's
   * reason on an abort, and with `LogUnavailableError`.
   */
  async need(id: string, signal: AbortSignal): Promise<void> {
    if (this.byId.has(id)) return;
    for await (const records of this.log.read(topics.schemas, { from: {}, untilEnd: true, signal })) {
      for (const record of records) this.take(record);
    }
    signal.throwIfAborted();
  }

  private take({ key, value, partition, offset }: LogRecord): void {
    if (value === null) return;
    const decoded = decode(topics.schemas, value);
    if (decoded.ok) this.byId.set(key, decoded.value);
    else this.logger.error({ partition, offset, reason: decoded.reason }, 'a profile schema is unreadable and ignored');
  }
}
