/** One kind of fault the simulated org can have: what it does and the options it reads. Documentation and validation. */
export interface FaultKind {
  readonly kind: string;
  readonly does: string;
  /** Option name to what it means, with its default. */
  readonly options: Readonly<Record<string, string>>;
}

const kind = (name: string, does: string, options: Record<string, string> = {}): FaultKind => ({
  kind: name,
  does,
  options,
});

/**
 * Every fault of the simulated org. Those without `cometd-` strike any request whose path contains `match`: OAuth, REST and
 * CometD. Those with `cometd-` strike CometD messages; `match` is then searched in `/cometd/<version>` followed by the
 * message's channel, e.g. `/meta/connect`.
 */
export const salesforceFaultKinds: readonly FaultKind[] = [
  kind('http-500', 'HTTP 500 with an UNKNOWN_EXCEPTION error array; the request is not processed.'),
  kind('http-503-html', 'HTTP 503 with an HTML maintenance page.'),
  kind('latency', 'Holds the request before it is processed.', { delayMs: 'milliseconds; 1000' }),
  kind('disconnect', 'Destroys the socket instead of answering.', {
    when: '"before" (default): nothing was done; "after": the request was processed and its answer is lost',
  }),
  kind(
    'session-expired',
    'Ends the session that the request uses: HTTP 401 INVALID_SESSION_ID, and on CometD 401::Authentication invalid.',
  ),
  kind('oauth-error', 'The token endpoint refuses: HTTP 400 with an OAuth error object.', {
    error: 'error code; "invalid_grant"',
    description: 'error_description; "authentication failure"',
  }),
  kind('request-limit', 'HTTP 403 REQUEST_LIMIT_EXCEEDED on REST.', {
    concurrent: 'true: the text of the limit on concurrent long requests; false',
  }),
  kind('small-pages', 'Query pages are of a random smaller size.', { max: 'most records in a page; 200' }),
  kind('query-timeout', 'HTTP 400 QUERY_TIMEOUT on query and queryAll.'),
  kind('cometd-unknown-client', 'Forgets the client: 403::Unknown client with advice to handshake.'),
  kind('cometd-402', 'Forgets the client: 402::Unknown client with advice to handshake.'),
  kind(
    'cometd-401',
    '401::Authentication invalid with advice not to reconnect; on a handshake it is the reason of 403::Handshake denied.',
  ),
  kind('cometd-busy-as-401', '401::Authentication invalid whose ext.sfdc.failureReason says 503::Server is too busy.'),
  kind('cometd-handshake-denied', '403::Handshake denied because the organization has too many concurrent users.'),
  kind('cometd-too-many', '403::Handshake denied because the server has too many connections.'),
  kind('cometd-daily-limit', '403::Organization total events daily limit exceeded on connect or subscribe.'),
  kind('cometd-replay-expired', '400::The replayId … was invalid on a subscribe that gives a replay id.'),
  kind('cometd-create-denied', '403::denied_by_security_policy:create_denied on subscribe.'),
  kind('cometd-http-503-html', 'HTTP 503 with an HTML page on /cometd.'),
  kind('cometd-http-401-json', 'HTTP 401 with a REST error array, not a Bayeux message, on /cometd.'),
  kind('cometd-hang', 'A connect is never answered.', { holdMs: 'milliseconds until the socket is closed; never' }),
  kind('cometd-duplicate', 'The events of the previous reply are delivered again, before the new ones.'),
  kind(
    'cometd-silent',
    'Subscribed and connected, but nothing is delivered and the position does not move (article 005321562).',
  ),
  kind('cometd-cut-body', 'The reply of a connect ends in the middle of its JSON; its events count as delivered.'),
];
