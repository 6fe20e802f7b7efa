import type { SalesforceSettings, StreamingSettings } from '@libs/config';
import type { AllowanceReader, SalesforceClient } from '../port.js';
import { createClientWithSessions, type SalesforceClientOptions } from '../rest/client.js';
import type { OpenStream } from './change-stream.js';
import { COMETD_TIMINGS, openCometdStream, type CometdOptions } from './cometd-stream.js';
import { openPubSubStream, PUBSUB_TIMINGS, type PubSubOptions } from './pubsub/pubsub-stream.js';
import { SCHEMA_RETRIES, SchemaCache, type SchemaRetries } from './pubsub/schema-cache.js';

/** An org's change events, and REST calls on the same session. */
export interface ChangeSource {
  readonly client: SalesforceClient & AllowanceReader;
  /** How positions are to be understood: a replay id of one transport means nothing to another. */
  readonly transport: 'cometd' | 'pubsub';
  /** Longest time that a working subscription says nothing. Milliseconds. */
  readonly quietMs: number;
  readonly open: OpenStream;
}

export interface ChangeSourceOptions extends SalesforceClientOptions {
  readonly cometd?: CometdOptions;
  readonly pubsub?: PubSubOptions & { readonly schemaRetries?: SchemaRetries };
}

/**
 * The change events of one org by the configured OAuth flow and transport.
 * Errors: at once a BadSettingError naming a setting that the flow lacks.
 */
export function createChangeSource(
  settings: SalesforceSettings & StreamingSettings,
  options: ChangeSourceOptions,
): ChangeSource {
  const { client, sessions } = createClientWithSessions(settings, options);
  if (settings.SALESFORCE_STREAMING === 'cometd') {
    const { holdMs, marginMs } = { ...COMETD_TIMINGS, ...options.cometd?.timings };
    return {
      client,
      transport: 'cometd',
      quietMs: holdMs + marginMs,
      open: (channels, observer) => openCometdStream(sessions, channels, observer, options.cometd),
    };
  }
  const { SALESFORCE_PUBSUB_ENDPOINT: address, SALESFORCE_PUBSUB_INSECURE: plainText } = settings;
  const schemas = new SchemaCache(options.pubsub?.schemaRetries ?? SCHEMA_RETRIES);
  const parts = { endpoint: { address, plainText }, sessions, schemas, logger: options.logger };
  return {
    client,
    transport: 'pubsub',
    quietMs: options.pubsub?.timings?.silenceMs ?? PUBSUB_TIMINGS.silenceMs,
    open: (channels, observer) => openPubSubStream(parts, channels, observer, options.pubsub),
  };
}
