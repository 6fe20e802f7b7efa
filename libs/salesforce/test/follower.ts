import type {
  ChangeStream,
  ChannelEvent,
  ChannelRefusal,
  ReplayFrom,
  StreamEnd,
  StreamObserver,
} from '../src/streaming/change-stream.js';
import { superviseStream } from '../src/streaming/supervise-stream.js';

/** A taker as the listener is one: an event is committed when it was consumed. */
export class Follower {
  readonly events: ChannelEvent[] = [];
  readonly failures: StreamEnd[] = [];
  readonly refusals: Array<[string, ChannelRefusal]> = [];
  readonly subscribed: string[] = [];
  readonly positions = new Map<string, ReplayFrom>();
  /** Which failure in a row each one was, as the supervisor counts. */
  readonly attempts: number[] = [];
  alive = 0;
  /** The one in hand, or the last one. */
  stream: ChangeStream | null = null;
  /** Holds the taker back. */
  gate: Promise<void> = Promise.resolve();
  private readonly controller = new AbortController();
  private readonly done: Promise<void>;

  constructor(open: (observer: StreamObserver) => Promise<ChangeStream>) {
    const observer: StreamObserver = {
      position: (channel) => this.positions.get(channel) ?? 'new',
      onSubscribed: (channel) => void this.subscribed.push(channel),
      onRefused: (channel, refusal) => {
        this.refusals.push([channel, refusal]);
        if (refusal === 'replay-id') this.positions.set(channel, 'all');
      },
      onAlive: () => {
        this.alive += 1;
      },
    };
    this.done = superviseStream({
      open: async () => (this.stream = await open(observer)),
      consume: async (stream) => {
        for (;;) {
          await this.gate;
          const events = await stream.next(10);
          if (events === null) return;
          for (const event of events) {
            this.events.push(event);
            if (event.replayId !== null) this.positions.set(event.channel, { after: event.replayId });
          }
        }
      },
      onFailure: (end) => void this.failures.push(end),
      signal: this.controller.signal,
      delayMs: (_failure, attempt) => {
        this.attempts.push(attempt);
        return attempt > 1 ? 20 : 0;
      },
    });
  }

  async stop(): Promise<void> {
    this.controller.abort();
    await this.done;
  }
}
