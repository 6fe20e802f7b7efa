import type { EventLogSettings } from '@libs/config';
import type { Logger } from '@libs/observability';
import { createEmbeddedLog } from './embedded/embedded-log.js';
import type { EventLog } from './port.js';

export interface CreateOptions {
  /** The service: named in each message's `ce_source`, and to the brokers. */
  readonly clientId: string;
  readonly logger: Logger;
}

/** The log that the settings name: Kafka when KAFKA_BROKERS is set, else the embedded one in DATA_DIR. */
export function createEventLog(
  settings: EventLogSettings & { readonly DATA_DIR?: string },
  { clientId, logger }: CreateOptions,
): Promise<EventLog> {
  if (settings.KAFKA_BROKERS !== undefined) return Promise.reject(new Error('the kafka adapter is not merged yet'));
  return Promise.resolve(
    createEmbeddedLog({
      dataDir: settings.DATA_DIR ?? './data',
      partitions: settings.KAFKA_PARTITIONS,
      sessionTimeoutMs: settings.KAFKA_SESSION_TIMEOUT_MS,
      clientId,
      logger,
    }),
  );
}
