import { type ServiceSettings } from '@libs/config';
import { createEventLog, type EventLog, type EventLogServer } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Logger, type Metrics } from '@libs/observability';

/** What a service is built on. In standalone all services share the log and the metrics, and each has its own health. */
export interface ServiceParts {
  readonly log: EventLog;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
  /** The consumer of this service: to stop reading before a last flush. */
  readonly server: EventLogServer;
}

/** The parts of a process of its own, from settings that include the event log's. */
export async function openParts(
  name: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<Omit<ServiceParts, 'server'>> {
  const logger = createLogger(name, (settings as unknown as ServiceSettings).LOG_LEVEL);
  const metrics = createMetrics({ defaults: true });
  const health = new Health(['log']);
  const log = await createEventLog(settings as unknown as Parameters<typeof createEventLog>[0], {
    clientId: name,
    logger,
  });
  return { log, metrics, health, logger };
}
