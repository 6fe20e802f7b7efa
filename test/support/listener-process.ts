import 'reflect-metadata';
import { loadSettings } from '@libs/config';
import { allTopics } from '@libs/contracts';
import { createEmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService } from '@libs/service';
import { cdcListenerService } from '../../apps/cdc-listener/src/cdc-listener.module.js';

/** The listener as a process of its own on an embedded log that others read: for tests that kill it without warning. */
const settings = loadSettings(cdcListenerService.name, cdcListenerService.settings);
const logger = createLogger(cdcListenerService.name, settings.LOG_LEVEL);
const log = createEmbeddedLog({ dataDir: settings.DATA_DIR, partitions: 2, sessionTimeoutMs: 1_000, logger });
await log.applyTopics(allTopics);
const health = new Health();
health.whenFatal((error) => {
  logger.fatal({ err: error }, 'stopping');
  process.exit(1);
});
const { app } = await startService(cdcListenerService, settings, { log, metrics: createMetrics(), health, logger });
// The open door is what keeps a standby alive
await app.listen(0, '127.0.0.1');
