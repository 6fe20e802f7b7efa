import type { ServerResponse } from 'node:http';
import { HttpFake, json, type Received } from './http-fake.js';

export interface FakeMessage {
  readonly channel: string;
  readonly id: string;
  readonly clientId?: string;
  readonly subscription?: string;
  readonly ext?: { readonly replay?: Readonly<Record<string, number>> | boolean };
}

interface FakeEvent {
  readonly channel: string;
  readonly replayId: number;
  readonly data: unknown;
}

interface FakeClient {
  readonly id: string;
  connects: number;
  /** Next index of the log to deliver, by channel. */
  readonly positions: Map<string, number>;
  held: { readonly response: ServerResponse; readonly message: FakeMessage; readonly timer: NodeJS.Timeout } | null;
}

/** May answer a message itself: `true` when it did. */
export type Script = (message: FakeMessage, response: ServerResponse, client: FakeClient | undefined) => boolean;

/**
 * A small scripted org: OAuth and CometD with replay, as the fact sheet has them (§1.1 to §1.3, §1.9), one message a request.
 * Faults are a script that answers in its place.
 */
export class BayeuxFake {
  readonly log: FakeEvent[] = [];
  /** Every Bayeux message received, with the token of its request. */
  readonly messages: Array<FakeMessage & { readonly token: string }> = [];
  /** Requests that are not one Bayeux message. */
  readonly strays: Received[] = [];
  script: Script = () => false;
  tokens = 0;
  readonly refusedTokens = new Set<string>();
  holdMs = 2_000;
  /** The next answer with events breaks off; its events count as delivered. */
  cutNext = false;
  /** Events below this index of the log are past the retention. */
  retainedFrom = 0;
  private readonly clients = new Map<string, FakeClient>();

  private constructor(readonly http: HttpFake) {
    http.answer = (request, response) => this.answer(request, response);
  }

  static async start(): Promise<BayeuxFake> {
    return new BayeuxFake(await HttpFake.start());
  }

  get url(): string {
    return this.http.url;
  }

  async stop(): Promise<void> {
    for (const client of this.clients.values()) clearTimeout(client.held?.timer);
    await this.http.stop();
  }

  /** What was asked at each subscription of a channel. */
  replays(channel: string): Array<number | undefined> {
    return this.messages
      .filter((message) => message.channel === '/meta/subscribe' && message.subscription === channel)
      .map(({ ext }) => (ext?.replay as Record<string, number> | undefined)?.[channel]);
  }

  count(channel: string): number {
    return this.messages.filter((message) => message.channel === channel).length;
  }

  /** Appends events and delivers them to who waits. */
  push(channel: string, ...headers: unknown[]): number[] {
    const ids = headers.map((header) => {
      const replayId = 100 + this.log.length * 3;
      this.log.push({
        channel,
        replayId,
        data: { schema: 's', payload: { LastName: 'Person', ChangeEventHeader: header }, event: { replayId } },
      });
      return replayId;
    });
    this.flush();
    return ids;
  }

  /** The server forgets its clients, as it does daily. */
  forgetClients(): void {
    for (const client of this.clients.values()) {
      if (client.held !== null) this.reply(client, [this.unknownClient(client.held.message)]);
    }
    this.clients.clear();
  }

  unknownClient({ channel, id }: FakeMessage): unknown {
    return {
      channel,
      id,
      error: '403::Unknown client',
      successful: false,
      advice: { interval: 0, reconnect: 'handshake' },
    };
  }

  /** Delivers what is waiting. */
  flush(): void {
    for (const client of this.clients.values()) {
      const events = client.held === null ? [] : this.take(client);
      if (events.length > 0 && client.held !== null)
        this.reply(client, [...events, this.connected(client.held.message)]);
    }
  }

  private reply(client: FakeClient, body: unknown[]): void {
    const { held } = client;
    client.held = null;
    clearTimeout(held?.timer);
    if (held === null) return;
    if (!this.cutNext) return json(held.response, 200, body);
    this.cutNext = false;
    const text = JSON.stringify(body);
    held.response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(text.length) });
    held.response.write(text.slice(0, text.length / 2), () => held.response.destroy());
  }

  private take(client: FakeClient): unknown[] {
    const due: Array<[number, unknown]> = [];
    for (const [channel, from] of client.positions) {
      for (let index = from; index < this.log.length; index += 1) {
        const event = this.log[index];
        if (event?.channel === channel) due.push([index, { channel, data: event.data }]);
      }
      client.positions.set(channel, this.log.length);
    }
    return due.toSorted(([a], [b]) => a - b).map(([, event]) => event);
  }

  private connected(message: FakeMessage): unknown {
    return { channel: '/meta/connect', id: message.id, clientId: message.clientId, successful: true };
  }

  private answer(request: Received, response: ServerResponse): void {
    if (request.path === '/services/oauth2/token') {
      this.tokens += 1;
      return json(response, 200, {
        access_token: `token-${this.tokens}`,
        instance_url: this.url,
        id: 'https://x/id/00D5f000003XYZaEAO/0055f000005mc66AAA',
      });
    }
    if (request.method !== 'POST') {
      this.strays.push(request);
      return json(response, 400, []);
    }
    const token = (request.headers.authorization ?? '').replace('OAuth ', '');
    const [message, ...more] = JSON.parse(request.body) as FakeMessage[];
    if (message === undefined || more.length > 0) {
      this.strays.push(request);
      return json(response, 400, []);
    }
    this.messages.push({ ...message, token });
    const client = this.clients.get(message.clientId ?? '');
    if (this.script(message, response, client)) return;
    if (this.refusedTokens.has(token)) {
      return json(response, 200, [
        {
          channel: message.channel,
          id: message.id,
          successful: false,
          error: message.channel === '/meta/handshake' ? '403::Handshake denied' : '401::Authentication invalid',
          ext: { sfdc: { failureReason: '401::Authentication invalid' } },
          advice: { reconnect: 'none', interval: 0 },
        },
      ]);
    }
    this.bayeux(message, client, response);
  }

  private bayeux(message: FakeMessage, known: FakeClient | undefined, response: ServerResponse): void {
    const { channel, id } = message;
    if (channel === '/meta/handshake') {
      const client: FakeClient = {
        id: `client-${this.clients.size + 1}-${id}`,
        connects: 0,
        positions: new Map(),
        held: null,
      };
      this.clients.set(client.id, client);
      return json(
        response,
        200,
        [
          {
            channel,
            id,
            clientId: client.id,
            successful: true,
            version: '1.0',
            supportedConnectionTypes: ['long-polling'],
            ext: { replay: true, 'payload.format': true },
          },
        ],
        { 'set-cookie': 'BAYEUX_BROWSER=b1; Path=/cometd/' },
      );
    }
    if (known === undefined) return json(response, 200, [this.unknownClient(message)]);
    if (channel === '/meta/subscribe') return this.subscribe(message, known, response);
    if (channel === '/meta/disconnect') {
      this.clients.delete(known.id);
      this.reply(known, [this.connected(message)]);
      return json(response, 200, [{ channel, id, clientId: known.id, successful: true }]);
    }
    known.connects += 1;
    if (known.connects === 1) {
      const advice = { interval: 0, timeout: this.holdMs, reconnect: 'retry' };
      return json(response, 200, [{ channel, id, clientId: known.id, successful: true, advice }]);
    }
    const timer = setTimeout(() => this.reply(known, [this.connected(message)]), this.holdMs);
    known.held = { response, message, timer };
    this.flush();
  }

  private subscribe(message: FakeMessage, client: FakeClient, response: ServerResponse): void {
    const { subscription = '', channel, id } = message;
    const asked = (message.ext?.replay as Record<string, number> | undefined)?.[subscription] ?? -1;
    const at = this.log.findIndex((event) => event.channel === subscription && event.replayId === asked);
    if (asked >= 0 && (at < 0 || at < this.retainedFrom)) {
      return json(response, 200, [
        {
          channel,
          id,
          clientId: client.id,
          subscription,
          successful: false,
          error: `400::The replayId {${asked}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
        },
      ]);
    }
    client.positions.set(subscription, asked === -1 ? this.log.length : asked === -2 ? this.retainedFrom : at + 1);
    json(response, 200, [{ channel, id, clientId: client.id, subscription, successful: true }]);
    this.flush();
  }
}
