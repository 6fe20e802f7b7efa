/** A Bayeux message of a client. Everything in it is unchecked. */
export interface BayeuxRequest {
  readonly channel?: unknown;
  readonly id?: unknown;
  readonly clientId?: unknown;
  readonly connectionType?: unknown;
  readonly supportedConnectionTypes?: unknown;
  readonly subscription?: unknown;
  readonly ext?: unknown;
}

/** A Bayeux message of the server. */
export type BayeuxReply = Record<string, unknown>;

/** What a client should do next. */
export interface Advice {
  readonly reconnect: 'retry' | 'handshake' | 'none';
  readonly interval?: number;
  readonly timeout?: number;
}

const HANDSHAKE_EXT = { replay: true, 'payload.format': true };

/** What every reply repeats of its message. */
function echo(message: BayeuxRequest): BayeuxReply {
  return {
    ...(message.clientId === undefined || message.channel === '/meta/handshake' ? {} : { clientId: message.clientId }),
    channel: message.channel,
    ...(message.id === undefined ? {} : { id: message.id }),
  };
}

export function success(message: BayeuxRequest, more: BayeuxReply = {}): BayeuxReply {
  return { ...echo(message), ...more, successful: true };
}

/** The reply to a handshake. Source: facts/salesforce.md §1.2. */
export function handshakeSuccess(message: BayeuxRequest, clientId: string): BayeuxReply {
  return success(message, {
    ext: HANDSHAKE_EXT,
    minimumVersion: '1.0',
    clientId,
    supportedConnectionTypes: ['long-polling'],
    version: '1.0',
  });
}

/** A refusal. `failureReason` is what really happened; Salesforce puts it in `ext.sfdc`. Source: §1.10 and sample 12. */
export function failure(
  message: BayeuxRequest,
  error: string,
  options: { advice?: Advice; failureReason?: string } = {},
): BayeuxReply {
  const ext =
    options.failureReason === undefined
      ? {}
      : {
          ext: {
            sfdc: { failureReason: options.failureReason },
            ...(message.channel === '/meta/handshake' ? HANDSHAKE_EXT : {}),
          },
        };
  return {
    ...echo(message),
    ...(message.channel === '/meta/subscribe' && typeof message.subscription === 'string'
      ? { subscription: message.subscription }
      : {}),
    ...ext,
    error,
    successful: false,
    ...(options.advice === undefined ? {} : { advice: options.advice }),
  };
}

const NO_RECONNECT: Advice = { reconnect: 'none', interval: 0 };

/** The refusals of Salesforce, in its words. Source: facts/salesforce.md §1.10; Streaming API error codes. */
export const refusals = {
  unknownClient: (message: BayeuxRequest, code: 402 | 403 = 403) =>
    failure(message, `${code}::Unknown client`, { advice: { interval: 0, reconnect: 'handshake' } }),

  /** `given` tells whether a token was sent at all. */
  notAuthenticated: (message: BayeuxRequest, given: boolean) => {
    const reason = given ? '401::Authentication invalid' : '401::Request requires authentication';
    return message.channel === '/meta/handshake'
      ? failure(message, '403::Handshake denied', { advice: { reconnect: 'none' }, failureReason: reason })
      : failure(message, reason, { advice: NO_RECONNECT });
  },

  busy: (message: BayeuxRequest) =>
    failure(message, '401::Authentication invalid', {
      advice: NO_RECONNECT,
      failureReason: '503::Server is too busy.  Please try your request again later.',
    }),

  handshakeDenied: (message: BayeuxRequest, failureReason: string) =>
    failure(message, '403::Handshake denied', { advice: { reconnect: 'none' }, failureReason }),

  dailyLimit: (message: BayeuxRequest) =>
    failure(message, '403::Organization total events daily limit exceeded', { advice: NO_RECONNECT }),

  connectionType: (message: BayeuxRequest) =>
    failure(message, `400::Invalid connection type {${String(message.connectionType)}}`),

  noCookie: (message: BayeuxRequest, cookie: string) =>
    failure(
      message,
      `400::Client ${String(message.clientId)} has established a session, but no ${cookie} cookie present`,
      { advice: { interval: 0, reconnect: 'handshake' } },
    ),

  unknownChannel: (message: BayeuxRequest, channel: string) =>
    failure(message, `400::The channel you requested to subscribe to does not exist {${channel}}`),

  invalidReplay: (message: BayeuxRequest, replayId: string) =>
    failure(
      message,
      `400::The replayId {${replayId}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
    ),

  version: (message: BayeuxRequest, given: boolean) =>
    failure(
      message,
      given
        ? "400::Unsupported API version. Only API versions '37.0' and above are supported. URI format: '/cometd/68.0'"
        : "400::API version in the URI is mandatory. URI format: '/cometd/68.0'",
    ),
};

export const TOO_MANY_CONNECTIONS =
  '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of simultaneous connections per server.  Your request has been denied because this limit has been exceeded.  Please try your request again later.';

export const TOO_MANY_USERS = '403::Organization concurrent user limit exceeded';
