import { topics, type RecordChange } from '@libs/contracts';
import { LeaseLostError, LogUnavailableError, type EventLog, type Lease, type Outgoing } from '@libs/event-log';
import type { ChangeSource, ChangeStream, ChannelEvent, ReplayFrom, StreamEnd, StreamObserver } from '@libs/salesforce';

/** An org's retained events and the streams that follow them: what Salesforce promises, without a socket. */
export class ModelOrg {
  readonly events: ChannelEvent[] = [];
  readonly streams: ModelStream[] = [];
  readonly asked: Array<readonly [string, ReplayFrom]> = [];
  organizationId = '00D5f000003XYZaEAO';
  /** Events below this index are past the retention. */
  retainedFrom = 0;
  readonly refusedChannels = new Set<string>();

  readonly source: ChangeSource = {
    transport: 'cometd',
    quietMs: 125_000,
    client: {
      connect: async () => ({ organizationId: this.organizationId, userId: 'u', instanceUrl: 'https://x' }),
    } as ChangeSource['client'],
    open: async (channels, observer) => new ModelStream(this, channels, observer),
  };

  commit(channel: string, header: unknown): ChannelEvent {
    const event = { channel, replayId: String(100 + this.events.length * 3), header };
    this.events.push(event);
    this.streams.at(-1)?.wake();
    return event;
  }

  /** Salesforce moves on without an event. */
  pass(channel: string): ChannelEvent {
    const mark = {
      channel,
      replayId: String(100 + this.events.length * 3),
      header: undefined,
      kind: 'position' as const,
    };
    this.events.push(mark);
    this.streams.at(-1)?.wake();
    return mark;
  }

  get stream(): ModelStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no stream was opened');
    return stream;
  }
}

export class ModelStream implements ChangeStream {
  end: StreamEnd | null = null;
  worked = true;
  private over = false;
  private readonly from = new Map<string, number>();
  private next_ = 0;
  /** Events of after its end do not reach it. */
  private limit = Infinity;
  private waiting: (() => void) | null = null;

  constructor(
    private readonly org: ModelOrg,
    channels: readonly string[],
    private readonly observer: StreamObserver,
  ) {
    org.streams.push(this);
    for (const channel of channels) this.subscribe(channel);
    observer.onAlive();
  }

  private subscribe(channel: string): void {
    const from = this.observer.position(channel);
    this.org.asked.push([channel, from]);
    if (this.org.refusedChannels.has(channel))
      return this.observer.onRefused(channel, 'permission', '403::Restricted channel');
    let start = this.org.retainedFrom;
    if (from === 'new') start = this.org.events.length;
    else if (from !== 'all') {
      const at = this.org.events.findIndex(({ replayId }) => replayId === from.after);
      if (at < this.org.retainedFrom) {
        this.observer.onRefused(channel, 'replay-id', '400::The replayId was invalid');
        return this.subscribe(channel);
      }
      start = at + 1;
    }
    this.from.set(channel, start);
    this.observer.onSubscribed(channel);
  }

  async next(max: number): Promise<readonly ChannelEvent[] | null> {
    for (;;) {
      const due: ChannelEvent[] = [];
      while (this.next_ < Math.min(this.limit, this.org.events.length) && due.length < max) {
        const event = this.org.events[this.next_];
        if (event !== undefined && this.next_ >= (this.from.get(event.channel) ?? Infinity)) due.push(event);
        this.next_ += 1;
      }
      if (due.length > 0) return due;
      if (this.over) return null;
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
  }

  wake(): void {
    this.waiting?.();
  }

  fail(failure: StreamEnd['failure']): void {
    this.end = { failure, detail: 'as told' };
    this.limit = this.org.events.length;
    this.over = true;
    this.wake();
  }

  async close(): Promise<void> {
    this.over = true;
    this.next_ = Number.MAX_SAFE_INTEGER;
    this.wake();
  }
}

/** The log and the lease as far as the listener uses them. `crash` cuts a holder off, as a dead process is. */
export class ModelLog {
  readonly appended: Outgoing[] = [];
  cursor: string | null = null;
  saves = 0;
  /** Appends that fail before they do anything. */
  failing = 0;
  /** What happens at the next append or save: die before it, or after it. */
  crashAt: { on: 'append' | 'save'; when: 'before' | 'after'; skip: number } | null = null;
  onCrash: () => void = () => undefined;

  get changes(): RecordChange[] {
    return this.appended.filter(({ topic }) => topic === topics.changes).map(({ value }) => value as RecordChange);
  }

  /** A new holder: its log and its lease, dead together. */
  holder(): { log: Pick<EventLog, 'append'>; lease: Lease; lose: () => void } {
    const lost = new AbortController();
    let dead = false;
    const die = (): Promise<never> => {
      dead = true;
      this.crashAt = null;
      this.onCrash();
      return new Promise(() => undefined);
    };
    const passing = async (on: 'append' | 'save', act: () => void): Promise<void> => {
      if (dead) return die();
      const crash = this.crashAt?.on === on && (this.crashAt.skip -= 1) < 0 ? this.crashAt : null;
      if (crash?.when === 'before') return die();
      act();
      if (crash?.when === 'after') return die();
    };
    return {
      log: {
        append: async (messages) => {
          if (this.failing > 0) {
            this.failing -= 1;
            throw new LogUnavailableError('out');
          }
          await passing('append', () => this.appended.push(...messages));
          return [];
        },
      },
      lease: {
        signal: lost.signal,
        cursor: this.cursor,
        heartbeatAgeMs: () => 0,
        saveCursor: async (cursor) => {
          if (lost.signal.aborted) throw new LeaseLostError('lost');
          await passing('save', () => {
            this.cursor = cursor;
            this.saves += 1;
          });
        },
      },
      lose: () => lost.abort(),
    };
  }
}
