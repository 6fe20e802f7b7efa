import { strike, type SalesforceFaultKind } from '../fault-kinds.js';
import type { Org } from '../org.js';
import { textOf } from '../text-of.js';
import { CometdClient } from './cometd-client.js';
import type { Exchange } from './exchange.js';
import {
  failure,
  handshakeSuccess,
  refusals,
  success,
  TOO_MANY_CONNECTIONS,
  TOO_MANY_USERS,
  type BayeuxReply,
  type BayeuxRequest,
} from './messages.js';

const OLDEST_VERSION = 37;
const COOKIE = 'BAYEUX_BROWSER';

/** What each `/meta` channel does. A refusal is a reply, never an exception. */
export class MetaHandlers {
  constructor(
    private readonly org: Org,
    private readonly clients: Map<string, CometdClient>,
    private readonly forget: (client: CometdClient) => void,
  ) {}

  /** Works on one message: adds its reply to the exchange, or notes the connect to answer. */
  handle(message: BayeuxRequest, exchange: Exchange): void {
    const channel = String(message.channel);
    const reply = this.refusedBefore(message, channel, exchange);
    if (reply !== null) {
      exchange.replies.push(reply);
      return;
    }
    if (channel === '/meta/handshake') {
      exchange.replies.push(this.handshake(message, exchange));
      return;
    }
    const client = this.clientOf(message, channel, exchange);
    if (!(client instanceof CometdClient)) exchange.replies.push(client);
    else if (channel === '/meta/connect') this.connect(message, client, exchange);
    else exchange.replies.push(...this.other(message, channel, client, exchange));
  }

  /** Refusals that need no client: version, authentication, and the faults that pose as such. */
  private refusedBefore(message: BayeuxRequest, channel: string, exchange: Exchange): BayeuxReply | null {
    const version = /^\/cometd\/(\d+)\.0\/?$/.exec(exchange.path)?.[1];
    if (version === undefined || Number(version) < OLDEST_VERSION) {
      return refusals.version(message, version !== undefined);
    }
    if (this.strikes('cometd-busy-as-401', channel, exchange)) return refusals.busy(message);
    const { authorization } = exchange.request.headers;
    const session = this.org.sessions.use(authorization);
    if (session !== null && this.strikes('session-expired', channel, exchange)) {
      this.org.sessions.revoke(session.token);
      return refusals.notAuthenticated(message, true);
    }
    if (session === null || this.strikes('cometd-401', channel, exchange)) {
      return refusals.notAuthenticated(message, authorization !== undefined);
    }
    return null;
  }

  private handshake(message: BayeuxRequest, exchange: Exchange): BayeuxReply {
    const channel = '/meta/handshake';
    if (this.strikes('cometd-too-many', channel, exchange)) {
      return refusals.handshakeDenied(message, TOO_MANY_CONNECTIONS);
    }
    const isFull = this.clients.size >= this.org.limits.cometdClients;
    if (isFull || this.strikes('cometd-handshake-denied', channel, exchange)) {
      return refusals.handshakeDenied(message, TOO_MANY_USERS);
    }
    const types = message.supportedConnectionTypes;
    if (!Array.isArray(types) || !types.includes('long-polling')) {
      return failure(message, `400::Invalid connection type {${String(types)}}`);
    }
    const session = this.org.sessions.use(exchange.request.headers.authorization);
    const client = new CometdClient(session?.token ?? '');
    this.clients.set(client.id, client);
    client.expireAfter(this.org.timing.cometdReconnectMs, () => this.forget(client));
    exchange.cookies = [
      `${COOKIE}=${client.cookie}; Path=/cometd/; HttpOnly`,
      `sfdc-stream=!${client.cookie}; Path=/cometd/`,
    ];
    return handshakeSuccess(message, client.id);
  }

  private clientOf(message: BayeuxRequest, channel: string, exchange: Exchange): CometdClient | BayeuxReply {
    const client = this.clients.get(String(message.clientId));
    if (client === undefined) return refusals.unknownClient(message);
    const code = this.strikes('cometd-unknown-client', channel, exchange)
      ? 403
      : this.strikes('cometd-402', channel, exchange)
        ? 402
        : null;
    if (code !== null) {
      client.held?.answer([], refusals.unknownClient(client.held.message, code));
      this.forget(client);
      return refusals.unknownClient(message, code);
    }
    const cookies = (exchange.request.headers.cookie ?? '').split(';').map((one) => one.trim());
    if (!cookies.includes(`${COOKIE}=${client.cookie}`)) return refusals.noCookie(message, COOKIE);
    client.token = this.org.sessions.use(exchange.request.headers.authorization)?.token ?? client.token;
    return client;
  }

  private connect(message: BayeuxRequest, client: CometdClient, exchange: Exchange): void {
    if (message.connectionType !== 'long-polling') {
      exchange.replies.push(refusals.connectionType(message));
    } else if (this.strikes('cometd-daily-limit', '/meta/connect', exchange)) {
      this.forget(client);
      exchange.replies.push(refusals.dailyLimit(message));
    } else {
      exchange.connect = { client, message };
    }
  }

  private other(message: BayeuxRequest, channel: string, client: CometdClient, exchange: Exchange): BayeuxReply[] {
    switch (channel) {
      case '/meta/subscribe':
        return this.names(message).map((name) => this.subscribe(message, name, client, exchange));
      case '/meta/unsubscribe':
        return this.names(message).map((name) => {
          client.unsubscribe(name);
          return success(message, { subscription: name });
        });
      case '/meta/disconnect':
        client.held?.answer([]);
        this.forget(client);
        return [success(message)];
      default:
        return [failure(message, `403::Cannot create channel {${channel}}`)];
    }
  }

  private names(message: BayeuxRequest): string[] {
    const { subscription } = message;
    return Array.isArray(subscription)
      ? subscription.map(String)
      : [typeof subscription === 'string' ? subscription : ''];
  }

  private subscribe(message: BayeuxRequest, name: string, client: CometdClient, exchange: Exchange): BayeuxReply {
    const named = { ...message, subscription: name };
    if (name === '') return failure(message, '400::Channel name not specified');
    if (!name.startsWith('/')) return failure(named, "400::Channel subscriptions must start with a leading '/'");
    if (this.strikes('cometd-create-denied', '/meta/subscribe', exchange)) {
      return failure(named, '403::denied_by_security_policy:create_denied');
    }
    const entities = this.org.channels.get(name);
    if (entities === undefined) return refusals.unknownChannel(named, name);
    if (this.isOverDailyLimit() || this.strikes('cometd-daily-limit', '/meta/subscribe', exchange)) {
      return refusals.dailyLimit(named);
    }
    // Only the entry of this very channel counts, whatever else the map holds. Source: facts/salesforce.md §10.
    const replay = (message.ext as { replay?: Record<string, unknown> } | undefined)?.replay?.[name] ?? -1;
    const position = this.positionOf(replay, exchange);
    if (position === null) return refusals.invalidReplay(named, textOf(replay));
    client.subscribe(name, entities, position);
    return success(message, { subscription: name });
  }

  /** The place in the log a replay option means; null when it is refused. Source: facts/salesforce.md §1.9. */
  private positionOf(replay: unknown, exchange: Exchange): number | null {
    const isNumeric = typeof replay === 'number' || (typeof replay === 'string' && /^-?\d+$/.test(replay));
    const id = isNumeric ? Number(replay) : Number.NaN;
    if (id === -1) return this.org.events.tip;
    if (id === -2) return 0;
    if (!Number.isSafeInteger(id) || this.strikes('cometd-replay-expired', '/meta/subscribe', exchange)) return null;
    if (!this.org.events.holds(id)) return null;
    const rewind = strike(this.org.faults, 'cometd-rewind', `${exchange.path}/meta/subscribe`);
    return rewind === null ? id : this.org.events.before(id, rewind.events);
  }

  private isOverDailyLimit(): boolean {
    const { deliveredEventsPerDay } = this.org.limits;
    return deliveredEventsPerDay !== null && this.org.deliveredEvents.used >= deliveredEventsPerDay;
  }

  private strikes(kind: SalesforceFaultKind, channel: string, exchange: Exchange): boolean {
    return strike(this.org.faults, kind, `${exchange.path}${channel}`) !== null;
  }
}
