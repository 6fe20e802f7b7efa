import { type ServiceSettings } from '@libs/config';
import { createEventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import type { ServiceParts } from './service.js';

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
