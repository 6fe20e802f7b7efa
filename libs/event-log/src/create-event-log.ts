import type { EventLogSettings } from '@libs/config';
import type { Logger } from '@libs/observability';
import { createEmbeddedLog } from './embedded/embedded-log.js';
import type { EventLog } from './port.js';

export interface CreateOptions {
  /** The service: named in each message's `ce_source`, and to the brokers. */
  readonly clientId: string;
  readonly logger: Logger;
}

/**
 * The log that the settings name: Kafka when KAFKA_BROKERS is set, else the embedded one in DATA_DIR. Kafka is connected at
 * first use, so that a service starts, not ready, while the brokers are away.
 */
export async function createEventLog(
  settings: EventLogSettings & { readonly DATA_DIR?: string },
  { clientId, logger }: CreateOptions,
): Promise<EventLog> {
  const { KAFKA_BROKERS: brokers, KAFKA_PARTITIONS: partitions, KAFKA_SESSION_TIMEOUT_MS: sessionTimeoutMs } = settings;
  if (brokers === undefined) {
    return createEmbeddedLog({
      dataDir: settings.DATA_DIR ?? './data',
      partitions,
      sessionTimeoutMs,
      clientId,
      logger,
    });
  }
  // Only a process on Kafka loads its client.
  const { createKafkaLog } = await import('./kafka/kafka-log.js');
  const { KAFKA_SASL_MECHANISM: mechanism, KAFKA_SASL_USERNAME: username, KAFKA_SASL_PASSWORD: password } = settings;
  return createKafkaLog({
    brokers,
    ssl: settings.KAFKA_SSL,
    ...(mechanism === undefined ? {} : { sasl: { mechanism, username: username ?? '', password: password ?? '' } }),
    prefix: settings.KAFKA_TOPIC_PREFIX,
    partitions,
    replication: settings.KAFKA_REPLICATION,
    compression: settings.KAFKA_COMPRESSION,
    sessionTimeoutMs,
    clientId,
    logger,
  });
}
