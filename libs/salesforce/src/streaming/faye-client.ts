import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Session } from '../rest/session.js';
import type { BayeuxMessage } from './bayeux.js';

/** A hook on every message of a faye client. `callback(null)` makes faye forget the message. */
export interface FayeExtension {
  incoming(message: unknown, callback: (message: unknown) => void): void;
  outgoing(message: MutableBayeuxMessage, callback: (message: unknown) => void): void;
}

export type MutableBayeuxMessage = { -readonly [K in keyof BayeuxMessage]: BayeuxMessage[K] } & {
  ext?: Record<string, unknown>;
};

interface Envelope {
  readonly timer?: NodeJS.Timeout | null;
  readonly request?: Promise<{ destroy(): void } | undefined> | null;
}

/** Parts of faye 1.4.3 that this project uses. Those with an underscore are not public: see {@link killFayeClient}. */
export interface FayeClient {
  subscribe(channel: string, listener: () => void): PromiseLike<void>;
  disconnect(): unknown;
  disable(feature: string): void;
  on(event: 'transport:down', listener: () => void): void;
  readonly DISCONNECTED: number;
  readonly CONNECTED: number;
  _state: number;
  readonly _advice: { reconnect: string };
  readonly _dispatcher: {
    readonly _envelopes: Map<string, Envelope>;
    readonly _transport?: { batching: boolean; request(messages: unknown): ClientRequest };
    selectTransport(types: unknown): void;
    close(): void;
  };
}

/**
 * One faye client on the session's token, made by jsforce (long polling, one message a request), with one extension of ours.
 * `onBroken`: an answer broke off; faye itself would notice at its timeout of two minutes.
 *
 * jsforce's own Replay and AuthFailure extensions are not used: two of the first overwrite each other, the second swallows
 * the message and leaves a silent client (facts/salesforce.md §1.12, 1 and 6).
 */
export function createFayeClient(session: Session, extension: FayeExtension, onBroken: () => void): FayeClient {
  const hooks = {
    ...extension,
    added: (client: FayeClient) => {
      // Before jsforce picks the transport: faye would try a WebSocket first, which Salesforce does not speak
      client.disable('websocket');
      mendTransport(client, onBroken);
    },
  };
  const client = session.connection.streaming.createClient([hooks]) as unknown as FayeClient;
  client.disable('autodisconnect');
  return client;
}

/**
 * One message a request: jsforce switches batching off once, but faye makes a new transport at each handshake, and a connect
 * that shares its request with a subscription is not what Salesforce expects. And an eye on answers that break off.
 */
function mendTransport({ _dispatcher: dispatcher }: FayeClient, onBroken: () => void): void {
  const select = dispatcher.selectTransport.bind(dispatcher);
  dispatcher.selectTransport = (types) => {
    const before = dispatcher._transport;
    select(types);
    const transport = dispatcher._transport;
    if (transport === undefined || transport === before) return;
    transport.batching = false;
    const send = transport.request.bind(transport);
    transport.request = (messages) =>
      send(messages).on('response', (answer: IncomingMessage) => {
        answer.once('close', () => {
          if (!answer.complete) onBroken();
        });
      });
  };
}

/** Shakes hands off: no timer, request or retry of this client is left, whatever state it is in. */
export function killFayeClient(client: FayeClient): void {
  // faye has no way to stop for good but a disconnect that the server confirms; without this it retries for ever
  client._state = client.DISCONNECTED;
  client._advice.reconnect = 'none';
  const envelopes = [...client._dispatcher._envelopes.values()];
  client._dispatcher._envelopes.clear();
  client._dispatcher.close();
  for (const { timer, request } of envelopes) {
    clearTimeout(timer ?? undefined);
    void request?.then((sent) => sent?.destroy());
  }
}
