import type { Session, Sessions } from '../rest/session.js';
import { classifyBayeux, type BayeuxMessage } from './bayeux.js';
import type {
  ChangeStream,
  ChannelEvent,
  ReplayFrom,
  StreamEnd,
  StreamFailure,
  StreamObserver,
} from './change-stream.js';
import { EventQueue } from './event-queue.js';
import {
  createFayeClient,
  killFayeClient,
  type FayeClient,
  type FayeExtension,
  type MutableBayeuxMessage,
} from './faye-client.js';

/** When a client that says nothing is given up. Milliseconds. */
export interface CometdTimings {
  /** Longest handshake, and longest wait for the answer to a subscription. */
  readonly answerMs: number;
  /** How long the server holds a connect, until it says so itself. Source: facts/salesforce.md §1.3. */
  readonly holdMs: number;
  /** Grace on top of the hold: below faye's own 1.2 × hold, after which it would resend to a session that is long gone. */
  readonly marginMs: number;
  /** How often a refused channel is tried again. */
  readonly probeMs: number;
  /** How often all this is looked at. */
  readonly tickMs: number;
  /** Longest good-bye. */
  readonly goodbyeMs: number;
}

export const COMETD_TIMINGS: CometdTimings = {
  answerMs: 60_000,
  holdMs: 110_000,
  marginMs: 15_000,
  probeMs: 5 * 60_000,
  tickMs: 1_000,
  goodbyeMs: 1_000,
};

/** Most record ids that wait between socket and log: about 20 MB. */
const MAX_WAITING_IDS = 100_000;

export interface CometdOptions {
  readonly timings?: Partial<CometdTimings>;
  readonly maxWaitingIds?: number;
}

/** What Salesforce takes as a starting point. Source: facts/salesforce.md §1.9. */
function wireReplay(from: ReplayFrom): number {
  if (from === 'new') return -1;
  if (from === 'all') return -2;
  return Number(from.after);
}

/** The part of an event that this project keeps; field values end here. */
function toChannelEvent(channel: string, data: unknown): ChannelEvent {
  const { payload, event } = (data ?? {}) as {
    payload?: { ChangeEventHeader?: unknown };
    event?: { replayId?: unknown };
  };
  const replayId = event?.replayId;
  // A number that JSON.parse had to round is another event's position: better to stay where we are
  const whole = typeof replayId === 'number' && Number.isSafeInteger(replayId) && replayId >= 0;
  return { channel, replayId: whole ? String(replayId) : null, header: payload?.ChangeEventHeader };
}

interface ChannelState {
  subscribed: boolean;
  /** When the answer to a subscription under way is overdue. */
  dueAt: number | null;
  /** When a refused channel is tried again. */
  probeAt: number | null;
  /** Was it already subscribed anew after a refused replay id? */
  reset: boolean;
}

/**
 * One faye client over CometD from handshake to death. Every refusal, disguise and silence of facts/salesforce.md §1.10 to
 * §1.12 ends it with one typed reason; faye's own recovery is not relied on, since it resubscribes without telling.
 */
class CometdStream implements ChangeStream {
  end: StreamEnd | null = null;
  worked = false;
  private over = false;
  private readonly queue: EventQueue;
  private readonly client: FayeClient;
  private readonly channels: Map<string, ChannelState>;
  /** Channel of each subscription under way, by message id: a refusal does not always name it. */
  private readonly asked = new Map<string, string>();
  private readonly timings: CometdTimings;
  private readonly watchdog: NodeJS.Timeout;
  private answerDueAt: number;
  private goodbye: (() => void) | null = null;
  private closing: Promise<void> | null = null;

  constructor(
    channels: readonly string[],
    private readonly session: Session,
    private readonly sessions: Sessions,
    private readonly observer: StreamObserver,
    options: CometdOptions,
  ) {
    this.timings = { ...COMETD_TIMINGS, ...options.timings };
    this.queue = new EventQueue(options.maxWaitingIds ?? MAX_WAITING_IDS);
    this.channels = new Map(
      channels.map((channel) => [channel, { subscribed: false, dueAt: null, probeAt: null, reset: false }]),
    );
    this.answerDueAt = Date.now() + this.timings.answerMs;
    // faye would repeat the request. But an answer that did not arrive whole may have carried events, and the server counts
    // them as delivered to this client: only a new one, from the committed position, gets them again. Invariant 1
    const broken = () => this.fail('transport', 'a request failed, or its answer did not arrive whole');
    this.client = createFayeClient(session, this.extension(), broken);
    this.client.on('transport:down', broken);
    for (const channel of channels) this.subscribe(channel);
    this.watchdog = setInterval(() => this.watch(), this.timings.tickMs);
  }

  next(max: number): Promise<readonly ChannelEvent[] | null> {
    return this.queue.take(max);
  }

  close(): Promise<void> {
    this.closing ??= this.shut();
    return this.closing;
  }

  private async shut(): Promise<void> {
    this.queue.end(true);
    if (this.over) return;
    this.over = true;
    clearInterval(this.watchdog);
    await this.sayGoodbye();
    killFayeClient(this.client);
  }

  /** Ends the stream. What was received stays to be taken; nothing more comes. */
  private fail(failure: StreamFailure, detail: string): void {
    if (this.over) return;
    this.over = true;
    this.end = { failure, detail };
    clearInterval(this.watchdog);
    if (failure === 'session') this.sessions.discard(this.session);
    killFayeClient(this.client);
    this.queue.end(false);
  }

  /** Frees the server's side, so that the org's limit of clients is not used up by the dead. */
  private async sayGoodbye(): Promise<void> {
    if (this.client._state !== this.client.CONNECTED) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.goodbye = resolve;
    const limit = setTimeout(resolve, this.timings.goodbyeMs);
    this.client.disconnect();
    await promise;
    clearTimeout(limit);
  }

  private subscribe(channel: string): void {
    const state = this.channels.get(channel);
    if (state === undefined) return;
    state.probeAt = null;
    // Answers come through the extension; faye's own promise would miss a refusal after a re-handshake
    this.client.subscribe(channel, () => undefined).then(undefined, () => undefined);
  }

  private extension(): FayeExtension {
    return {
      outgoing: (message, callback) => {
        if (message.channel === '/meta/handshake') message.ext = { ...message.ext, replay: true };
        if (message.channel === '/meta/subscribe') this.placeReplay(message);
        callback(message);
      },
      incoming: (message, callback) => {
        try {
          this.receive(message as BayeuxMessage);
        } catch (error) {
          // An exception in here would stall faye's loop without a word
          this.fail('unknown', `reading a message: ${error instanceof Error ? error.message : 'failed'}`);
        }
        callback(this.over ? null : message);
      },
    };
  }

  /** Writes the position of exactly this subscription, as committed now. Invariant 1. */
  private placeReplay(message: MutableBayeuxMessage): void {
    const channel = String(message.subscription);
    const state = this.channels.get(channel);
    if (state === undefined) return;
    this.asked.set(String(message.id), channel);
    state.dueAt = Date.now() + this.timings.answerMs;
    message.ext = { ...message.ext, replay: { [channel]: wireReplay(this.observer.position(channel)) } };
  }

  private receive(message: BayeuxMessage): void {
    if (message?.channel === '/meta/disconnect') this.goodbye?.();
    if (this.over) return;
    const verdict = classifyBayeux(message);
    if (verdict?.scope === 'client') return this.fail(verdict.failure, verdict.detail);
    if (message.channel === '/meta/subscribe') return this.subscribed(message, verdict);
    if (message.channel === '/meta/handshake' || message.channel === '/meta/connect') return this.answered(message);
    if (message.data !== undefined && message.channel !== undefined) this.event(message.channel, message.data);
  }

  private subscribed(message: BayeuxMessage, refused: ReturnType<typeof classifyBayeux>): void {
    const channel = this.asked.get(String(message.id)) ?? String(message.subscription);
    this.asked.delete(String(message.id));
    const state = this.channels.get(channel);
    if (state === undefined) return;
    state.dueAt = null;
    if (refused?.scope !== 'channel') {
      state.subscribed = true;
      this.observer.onSubscribed(channel);
      return;
    }
    state.subscribed = false;
    const again = refused.refusal === 'replay-id' && !state.reset;
    if (again) state.reset = true;
    state.probeAt = Date.now() + (again ? 0 : this.timings.probeMs);
    this.observer.onRefused(channel, refused.refusal, refused.detail);
  }

  private answered({ channel, advice }: BayeuxMessage): void {
    const hold = Math.max(advice?.timeout ?? this.timings.holdMs, 0);
    this.answerDueAt = Date.now() + hold + this.timings.marginMs;
    if (channel !== '/meta/connect') return;
    if ([...this.channels.values()].some(({ subscribed }) => subscribed)) this.worked = true;
    this.observer.onAlive();
  }

  private event(channel: string, data: unknown): void {
    // On a channel of several objects the message might name the object's own; with one channel there is no doubt
    const only = this.channels.size === 1 ? [...this.channels.keys()][0] : undefined;
    const event = toChannelEvent(this.channels.has(channel) ? channel : (only ?? channel), data);
    if (!this.queue.push(event)) this.fail('overflow', 'events come faster than the log takes them');
  }

  private watch(): void {
    const now = Date.now();
    if (now > this.answerDueAt) return this.fail('silent', 'no answer to a connect in time');
    for (const [channel, state] of this.channels) {
      if (state.dueAt !== null && now > state.dueAt) return this.fail('silent', `no answer to subscribing ${channel}`);
      if (state.probeAt !== null && now >= state.probeAt) this.subscribe(channel);
    }
  }
}

/** Opens a stream over CometD on the session in use. Errors: those of ../errors.ts when no session is to be had. */
export async function openCometdStream(
  sessions: Sessions,
  channels: readonly string[],
  observer: StreamObserver,
  options: CometdOptions = {},
): Promise<ChangeStream> {
  return new CometdStream(channels, await sessions.current(), sessions, observer, options);
}
