import { Module } from '@nestjs/common';
import { createIterableClient } from '@libs/iterable';
import type { ServiceParts, ServiceSpec } from '@libs/service';
import { iterableWriterSettings, type IterableWriterSettings } from './iterable-writer.config.js';
import { IterableWriterHandler, SERVER } from './iterable-writer.handler.js';
import { IdentityStore } from './identity-store.js';
import { Writer } from './writer.js';

/** Longest wait for an answer; 3 s is the rule. Milliseconds. Source: segmentio/action-destinations PR 2343. */
const REQUEST_TIMEOUT_MS = 30_000;

@Module({})
export class IterableWriterModule {}

export const iterableWriterService: ServiceSpec<typeof iterableWriterSettings> = {
  name: 'iterable-writer',
  settings: iterableWriterSettings,
  assignment: 'single-owner',
  module: (settings, parts) => ({
    module: IterableWriterModule,
    controllers: [IterableWriterHandler],
    providers: [
      { provide: Writer, useValue: createWriter(settings, parts) },
      { provide: SERVER, useValue: parts.server },
    ],
  }),
};

function createWriter(settings: IterableWriterSettings, parts: ServiceParts): Writer {
  const client = createIterableClient({
    baseUrl: settings.ITERABLE_BASE_URL,
    apiKey: settings.ITERABLE_API_KEY,
    timeoutMs: REQUEST_TIMEOUT_MS,
    userAgent: 'salesforce-iterable-sync',
  });
  const store = IdentityStore.open({ dataDir: settings.DATA_DIR, source: nameOfLog(settings) });
  const writer = new Writer(
    { ...parts, client, store },
    {
      policy: {
        projectType: settings.ITERABLE_PROJECT_TYPE,
        onDelete: settings.ON_DELETE,
        onOptOut: settings.ON_OPT_OUT,
        settleMs: settings.ITERABLE_SETTLE_SECONDS * 1_000,
      },
      requestsPerSecond: settings.ITERABLE_REQUESTS_PER_SECOND,
      usersPerRequest: settings.ITERABLE_USERS_PER_REQUEST,
      dryRun: settings.ITERABLE_DRY_RUN,
      newFields: settings.ITERABLE_NEW_FIELDS,
      seedFieldTypes: settings.ITERABLE_SEED_FIELD_TYPES,
      sessionTimeoutMs: settings.KAFKA_SESSION_TIMEOUT_MS,
      deadLetterStop: {
        percent: settings.DEAD_LETTER_STOP_PERCENT,
        windowMs: settings.DEAD_LETTER_STOP_WINDOW_SECONDS * 1_000,
      },
    },
  );
  parts.server.onAssigned((claims) => writer.assigned(claims));
  return writer;
}

/** Positions in the local store hold for one log only. */
function nameOfLog({ KAFKA_BROKERS, KAFKA_TOPIC_PREFIX }: IterableWriterSettings): string {
  return KAFKA_BROKERS === undefined ? 'embedded' : `${[...KAFKA_BROKERS].sort().join(',')} ${KAFKA_TOPIC_PREFIX}`;
}
