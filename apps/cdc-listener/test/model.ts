import { topics, type RecordChange, type Topic } from '@libs/contracts';
import {
  LeaseLostError,
  LogUnavailableError,
  type EventLog,
  type Lease,
  type LogRecord,
  type Outgoing,
  type ReadOptions,
} from '@libs/event-log';
import type { ChangeSource, ChangeStream, ChannelEvent, ReplayFrom, StreamEnd, StreamObserver } from '@libs/salesforce';

/** How long a connect without events is held. Source: facts/salesforce.md §1.3. */
const HOLD_MS = 110_000;

/** An org's retained events and the streams that follow them: what Salesforce promises, without a socket. */
export class ModelOrg {
  readonly events: ChannelEvent[] = [];
  readonly streams: ModelStream[] = [];
  readonly asked: Array<readonly [string, ReplayFrom]> = [];
  organizationId = '00D5f000003XYZaEAO';
  /** Events below this index are past the retention. */
  retainedFrom = 0;
  readonly refusedChannels = new Set<string>();
  /** Channels that are subscribed and deliver nothing. */
  readonly silentChannels = new Set<string>();
  /** Rows by object: id to SystemModstamp. */
  readonly rows = new Map<string, Map<string, number>>();
  /** Queries sent. */
  readonly queries: string[] = [];
  /** What is left of the day's events, of 100; `null`: the org does not tell. */
  allowance: number | null = 100;

  readonly source: ChangeSource = {
    transport: 'cometd',
    quietMs: 125_000,
    client: {
      connect: async () => ({ organizationId: this.organizationId, userId: 'u', instanceUrl: 'https://x' }),
      query: (soql: string) => this.query(soql),
      limits: async () =>
        new Map(
          this.allowance === null
            ? []
            : [['DailyDeliveredPlatformEvents', { max: 100, remaining: this.allowance }] as const],
        ),
    } as unknown as ChangeSource['client'],
    open: async (channels, observer) => new ModelStream(this, channels, observer),
  };

  /** A row written without an event that anybody receives, or beside one. */
  write(object: string, id: string, stampMs: number): void {
    const rows = this.rows.get(object) ?? new Map<string, number>();
    rows.set(id, stampMs);
    this.rows.set(object, rows);
  }

  /** The two queries that the listener sends: the newest stamp, and the rows since a moment by keyset. */
  private async query(
    soql: string,
  ): Promise<{ totalSize: number; records: Array<Record<string, string>>; next: null }> {
    this.queries.push(soql);
    const object = /FROM (\w+)/.exec(soql)?.[1] ?? '';
    const since = /SystemModstamp >=? (\S+?)(?: |$)/.exec(soql)?.[1];
    const fromMs = since === undefined ? 0 : Date.parse(since);
    const rows = [...(this.rows.get(object) ?? [])].filter(([, stampMs]) => stampMs >= fromMs);
    rows.sort(([a, at], [b, bt]) => at - bt || (a < b ? -1 : 1));
    const wanted = soql.includes('DESC LIMIT 1') ? rows.slice(-1) : rows.slice(0, 2_000);
    const records = wanted.map(([Id, stampMs]) => ({ Id, SystemModstamp: new Date(stampMs).toISOString() }));
    return { totalSize: records.length, records, next: null };
  }

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
  private readonly keepalive: NodeJS.Timeout;

  constructor(
    private readonly org: ModelOrg,
    channels: readonly string[],
    private readonly observer: StreamObserver,
  ) {
    org.streams.push(this);
    for (const channel of channels) this.subscribe(channel);
    observer.onAlive();
    this.keepalive = setInterval(() => observer.onAlive(), HOLD_MS);
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
        const wanted = event !== undefined && this.next_ >= (this.from.get(event.channel) ?? Infinity);
        if (wanted && !this.org.silentChannels.has(event.channel)) due.push(event);
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
    clearInterval(this.keepalive);
    this.over = true;
    this.wake();
  }

  get closed(): boolean {
    return this.over;
  }

  async close(): Promise<void> {
    clearInterval(this.keepalive);
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
  onAppend: (messages: readonly Outgoing[]) => void = () => undefined;

  get changes(): RecordChange[] {
    return this.appended.filter(({ topic }) => topic === topics.changes).map(({ value }) => value as RecordChange);
  }

  /** What is in a topic, by value. */
  valuesOf<T>(topic: Topic<T>): T[] {
    return this.appended.filter((message) => message.topic.name === topic.name).map(({ value }) => value as T);
  }

  /** Waits that end when something is appended. */
  private readonly followers = new Set<() => void>();

  private async *follow(topic: Topic, { untilEnd = false, signal }: ReadOptions = {}): AsyncIterable<LogRecord[]> {
    let next = 0;
    const over = () => signal?.aborted === true;
    while (!over()) {
      const records = this.appended
        .filter((message) => message.topic.name === topic.name)
        .map(({ key, value }, offset) => ({
          topic: topic.name,
          partition: 0,
          offset,
          key,
          value: JSON.stringify(value),
          headers: {},
          timestampMs: 0,
        }));
      if (records.length > next) yield records.slice(next);
      next = records.length;
      if (untilEnd) return;
      await new Promise<void>((resolve) => {
        this.followers.add(resolve);
        signal?.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Another service's message. */
  append(...messages: Outgoing[]): void {
    this.appended.push(...messages);
    this.onAppend(messages);
    for (const wake of this.followers) wake();
    this.followers.clear();
  }

  /** A new holder: its log and its lease, dead together. */
  holder(): { log: Pick<EventLog, 'append' | 'read' | 'offsets'>; lease: Lease; lose: () => void } {
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
          await passing('append', () => this.append(...messages));
          return [];
        },
        read: (topic, options) => this.follow(topic, options),
        offsets: async (topic) => [{ partition: 0, earliest: 0, next: this.valuesOf(topic).length }],
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
