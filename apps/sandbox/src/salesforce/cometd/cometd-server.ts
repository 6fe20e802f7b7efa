import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidSession } from '../errors.js';
import { BodyTooLarge, readBody } from '../http/read-body.js';
import { errorReply, htmlReply, json, maintenancePage, send, type Reply } from '../http/replies.js';
import type { Org } from '../org.js';
import type { CometdClient } from './cometd-client.js';
import type { Exchange } from './exchange.js';
import { refusals, success, type BayeuxReply, type BayeuxRequest } from './messages.js';
import { MetaHandlers } from './meta-handlers.js';
import { strike } from '../fault-kinds.js';

/** Largest request, bytes. Source: facts/salesforce.md §1.1. */
const MAX_BODY_BYTES = 32_768;

/**
 * The Bayeux server at `/cometd/NN.0`: long polling, replay, and the ways in which Salesforce's server refuses and forgets.
 * Source: facts/salesforce.md §1.
 */
export class CometdServer {
  private readonly clients = new Map<string, CometdClient>();
  private readonly meta: MetaHandlers;
  private delivered = 0;

  constructor(private readonly org: Org) {
    this.meta = new MetaHandlers(org, this.clients, (client) => this.forget(client));
    org.events.onAppend(() => this.releaseAll());
    org.sessions.onRevoked(() => this.refuseRevoked());
    // The server extends the session of a connected client. Source: facts/salesforce.md §1.3.
    org.onClockJump(() => {
      for (const client of this.clients.values()) org.sessions.extend(client.token);
    });
  }

  /** Answers one request to `/cometd…`, perhaps after holding it. */
  async handle(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    if (strike(this.org.faults, 'cometd-http-503-html', path)) {
      send(response, maintenancePage());
      return;
    }
    if (strike(this.org.faults, 'cometd-http-401-json', path)) {
      send(response, errorReply(401, invalidSession().entries));
      return;
    }
    const messages = await this.read(request);
    if (!Array.isArray(messages)) {
      send(response, messages);
      return;
    }
    const exchange: Exchange = { request, path, replies: [], cookies: [], connect: null };
    for (const message of messages) this.meta.handle(message, exchange);
    // A subscription from an old place may have events for a connect that is already held.
    if (messages.some((one) => one.channel === '/meta/subscribe')) this.releaseAll();
    if (exchange.connect === null) this.respond(response, exchange, []);
    else this.connect(response, exchange, exchange.connect.client, exchange.connect.message);
  }

  /** Forgets every client and lets held requests go. */
  close(): void {
    for (const client of this.clients.values()) {
      client.held?.answer([]);
      this.forget(client);
    }
  }

  /** Clients forgotten, as an instance that goes away does. Answers how many. */
  dropAll(): number {
    const count = this.clients.size;
    for (const client of this.clients.values()) {
      client.held?.answer([], refusals.unknownClient(client.held.message));
      this.forget(client);
    }
    return count;
  }

  stats() {
    const channels: Record<string, number> = {};
    for (const client of this.clients.values()) {
      for (const channel of client.channels) channels[channel] = (channels[channel] ?? 0) + 1;
    }
    return { clients: this.clients.size, channels, delivered: this.delivered };
  }

  get size(): number {
    return this.clients.size;
  }

  private async read(request: IncomingMessage): Promise<BayeuxRequest[] | Reply> {
    try {
      const parsed: unknown = JSON.parse(await readBody(request, MAX_BODY_BYTES));
      const messages = Array.isArray(parsed) ? parsed : [parsed];
      const valid = messages.length > 0 && messages.every((one) => typeof one === 'object' && one !== null);
      return valid ? (messages as BayeuxRequest[]) : htmlReply(400, 'Bad Request');
    } catch (error) {
      if (error instanceof BodyTooLarge) return htmlReply(413, 'Request Entity Too Large');
      if (error instanceof SyntaxError) return htmlReply(400, 'Bad Request');
      throw error;
    }
  }

  /** Answers a connect at once if it is the first or events wait, else holds it. */
  private connect(response: ServerResponse, exchange: Exchange, client: CometdClient, message: BayeuxRequest): void {
    // A second connect of the same client: the older one is let go.
    client.held?.answer([]);
    client.stay();
    const path = `${exchange.path}/meta/connect`;
    const hang = strike(this.org.faults, 'cometd-hang', path);
    if (hang !== null) {
      if (hang.holdMs !== null) setTimeout(() => response.destroy(), hang.holdMs).unref();
      response.on('close', () => this.countDown(client));
      return;
    }
    const isFirst = !client.hasConnected;
    client.hasConnected = true;
    const timer = setTimeout(() => client.held?.answer([]), this.org.timing.cometdHoldMs);
    timer.unref();
    const answer = (events: BayeuxReply[], reply?: BayeuxReply) => {
      clearTimeout(timer);
      client.held = null;
      const advice = { interval: 0, timeout: this.org.timing.cometdHoldMs, reconnect: 'retry' };
      exchange.replies.push(reply ?? success(message, isFirst ? { advice } : {}));
      this.respond(response, exchange, events);
      this.countDown(client);
    };
    client.held = { message, path, answer };
    response.on('close', () => {
      if (client.held?.answer !== answer) return;
      clearTimeout(timer);
      client.held = null;
      this.countDown(client);
    });
    this.release(client);
    if (isFirst) client.held?.answer([]);
  }

  /** Gives a held connect the events that wait, if there are any. */
  private release(client: CometdClient): void {
    const { held } = client;
    if (held === null) return;
    const { faults, limits, events, schema } = this.org;
    if (client.channels.length === 0 || strike(faults, 'cometd-silent', held.path)) return;
    const { deliveredEventsPerDay } = limits;
    const left = deliveredEventsPerDay === null ? Infinity : deliveredEventsPerDay - this.org.deliveredEvents.used;
    if (left <= 0) {
      this.forget(client);
      held.answer([], refusals.dailyLimit(held.message));
      return;
    }
    const previous = client.previousBatch;
    const batch = client.take(events, schema, Math.min(limits.eventsPerReply, left));
    if (batch.length === 0) return;
    const again = strike(faults, 'cometd-duplicate', held.path) ? previous : [];
    this.org.deliveredEvents.add(batch.length);
    this.delivered += batch.length + again.length;
    held.answer([...again, ...batch]);
  }

  private releaseAll(): void {
    for (const client of this.clients.values()) this.release(client);
  }

  private refuseRevoked(): void {
    for (const client of this.clients.values()) {
      const { held } = client;
      if (held !== null && !this.org.sessions.isLive(client.token)) {
        held.answer([], refusals.notAuthenticated(held.message, true));
      }
    }
  }

  private respond(response: ServerResponse, exchange: Exchange, events: readonly BayeuxReply[]): void {
    // Events stand before the replies or after them; both occur in a real org.
    const body = this.org.random() < 0.5 ? [...events, ...exchange.replies] : [...exchange.replies, ...events];
    const headers: Reply['headers'] = exchange.cookies.length === 0 ? {} : { 'set-cookie': exchange.cookies };
    const cut = events.length > 0 && strike(this.org.faults, 'cometd-cut-body', `${exchange.path}/meta/connect`);
    if (!cut) {
      send(response, json(200, body, headers));
      return;
    }
    const text = JSON.stringify(body);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.write(text.slice(0, Math.floor(text.length / 2)), () => response.destroy());
  }

  /** After any reply a client has this long to connect again. */
  private countDown(client: CometdClient): void {
    if (!this.clients.has(client.id) || client.held !== null) return;
    client.expireAfter(this.org.timing.cometdReconnectMs, () => this.forget(client));
  }

  private forget(client: CometdClient): void {
    client.stay();
    this.clients.delete(client.id);
  }
}
