import { CometD } from 'cometd';
import { adapt } from 'cometd-nodejs-client';
import type { TestOrg } from './test-org.js';

/** The `data` of an event message. */
export interface EventData {
  readonly payload: Record<string, unknown> & { readonly ChangeEventHeader: Record<string, unknown> };
  readonly event: { readonly replayId: number };
}

/**
 * Subscriptions by the reference client of CometD, from all that is kept on. Collects what comes. One at a time in a process:
 * the client has one cookie jar for all.
 */
export class CometdSubscriber {
  readonly events: EventData[] = [];
  /** The events of each channel. */
  readonly byChannel = new Map<string, EventData[]>();
  private readonly client = new CometD();

  private constructor(private readonly org: TestOrg) {}

  static async on(org: TestOrg, ...channels: string[]): Promise<CometdSubscriber> {
    adapt({});
    const subscriber = new CometdSubscriber(org);
    await subscriber.handshake();
    for (const channel of channels) await subscriber.subscribe(channel);
    return subscriber;
  }

  /** Type, entity and ids of each event so far. */
  told(events: readonly EventData[] = this.events) {
    return events.map(({ payload: { ChangeEventHeader: header } }) => [
      header['changeType'],
      header['entityName'],
      header['recordIds'],
    ]);
  }

  async close(): Promise<void> {
    // It does not answer when the server has ended the session.
    if (this.client.isDisconnected()) return;
    await new Promise<void>((resolve) => {
      this.client.disconnect(() => resolve());
    });
  }

  private async handshake(): Promise<void> {
    const { client, org } = this;
    client.unregisterTransport('websocket');
    client.configure({
      url: `${org.url}/cometd/67.0`,
      appendMessageTypeToURL: false,
      requestHeaders: { Authorization: `Bearer ${await org.token()}` },
    });
    await new Promise<void>((resolve, reject) => {
      client.handshake((reply) => (reply.successful ? resolve() : reject(new Error(String(reply.error)))));
    });
  }

  private async subscribe(channel: string): Promise<void> {
    const { client } = this;
    const own: EventData[] = [];
    this.byChannel.set(channel, own);
    const collect = ({ data }: { data: EventData }) => {
      this.events.push(data);
      own.push(data);
    };
    await new Promise<void>((resolve, reject) => {
      client.subscribe(
        channel,
        (message) => collect(message as unknown as { data: EventData }),
        { ext: { replay: { [channel]: -2 } } },
        (reply) => (reply.successful ? resolve() : reject(new Error(String(reply.error)))),
      );
    });
  }
}
