import type { Logger } from '@libs/observability';
import type { Session, Sessions } from '../../rest/session.js';
import type {
  ChangeStream,
  ChannelEvent,
  ChannelRefusal,
  StreamEnd,
  StreamFailure,
  StreamObserver,
} from '../change-stream.js';
import { EventQueue } from '../event-queue.js';
import { pause } from '../supervise-stream.js';
import { PubSubClient, type PubSubEndpoint } from './pubsub-client.js';
import { classifyRpcEnd, toRpcEnd, type RpcEnd } from './rpc-error.js';
import type { SchemaCache } from './schema-cache.js';
import { TopicSubscription, type SchemaSource } from './topic-subscription.js';

/** When a subscription that says nothing is given up. Milliseconds. */
export interface PubSubTimings {
  /** Longest answer to one question about a topic or a schema. */
  readonly answerMs: number;
  /** Longest silence of a subscription with credit; Salesforce breaks it after 270 s. Source: facts/salesforce.md §2.2. */
  readonly silenceMs: number;
  /** A subscription that is not refused in this time works: nothing else is said until there is an event. */
  readonly settleMs: number;
  /** How often a refused channel is tried again. */
  readonly probeMs: number;
  /** How often all this is looked at. */
  readonly tickMs: number;
}

export const PUBSUB_TIMINGS: PubSubTimings = {
  answerMs: 60_000,
  silenceMs: 300_000,
  settleMs: 3_000,
  probeMs: 5 * 60_000,
  tickMs: 1_000,
};

/** Most events and record ids that wait between socket and log, beside 100 events of each topic on their way: about 5 MB. */
const MAX_WAITING = 20_000;

export interface PubSubOptions {
  readonly timings?: Partial<PubSubTimings>;
  readonly maxWaiting?: number;
}

interface ChannelState {
  subscription: TopicSubscription | null;
  /** When the subscription counts as taken; `null` when that was told. */
  settlesAt: number | null;
  /** Has a subscription of it ever been answered on this stream? */
  answered: boolean;
  /** When a refused channel is tried again. */
  probeAt: number | null;
  /** Was it already subscribed anew after a refused replay id? */
  reset: boolean;
}

/**
 * One connection to the Pub/Sub API with a Subscribe call for each channel. What fails for all ends it with one typed
 * reason; what is refused for one channel is told, and tried again, while the others flow. Source: facts/salesforce.md §2.
 */
class PubSubStream implements ChangeStream {
  end: StreamEnd | null = null;
  private over = false;
  private readonly closing = new AbortController();
  private readonly queue = new EventQueue(Infinity);
  private readonly client: PubSubClient;
  private readonly channels: Map<string, ChannelState>;
  private readonly timings: PubSubTimings;
  private readonly maxWaiting: number;
  private readonly watchdog: NodeJS.Timeout;
  private readonly schemas: SchemaSource;

  constructor(
    channels: readonly string[],
    private readonly session: Session,
    private readonly parts: PubSubParts,
    private readonly observer: StreamObserver,
    { timings, maxWaiting = MAX_WAITING }: PubSubOptions,
  ) {
    this.timings = { ...PUBSUB_TIMINGS, ...timings };
    this.maxWaiting = maxWaiting;
    this.channels = new Map(
      channels.map((channel) => [
        channel,
        { subscription: null, settlesAt: null, answered: false, probeAt: null, reset: false },
      ]),
    );
    this.client = new PubSubClient(parts.endpoint, session, this.timings.answerMs);
    this.schemas = {
      known: (id) => {
        const schema = parts.schemas.known(id);
        return schema === null ? null : { kind: 'schema', schema };
      },
      get: (id) =>
        parts.schemas.get(
          id,
          (asked) => this.client.schema(asked),
          (ms) => pause(ms, this.closing.signal),
        ),
    };
    for (const channel of channels) void this.follow(channel);
    this.watchdog = setInterval(() => this.watch(), this.timings.tickMs);
  }

  get worked(): boolean {
    // All that are not refused: one that fails at once must not be tried at the pace of one that works
    const taken = [...this.channels.values()].filter(({ probeAt }) => probeAt === null);
    return taken.length > 0 && taken.every(({ answered }) => answered);
  }

  async next(max: number): Promise<readonly ChannelEvent[] | null> {
    const events = await this.queue.take(max);
    for (const { subscription } of this.channels.values()) subscription?.ask();
    return events;
  }

  async close(): Promise<void> {
    this.queue.end(true);
    if (!this.over) this.shut();
  }

  private shut(): void {
    this.over = true;
    clearInterval(this.watchdog);
    for (const { subscription } of this.channels.values()) subscription?.cancel();
    this.closing.abort();
    this.client.close();
  }

  /** Ends the stream. What was received stays to be taken; nothing more comes. */
  private fail(failure: StreamFailure, detail: string): void {
    if (this.over) return;
    this.shut();
    this.end = { failure, detail };
    if (failure === 'session') this.parts.sessions.discard(this.session);
    this.queue.end(false);
  }

  /** Subscribes a channel. The question about the topic goes first: a subscription itself says nothing when it is taken. */
  private async follow(channel: string): Promise<void> {
    const state = this.channels.get(channel);
    if (state === undefined) return;
    state.probeAt = null;
    state.subscription = null;
    try {
      const { canSubscribe } = await this.client.topic(channel);
      if (this.over) return;
      if (!canSubscribe) return this.refuse(channel, 'permission', 'the user may not subscribe to it');
    } catch (error) {
      return this.judge(channel, toRpcEnd(error));
    }
    state.settlesAt = Date.now() + this.timings.settleMs;
    state.subscription = this.subscription(channel, state);
  }

  private subscription(channel: string, state: ChannelState): TopicSubscription {
    return new TopicSubscription(channel, this.observer.position(channel), this.client.subscribe(), this.schemas, {
      hasRoom: () => this.queue.load < this.maxWaiting,
      onAnswer: () => {
        state.answered = true;
        this.settle(channel, state);
        this.observer.onAlive();
      },
      onEvent: (event) => void this.queue.push(event),
      onUnreadable: (replayId, detail) =>
        this.parts.logger?.error({ channel, replayId, detail }, 'an event cannot be read'),
      onEnd: (end) => this.judge(channel, end),
    });
  }

  private settle(channel: string, state: ChannelState): void {
    if (state.settlesAt === null || this.over) return;
    state.settlesAt = null;
    this.observer.onSubscribed(channel);
  }

  private judge(channel: string, end: RpcEnd): void {
    if (this.over) return;
    const starved = this.channels.get(channel)?.subscription?.waitingSince === null;
    if (starved && end.errorCode === '') {
      return this.fail('overflow', 'the server gave up waiting while the log was too slow');
    }
    const verdict = classifyRpcEnd(end);
    if (verdict.scope === 'client') this.fail(verdict.failure, verdict.detail);
    else this.refuse(channel, verdict.refusal, verdict.detail);
  }

  private refuse(channel: string, refusal: ChannelRefusal, detail: string): void {
    const state = this.channels.get(channel);
    if (state === undefined) return;
    state.subscription = null;
    state.settlesAt = null;
    const again = refusal === 'replay-id' && !state.reset;
    if (again) state.reset = true;
    this.observer.onRefused(channel, refusal, detail);
    if (again) void this.follow(channel);
    else state.probeAt = Date.now() + this.timings.probeMs;
  }

  private watch(): void {
    const now = Date.now();
    for (const [channel, state] of this.channels) {
      const { subscription, settlesAt, probeAt } = state;
      const since = subscription?.waitingSince ?? null;
      if (since !== null && now - since > this.timings.silenceMs) {
        return this.fail('silent', `nothing from ${channel} in time`);
      }
      if (settlesAt !== null && now >= settlesAt) this.settle(channel, state);
      if (probeAt !== null && now >= probeAt) void this.follow(channel);
    }
  }
}

/** What streams of one process share. */
export interface PubSubParts {
  readonly endpoint: PubSubEndpoint;
  readonly sessions: Sessions;
  readonly schemas: SchemaCache;
  readonly logger?: Logger | undefined;
}

/** Opens a stream over the Pub/Sub API on the session in use. Errors: those of ../../errors.ts when no session is to be had. */
export async function openPubSubStream(
  parts: PubSubParts,
  channels: readonly string[],
  observer: StreamObserver,
  options: PubSubOptions = {},
): Promise<ChangeStream> {
  return new PubSubStream(channels, await parts.sessions.current(), parts, observer, options);
}
