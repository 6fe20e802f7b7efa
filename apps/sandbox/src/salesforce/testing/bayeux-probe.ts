/** A Bayeux message of a reply. */
export type Message = Readonly<Record<string, unknown>>;

/** A bare Bayeux client for specs: sends one message a request, keeps the cookies, interprets nothing. */
export class BayeuxProbe {
  clientId = '';
  cookie = '';
  /** The text of the last reply. */
  lastText = '';
  /** Requests without an answer yet. */
  pending = 0;
  private sent = 0;

  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {}

  async handshake(): Promise<Message | undefined> {
    this.sent = 0;
    const [reply] = await this.send({
      channel: '/meta/handshake',
      version: '1.0',
      supportedConnectionTypes: ['in-process', 'websocket', 'long-polling'],
    });
    if (typeof reply?.['clientId'] === 'string') this.clientId = reply['clientId'];
    return reply;
  }

  async connect(signal?: AbortSignal): Promise<Message[]> {
    return this.send({ channel: '/meta/connect', connectionType: 'long-polling' }, signal);
  }

  /** `replay` undefined sends no replay option. */
  async subscribe(subscription: string, replay?: unknown): Promise<Message | undefined> {
    const ext = replay === undefined ? {} : { ext: { replay: { [subscription]: replay } } };
    return (await this.send({ channel: '/meta/subscribe', subscription, ...ext }))[0];
  }

  /** Sends one message with the client's id and the next message id. */
  async send(message: Message, signal?: AbortSignal): Promise<Message[]> {
    this.sent += 1;
    const isHandshake = message['channel'] === '/meta/handshake';
    const full = { ...message, ...(isHandshake ? {} : { clientId: this.clientId }), id: String(this.sent) };
    const response = await this.post(JSON.stringify([full]), signal);
    const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0]);
    if (cookies.length > 0) this.cookie = cookies.join('; ');
    this.lastText = await response.text();
    return JSON.parse(this.lastText) as Message[];
  }

  async post(body: string, signal?: AbortSignal): Promise<Response> {
    this.pending += 1;
    try {
      return await fetch(this.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(this.cookie === '' ? {} : { cookie: this.cookie }),
          ...(this.token === '' ? {} : { authorization: `OAuth ${this.token}` }),
        },
        body,
        ...(signal === undefined ? {} : { signal }),
      });
    } finally {
      this.pending -= 1;
    }
  }
}

/** The event messages among the messages of a reply. */
export const eventsIn = (messages: readonly Message[]) => messages.filter((one) => one['data'] !== undefined);

/** The change event header of an event message. */
export const headerOf = (message: Message | undefined) =>
  (message?.['data'] as { payload: { ChangeEventHeader: Record<string, unknown> } } | undefined)?.payload
    .ChangeEventHeader;

/** The replay id of an event message; NaN when it is none. */
export const replayIdOf = (message: Message | undefined) =>
  (message?.['data'] as { event: { replayId: number } } | undefined)?.event.replayId ?? Number.NaN;

/** The record ids of all events of a reply, in order. */
export const idsIn = (messages: readonly Message[]) =>
  eventsIn(messages).flatMap((one) => headerOf(one)?.['recordIds']);
