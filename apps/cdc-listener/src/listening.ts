import { SyncError } from '@libs/contracts';
import type { EventLog, Lease } from '@libs/event-log';
import type { Health, Logger, Metrics } from '@libs/observability';
import {
  pause,
  superviseStream,
  type ChangeSource,
  type ChangeStream,
  type ChannelRefusal,
  type ReplayFrom,
  type StreamEnd,
  type Supervision,
} from '@libs/salesforce';
import { closeGap, expireTimes, isPast, openGap, RETENTION_MS } from './core/position.js';
import { EndableStream, NO_STREAM } from './endable-stream.js';
import type { EventFilter } from './event-filter.js';
import { EventTaker } from './event-taker.js';
import { HoleOpener } from './hole-opener.js';
import { MergeMasters } from './merge-masters.js';
import { Nudge } from './nudge.js';
import { OpenHoles } from './open-holes.js';
import { Poller } from './poller.js';
import { Polling } from './polling.js';
import { PositionBook } from './position-book.js';
import { Publisher } from './publisher.js';
import { SilenceWatch } from './silence-watch.js';
import { SubscriptionReport } from './subscription-report.js';
import { TIMINGS, type Timings } from './timings.js';

/** Most events taken in one go: they are durable, or come again, together. */
const MAX_EVENTS = 500;
/** Wait before the status messages are followed again. Milliseconds. */
const FOLLOW_AGAIN_MS = 5_000;

export interface ListeningParts {
  readonly log: Pick<EventLog, 'append' | 'read' | 'offsets'>;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
  readonly source: ChangeSource;
  /** The channels to follow, and the objects that each is to tell of. */
  readonly channels: ReadonlyMap<string, readonly string[]>;
  /** Did the same instance listen until now, to other channels? Then it is not out of order while it subscribes anew. */
  readonly renewed?: boolean;
  /** Absent: every change is published. */
  readonly filter?: Pick<EventFilter, 'verdict' | 'run'>;
  /** How often changes are polled for while events are not to be had. Milliseconds. */
  readonly pollMs: number;
  /** For tests; defaults those of libs/salesforce, and {@link TIMINGS}. */
  readonly delayMs?: Supervision['delayMs'];
  readonly pause?: Supervision['pause'];
  readonly timings?: Partial<Timings>;
}

/**
 * One holding of the lease: subscribes where the last holder stopped, and publishes a change for each record of each event.
 * Invariant 1: the position moves only after the log has every change before it, or knows of the hole where one may be missing.
 */
export class Listening {
  /** Channels followed from now on, until they are subscribed once: from then on a new client must not miss what came between. */
  private readonly fresh = new Set<string>();
  /** Channels whose retained events are all delivered once more, with the commit time up to which they are durable. */
  private readonly replayed = new Map<string, number>();
  private readonly bugs = new AbortController();
  private readonly signal: AbortSignal;
  private readonly timings: Timings;
  private readonly nudge: Nudge;
  private readonly openHoles: OpenHoles;
  private readonly report: SubscriptionReport;
  private readonly book: PositionBook;
  private readonly polling: Polling;
  private readonly silence: SilenceWatch;
  private readonly masters: MergeMasters;
  private readonly taker: EventTaker;
  private stream: EndableStream | null = null;
  private stopEvents = new AbortController();
  private looking = false;

  constructor(
    private readonly parts: ListeningParts,
    lease: Lease,
    stop: AbortSignal,
  ) {
    const { log, metrics, health, logger, source, channels: objectsOf, pollMs, renewed } = parts;
    this.signal = AbortSignal.any([stop, this.bugs.signal]);
    const { signal } = this;
    const { transport, quietMs, client } = source;
    this.timings = { ...TIMINGS, ...parts.timings };
    this.nudge = new Nudge(signal, parts.pause);
    this.openHoles = new OpenHoles(log, metrics, logger);
    this.report = new SubscriptionReport({ metrics, health, logger, quietMs, holes: this.openHoles, renewed });
    const publisher = new Publisher(log, metrics, logger, (since) => this.report.onStalled(since), parts.pause);
    const opener = new HoleOpener(log, metrics, logger, this.openHoles, this.timings.spacingMs);
    const onBug = (error: unknown) => this.bugs.abort(error);
    this.book = new PositionBook({ log, lease, logger, opener, objectsOf, transport, onBug, signal });
    this.polling = new Polling({
      book: this.book,
      limits: client,
      poller: new Poller(client, publisher),
      report: this.report,
      metrics,
      logger,
      objectsOf,
      pollMs,
      timings: this.timings,
      nudge: this.nudge,
      signal,
      stopEvents: () => this.stopEvents.abort(),
    });
    this.silence = new SilenceWatch(client, this.timings.silence);
    this.masters = new MergeMasters(client, publisher, logger, this.nudge, signal);
    this.taker = new EventTaker({
      metrics,
      logger,
      filter: parts.filter,
      publisher,
      book: this.book,
      objectsOf,
      signal,
      isPast: (channel, commit) => isPast(this.replayed.get(channel), commit),
      onDelivered: (channel) => this.delivers(channel),
      onDurable: (channels, changes) => {
        this.polling.onEvents(channels);
        this.masters.look(changes);
      },
    });
  }

  /** Runs until `signal` aborts; then the batch in hand is finished and the position stored. Rejects for a bug. */
  async run(): Promise<void> {
    const { metrics, logger, channels, filter } = this.parts;
    metrics.listenerActive.set(1);
    logger.info({ channels: [...channels.keys()] }, 'this instance listens');
    const tick = setInterval(() => this.tick(), this.timings.tickMs);
    this.report.tell();
    const tasks = [
      this.followEvents(),
      this.polling.run(),
      this.polling.watch(),
      this.followHoles(),
      this.masters.run(),
      filter?.run(this.signal, (ms) => this.nudge.wait(ms)) ?? Promise.resolve(),
    ];
    try {
      await Promise.all(tasks.map((task) => task.catch((error: unknown) => this.bug(error))));
      this.bugs.signal.throwIfAborted();
    } finally {
      await this.book.close();
      clearInterval(tick);
      metrics.listenerActive.set(0);
    }
  }

  /** A rejection after the end is part of the end. */
  private bug(error: unknown): void {
    if (!this.signal.aborted) this.bugs.abort(error);
  }

  private tick(): void {
    this.report.tell();
    void this.book.orderCatchUps();
    this.watchSilence();
    const { channels = {}, holes = [] } = this.book.position ?? {};
    this.openHoles.count(holes.length);
    const newest = Math.max(...Object.values(channels).map((at) => at.commitTimestamp));
    if (this.polling.mode === 'events' && Number.isFinite(newest)) {
      this.parts.metrics.listenerRetentionLeft.set((RETENTION_MS - (Date.now() - newest)) / 1000);
    }
  }

  private async followEvents(): Promise<void> {
    const { delayMs, pause: wait } = this.parts;
    while (!this.signal.aborted) {
      await this.polling.untilEvents();
      this.stopEvents = new AbortController();
      await superviseStream({
        open: () => this.open(),
        consume: (stream) => this.consume(stream),
        onFailure: (end, delay) => this.failed(end, delay),
        signal: AbortSignal.any([this.signal, this.stopEvents.signal]),
        delayMs,
        pause: wait,
      });
      this.report.onDown();
    }
  }

  /** What holes are open is only told, so a log that is out is asked again. */
  private async followHoles(): Promise<void> {
    const { logger } = this.parts;
    while (!this.signal.aborted) {
      try {
        await this.openHoles.follow(this.signal);
      } catch (error) {
        if (this.signal.aborted) return;
        if (!(error instanceof SyncError)) throw error;
        logger.warn({ err: error }, 'cannot follow which holes are open, will try again');
      }
      await (this.parts.pause ?? pause)(FOLLOW_AGAIN_MS, this.signal);
    }
  }

  private async open(): Promise<ChangeStream> {
    const { source, channels } = this.parts;
    this.stream = null;
    const { organizationId } = await source.client.connect();
    if (this.book.position === null) {
      const { fresh } = await this.book.begin(organizationId);
      for (const channel of fresh) this.fresh.add(channel);
      this.nudge.now();
    }
    if (this.polling.mode === 'polling') {
      this.stopEvents.abort();
      return NO_STREAM;
    }
    if (this.book.position !== null) this.book.moved(expireTimes(this.book.position, Date.now()));
    const stream = await source.open([...channels.keys()], {
      position: (channel) => this.replayFrom(channel),
      onSubscribed: (channel) => this.onSubscribed(channel),
      onRefused: (channel, refusal, detail) => this.onRefused(channel, refusal, detail),
      onAlive: () => this.report.onAlive(),
    });
    this.stream = new EndableStream(stream);
    return this.stream;
  }

  private replayFrom(channel: string): ReplayFrom {
    const at = this.book.position?.channels[channel];
    this.replayed.delete(channel);
    // With a gap, or after polling, new events only: what is between is caught up otherwise, and all the retained ones again
    // would cost up to three days of the allowance (facts/salesforce.md §1.9)
    if (at === undefined || at.gap !== undefined || this.fresh.has(channel) || this.polling.beginsAnew(channel)) {
      return 'new';
    }
    if (at.replayId !== null) return { after: at.replayId };
    this.replayed.set(channel, at.commitTimestamp);
    return 'all';
  }

  private async consume(stream: ChangeStream): Promise<void> {
    for (;;) {
      const events = await stream.next(MAX_EVENTS);
      if (events === null || this.book.position === null) return;
      if (!(await this.taker.take(events))) return;
    }
  }

  private delivers(channel: string): void {
    this.silence.delivers(channel, true);
    this.report.onSound(channel);
  }

  private onSubscribed(channel: string): void {
    const objects = this.parts.channels.get(channel) ?? [];
    // Said only now: with new events asked for, what was committed before Salesforce took the subscription does not come
    if (this.fresh.delete(channel)) {
      this.parts.logger.info({ channel }, 'following changes from now on; records of before need a backfill');
    }
    this.silence.delivers(channel, false);
    if (this.book.position !== null) {
      this.book.moved(closeGap(this.book.position, channel, objects, Date.now()));
      void this.book.orderCatchUps();
    }
    this.report.onSubscribed(channel);
    this.polling.onSubscribed(channel);
  }

  private onRefused(channel: string, refusal: ChannelRefusal, detail: string): void {
    const { position } = this.book;
    const at = position?.channels[channel];
    if (refusal === 'replay-id' && position !== null && at !== undefined && at.replayId !== null) {
      this.parts.logger.warn({ channel, detail }, 'the position is too old: going on with new events and a catch-up');
      this.book.moved(openGap(position, channel, 'replay-expired'));
      return;
    }
    this.report.onRefused(channel, refusal, detail);
  }

  private failed(end: StreamEnd, delayMs: number): void {
    this.report.onFailed(end, delayMs);
    // Without a stream it is another limit: the one of REST calls or of logins, which polling would not mend
    if (end.failure === 'limit' && this.stream !== null) this.polling.onRefused();
  }

  /** One look at a time: a quiet org must not be asked for all its channels at once. */
  private watchSilence(): void {
    if (this.looking || this.polling.mode !== 'events') return;
    const channel = [...this.report.subscribed].find((one) => this.silence.isDue(one));
    if (channel === undefined) return;
    this.looking = true;
    this.lookAt(channel)
      .catch((error: unknown) => this.bug(error))
      .finally(() => {
        this.looking = false;
      });
  }

  private async lookAt(channel: string): Promise<void> {
    const objects = this.parts.channels.get(channel) ?? [];
    const seen = () => this.book.position?.channels[channel]?.commitTimestamp ?? 0;
    try {
      const look = await this.silence.look(channel, objects, seen, this.signal);
      if (look === 'alive') this.report.onSound(channel);
      if (look !== 'dead' || this.book.position === null) return;
      this.report.onSilent(channel);
      this.book.moved(openGap(this.book.position, channel, 'silent'));
      this.stream?.giveUp({ failure: 'silent', detail: `${channel} does not deliver changes that exist` });
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      this.silence.postpone(channel);
    }
  }
}
