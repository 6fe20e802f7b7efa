import type { ChannelRefusal, StreamFailure, StreamVerdict } from './change-stream.js';
import { short } from './short.js';

/** A Bayeux message as far as this project reads it. */
export interface BayeuxMessage {
  readonly channel?: string;
  readonly id?: string | number;
  readonly successful?: boolean;
  readonly subscription?: string | readonly string[];
  readonly error?: string;
  readonly advice?: { readonly reconnect?: string; readonly timeout?: number };
  readonly ext?: { readonly sfdc?: { readonly failureReason?: string } };
  readonly data?: unknown;
}

/**
 * What the printed reasons mean, first match counts. Matched on text: the form `code:args:message` is not kept by all of them.
 * Source: facts/salesforce.md §1.10.
 */
const CLIENT_REASONS: ReadonlyArray<readonly [RegExp, StreamFailure]> = [
  [/^503:|server is too busy/i, 'busy'],
  [/simultaneous connections|concurrent user limit|concurrent clients? limit/i, 'busy'],
  [/daily limit|events? .*limit exceeded/i, 'limit'],
  [/^40[23]:[^:]*:unknown client|no .*cookie present/i, 'unknown-client'],
  [/^401:/, 'session'],
];
const CHANNEL_REASONS: ReadonlyArray<readonly [RegExp, ChannelRefusal]> = [
  [/replayid .*(invalid|not valid)/i, 'replay-id'],
  [/does(n't| not) exist/i, 'no-channel'],
  [
    /not allowed to subscribe|restricted channel|cannot create channel|denied_by_security_policy|view all/i,
    'permission',
  ],
];
/** Error codes of REST in answers that are not Bayeux: HTTP 401 and 5xx with a JSON list. */
const REST_CODES: Readonly<Record<string, StreamFailure>> = {
  INVALID_SESSION_ID: 'session',
  REQUEST_LIMIT_EXCEEDED: 'limit',
  SERVER_UNAVAILABLE: 'busy',
};

function firstMatch<T>(table: ReadonlyArray<readonly [RegExp, T]>, text: string): T | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}

/**
 * Judges an incoming message (`null`: nothing amiss): `ext.sfdc.failureReason` first, since `error` may be a disguise (a busy server says
 * "401::Authentication invalid"), then `error`, then `advice`. Total: what is no Bayeux message is `malformed`.
 */
export function classifyBayeux(raw: unknown): StreamVerdict | null {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    return { scope: 'client', failure: 'malformed', detail: 'an answer that is no message' };
  }
  const message = raw as BayeuxMessage;
  const reason = message.ext?.sfdc?.failureReason ?? message.error ?? '';
  if (message.channel === undefined && message.successful === undefined && reason === '') {
    const { errorCode } = raw as { errorCode?: unknown };
    const code = typeof errorCode === 'string' ? errorCode : '';
    return {
      scope: 'client',
      failure: REST_CODES[code] ?? 'malformed',
      detail: code === '' ? 'an answer that is no Bayeux message' : short(code),
    };
  }
  if (message.channel === '/meta/disconnect' || message.channel === '/meta/unsubscribe') return null;
  if (message.successful !== false) {
    // faye would re-handshake by itself, or stop for good: both are for the supervisor, with a new client
    if (message.advice?.reconnect === 'handshake') {
      return { scope: 'client', failure: 'unknown-client', detail: 'advised to shake hands again' };
    }
    if (message.advice?.reconnect === 'none') {
      return { scope: 'client', failure: 'unknown', detail: 'advised not to reconnect' };
    }
    return null;
  }
  const detail = short(reason === '' ? 'refused without a reason' : reason);
  const failure = firstMatch(CLIENT_REASONS, reason);
  if (failure !== undefined) return { scope: 'client', failure, detail };
  const refusal = firstMatch(CHANNEL_REASONS, reason);
  if (message.channel === '/meta/subscribe') return { scope: 'channel', refusal: refusal ?? 'unknown', detail };
  if (refusal === 'permission') return { scope: 'client', failure: 'access', detail };
  if (/handshake denied/i.test(reason)) return { scope: 'client', failure: 'access', detail };
  return {
    scope: 'client',
    failure: message.advice?.reconnect === 'handshake' ? 'unknown-client' : 'unknown',
    detail,
  };
}
