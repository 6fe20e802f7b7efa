import { z } from 'zod';
import type { Faults } from '../faults.js';

/** What a fault does, and the options it takes. */
export interface FaultKind {
  readonly does: string;
  readonly options: z.ZodObject;
}

const none = z.strictObject({});
const rewind = z.strictObject({ events: z.number().int().min(1).max(100_000).default(100) });
const milliseconds = z.number().int().min(0).max(600_000);

/**
 * Every fault of the simulated org, in one table: the admin port validates against it and documents from it. Those without
 * a prefix strike any request whose path contains `match`: OAuth, REST and CometD. Those with `cometd-` strike CometD
 * messages; `match` is then searched in `/cometd/<version>` followed by the message's channel, e.g. `/meta/connect`. Those
 * with `pubsub-` strike gRPC calls, when they begin and, on a running Subscribe, each time it is about to send; `match` is
 * searched in `/eventbus.v1.PubSub/<rpc>` followed by the topic or the schema id. Those with `event-` strike events when they
 * are made; `match` is searched in `/data/<object>`.
 */
export const salesforceFaultKinds = {
  'http-500': { does: 'HTTP 500 with an UNKNOWN_EXCEPTION error array; the request is not processed.', options: none },
  'http-503-html': { does: 'HTTP 503 with an HTML maintenance page; the request is not processed.', options: none },
  latency: {
    does: 'Holds the request before it is processed.',
    options: z.strictObject({ delayMs: milliseconds.default(1_000) }),
  },
  disconnect: {
    does: 'Destroys the socket instead of answering. after: the request was processed and its answer is lost.',
    options: z.strictObject({ when: z.enum(['before', 'after']).default('before') }),
  },
  'session-expired': {
    does: 'Ends the session that the request uses: HTTP 401 INVALID_SESSION_ID, on CometD 401::Authentication invalid.',
    options: none,
  },
  'oauth-error': {
    does: 'The token endpoint refuses: HTTP 400 with an OAuth error object.',
    options: z.strictObject({
      error: z.string().min(1).default('invalid_grant'),
      description: z.string().min(1).default('authentication failure'),
    }),
  },
  'request-limit': {
    does: 'HTTP 403 REQUEST_LIMIT_EXCEEDED on REST; concurrent: in the words of the limit on long requests.',
    options: z.strictObject({ concurrent: z.boolean().default(false) }),
  },
  'small-pages': {
    does: 'Query pages are of a random smaller size, max records at most.',
    options: z.strictObject({ max: z.number().int().min(1).max(2_000).default(200) }),
  },
  'query-timeout': { does: 'HTTP 400 QUERY_TIMEOUT on query and queryAll.', options: none },
  'cometd-unknown-client': { does: 'Forgets the client: 403::Unknown client, advice to handshake.', options: none },
  'cometd-402': { does: 'Forgets the client: 402::Unknown client, advice to handshake.', options: none },
  'cometd-401': {
    does: '401::Authentication invalid, advice not to reconnect; on a handshake the reason of 403::Handshake denied.',
    options: none,
  },
  'cometd-busy-as-401': {
    does: '401::Authentication invalid whose ext.sfdc.failureReason says 503::Server is too busy.',
    options: none,
  },
  'cometd-handshake-denied': {
    does: '403::Handshake denied: the organization has too many concurrent users.',
    options: none,
  },
  'cometd-too-many': { does: '403::Handshake denied: the server has too many connections.', options: none },
  'cometd-daily-limit': {
    does: '403::Organization total events daily limit exceeded on connect or subscribe.',
    options: none,
  },
  'cometd-replay-expired': {
    does: '400::The replayId … was invalid on a subscribe that gives a replay id.',
    options: none,
  },
  'cometd-create-denied': { does: '403::denied_by_security_policy:create_denied on subscribe.', options: none },
  'cometd-http-503-html': { does: 'HTTP 503 with an HTML page on /cometd.', options: none },
  'cometd-http-401-json': {
    does: 'HTTP 401 with a REST error array, not a Bayeux message, on /cometd.',
    options: none,
  },
  'cometd-hang': {
    does: 'A connect is never answered; with holdMs its socket is closed after that time.',
    options: z.strictObject({ holdMs: milliseconds.nullable().default(null) }),
  },
  'cometd-duplicate': {
    does: 'The events of the previous reply are delivered again, before the new ones.',
    options: none,
  },
  'cometd-rewind': {
    does: 'A subscription that gives a replay id begins some events earlier: newer ones were seen before older ones.',
    options: rewind,
  },
  'cometd-silent': {
    does: 'Subscribed and connected, but nothing is delivered and the position does not move (article 005321562).',
    options: none,
  },
  'cometd-cut-body': {
    does: 'The reply of a connect ends in the middle of its JSON; its events count as delivered.',
    options: none,
  },
  'event-gap': {
    does: 'A change has a gap event: its GAP_ type, the ids, no fields. wildcard: the prefix and * instead of ids.',
    options: z.strictObject({ wildcard: z.boolean().default(false) }),
  },
  'event-overflow': {
    does: 'A transaction overflows: GAP_OVERFLOW with the empty id instead of its events of the object.',
    options: none,
  },
  'pubsub-unauthenticated': { does: 'UNAUTHENTICATED with service.auth.error.', options: none },
  'pubsub-unavailable': {
    does: 'The call ends with UNAVAILABLE, or with INTERNAL.',
    options: z.strictObject({ status: z.enum(['UNAVAILABLE', 'INTERNAL']).default('UNAVAILABLE') }),
  },
  'pubsub-reset': { does: 'The connection below a Subscribe is cut, with every call on it.', options: none },
  'pubsub-replay-corrupted': {
    does: 'INVALID_ARGUMENT with replayid.corrupted on a Subscribe that gives a replay id.',
    options: none,
  },
  'pubsub-limit': { does: 'RESOURCE_EXHAUSTED with subscription.limit.exceeded on Subscribe.', options: none },
  'pubsub-silent': { does: 'A Subscribe stays open and sends nothing: no events, no keepalives.', options: none },
  'pubsub-duplicate': {
    does: 'The events of a response are delivered once more, in the next response.',
    options: none,
  },
  'pubsub-rewind': {
    does: 'A Subscribe that gives a replay id begins some events earlier: newer ones were seen before older ones.',
    options: rewind,
  },
  'pubsub-schema-unknown': { does: 'GetSchema does not find the schema: NOT_FOUND.', options: none },
} as const satisfies Readonly<Record<string, FaultKind>>;

export type SalesforceFaultKind = keyof typeof salesforceFaultKinds;
type OptionsOf<K extends SalesforceFaultKind> = z.output<(typeof salesforceFaultKinds)[K]['options']>;

/** Does a fault of this kind strike this request? Its options with their defaults, or `null`. Counts the hit. */
export function strike<K extends SalesforceFaultKind>(faults: Faults, kind: K, path: string): OptionsOf<K> | null {
  const fault = faults.strikes('salesforce', kind, path);
  return fault === null ? null : (salesforceFaultKinds[kind].options.parse(fault.options) as OptionsOf<K>);
}
