import type { SalesforceSettings } from '@libs/config';
import type { SalesforceClient } from '../port.js';
import { createClientWithSessions, type SalesforceClientOptions } from '../rest/client.js';
import type { OpenStream } from './change-stream.js';
import { COMETD_TIMINGS, openCometdStream, type CometdOptions } from './cometd-stream.js';

/** An org's change events, and REST calls on the same session. */
export interface ChangeSource {
  readonly client: SalesforceClient;
  /** How positions are to be understood: a replay id of one transport means nothing to another. */
  readonly transport: 'cometd' | 'pubsub';
  /** Longest time that a working subscription says nothing. Milliseconds. */
  readonly quietMs: number;
  readonly open: OpenStream;
}

/**
 * The change events of one org by the configured OAuth flow.
 * Errors: at once a BadSettingError naming a setting that the flow lacks.
 */
export function createChangeSource(
  settings: SalesforceSettings,
  options: SalesforceClientOptions & { readonly cometd?: CometdOptions },
): ChangeSource {
  const { client, sessions } = createClientWithSessions(settings, options);
  return {
    client,
    transport: 'cometd',
    quietMs: COMETD_TIMINGS.holdMs + COMETD_TIMINGS.marginMs,
    open: (channels, observer) => openCometdStream(sessions, channels, observer, options.cometd),
  };
}
