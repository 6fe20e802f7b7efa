import type { EventLog, Lease } from '@libs/event-log';
import type { Health, Logger, Metrics } from '@libs/observability';
import {
  superviseStream,
  type ChangeSource,
  type ChangeStream,
  type ChannelEvent,
  type ChannelRefusal,
  type ReplayFrom,
  type StreamEnd,
  type Supervision,
} from '@libs/salesforce';
import { CursorKeeper } from './cursor-keeper.js';
import {
  advance,
  encodePosition,
  forgetReplayId,
  isPast,
  resume,
  type Position,
  type Restart,
} from './core/position.js';
import { readEvent, type ReadEvent } from './core/read-event.js';
import { subscriptionCheck } from './core/subscription-check.js';
import { Publisher, toMessages } from './publisher.js';

/** Name of the health check. */
export const SUBSCRIPTION_CHECK = 'subscription';

/** Most events taken in one go: they are durable, or come again, together. */
const MAX_EVENTS = 500;
const CHECK_EVERY_MS = 1_000;
/** Holes kept in words for the health page. */
const MAX_HOLES = 5;

export interface ListeningParts {
  readonly log: Pick<EventLog, 'append'>;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
  readonly source: ChangeSource;
  readonly channels: readonly string[];
  /** For tests; defaults those of libs/salesforce. */
  readonly delayMs?: Supervision['delayMs'];
  readonly pause?: Supervision['pause'];
}

const RESTARTS: Readonly<Record<Exclude<Restart, 'first-start'>, string>> = {
  unreadable: 'the stored position is unreadable',
  'other-org': 'the stored position is of another org (or of this one before a sandbox refresh)',
  'other-transport': 'the stored position is of another transport',
};

/**
 * One holding of the lease: subscribes where the last holder stopped, and publishes a change for each record of each event.
 * Invariant 1: the position moves only after the log has every change before it.
 */
export class Listening {
  private position: Position | null = null;
  /** Channels followed from now on, until they are subscribed once: from then on a new client must not miss what came between. */
  private readonly fresh = new Set<string>();
  /** Channels whose retained events are all delivered once more, with the commit time up to which they are durable. */
  private readonly replayed = new Map<string, number>();
  private readonly subscribed = new Set<string>();
  private readonly refused = new Map<string, string>();
  private downSince: number | null = Date.now();
  private failure: string | null = null;
  private answeredAt: number | null = null;
  private stalledSince: number | null = null;
  private readonly holes: string[] = [];
  private readonly keeper: CursorKeeper;
  private readonly publisher: Publisher;
  private readonly bugs = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly parts: ListeningParts,
    private readonly lease: Lease,
    stop: AbortSignal,
  ) {
    this.signal = AbortSignal.any([stop, this.bugs.signal]);
    this.keeper = new CursorKeeper(lease, parts.logger, (error) => this.bugs.abort(error));
    const onStalled = (since: number | null) => {
      this.stalledSince = since;
      this.report();
    };
    this.publisher = new Publisher(parts.log, parts.metrics, parts.logger, onStalled, parts.pause);
  }

  /** Runs until `signal` aborts; then the batch in hand is finished and the position stored. Rejects for a bug. */
  async run(): Promise<void> {
    const { metrics, logger, channels, delayMs, pause } = this.parts;
    metrics.listenerActive.set(1);
    logger.info({ channels }, 'this instance listens');
    const check = setInterval(() => this.report(), CHECK_EVERY_MS);
    this.report();
    try {
      await superviseStream({
        open: () => this.open(),
        consume: (stream) => this.consume(stream),
        onFailure: (end, delay) => this.failed(end, delay),
        signal: this.signal,
        delayMs,
        pause,
      });
      this.bugs.signal.throwIfAborted();
    } finally {
      await this.keeper.flush();
      clearInterval(check);
      metrics.listenerActive.set(0);
    }
  }

  private async open(): Promise<ChangeStream> {
    const { source, channels } = this.parts;
    const { organizationId } = await source.client.connect();
    this.position ??= await this.begin(organizationId);
    return source.open(channels, {
      position: (channel) => this.replayFrom(channel),
      onSubscribed: (channel) => this.onSubscribed(channel),
      onRefused: (channel, refusal, detail) => this.onRefused(channel, refusal, detail),
      onAlive: () => this.onAlive(),
    });
  }

  /** Reads the stored position, or begins now; what it begins with is stored before the first event can come. */
  private async begin(organizationId: string): Promise<Position> {
    const { source, channels } = this.parts;
    const { position, fresh, restart } = resume(this.lease.cursor, {
      transport: source.transport,
      organizationId,
      channels,
      nowMs: Date.now(),
    });
    // Invariant 1: without a stored start, a crash before the first event would forget what was committed meanwhile
    await this.lease.saveCursor(encodePosition(position));
    for (const channel of fresh) this.fresh.add(channel);
    if (restart !== null && restart !== 'first-start') this.opensHole(restart, RESTARTS[restart]);
    return position;
  }

  private replayFrom(channel: string): ReplayFrom {
    const at = this.position?.channels[channel];
    this.replayed.delete(channel);
    if (at === undefined || this.fresh.has(channel)) return 'new';
    if (at.replayId !== null) return { after: at.replayId };
    this.replayed.set(channel, at.commitTimestamp);
    return 'all';
  }

  private async consume(stream: ChangeStream): Promise<void> {
    for (;;) {
      const events = await stream.next(MAX_EVENTS);
      if (events === null || this.position === null) return;
      if (!(await this.take(events, this.position))) return;
    }
  }

  /** Events to durable changes, then the position. `false`: stopped before they were durable. */
  private async take(events: readonly ChannelEvent[], from: Position): Promise<boolean> {
    const { metrics } = this.parts;
    const read = events
      .filter(({ kind }) => kind !== 'position')
      .map((event) => ({ event, read: readEvent(event.header) }));
    const due = read.filter(({ event, read: { commitTimestamp } }) => {
      return !isPast(this.replayed.get(event.channel), commitTimestamp);
    });
    for (const { read: one } of due) metrics.listenerEvents.inc({ object: one.object, change_type: one.changeType });
    if (read.length > 0) metrics.listenerLastEvent.setToCurrentTime();
    if (!(await this.publisher.publish(toMessages(due, Date.now()), this.signal))) return false;
    for (const { event, read: one } of due) this.tellHoles(event, one);
    // The position may have changed while we waited: a refused replay id is only forgotten, never moved back to
    const commits = new Map(read.map((one) => [one.event, one.read.commitTimestamp]));
    this.position = advance(
      this.position ?? from,
      events.map((event) => ({ ...event, commitTimestamp: commits.get(event) ?? null })),
    );
    this.keeper.moved(encodePosition(this.position));
    const newest = Math.max(...Object.values(this.position.channels).map(({ commitTimestamp }) => commitTimestamp));
    metrics.listenerPositionTime.set(newest / 1000);
    return true;
  }

  private tellHoles({ channel, replayId }: ChannelEvent, { holes, problems }: ReadEvent): void {
    for (const { reason, recordType, sinceMs } of holes) {
      this.opensHole(
        reason,
        `${recordType}: changes without record ids, committed at ${new Date(sinceMs).toISOString()}`,
      );
    }
    if (problems.length > 0)
      this.parts.logger.warn({ channel, replayId, problems: problems.length }, 'unreadable event: dead letter');
  }

  /** Events alone cannot close it: a person is told, loudly, until catch-ups do it. */
  private opensHole(reason: string, text: string): void {
    this.parts.metrics.listenerHoles.inc({ reason });
    this.parts.logger.error({ reason }, `changes may be missing, run a backfill: ${text}`);
    this.holes.push(text);
    if (this.holes.length > MAX_HOLES) this.holes.shift();
    this.report();
  }

  private onSubscribed(channel: string): void {
    // Said only now: with new events asked for, what was committed before Salesforce took the subscription does not come
    if (this.fresh.delete(channel)) {
      this.parts.logger.info({ channel }, 'following changes from now on; records of before need a backfill');
    }
    this.subscribed.add(channel);
    if (this.refused.delete(channel)) this.parts.logger.info({ channel }, 'the channel is taken again');
    this.downSince = null;
    this.report();
  }

  private onRefused(channel: string, refusal: ChannelRefusal, detail: string): void {
    if (refusal === 'replay-id' && this.position !== null && this.position.channels[channel]?.replayId !== null) {
      const since = this.position.channels[channel]?.commitTimestamp ?? 0;
      this.position = forgetReplayId(this.position, channel);
      this.keeper.moved(encodePosition(this.position));
      return this.opensHole(
        'replay-id',
        `${channel}: position too old, last change durable at ${new Date(since).toISOString()}`,
      );
    }
    if (this.refused.get(channel) !== detail)
      this.parts.logger.error({ channel, refusal, detail }, 'the channel is refused, trying now and then');
    this.refused.set(channel, detail);
    this.subscribed.delete(channel);
    // The stream itself works: what is wrong is said of the channel
    this.downSince = null;
    this.report();
  }

  private onAlive(): void {
    this.answeredAt = Date.now();
    this.parts.metrics.listenerLastAnswer.setToCurrentTime();
  }

  private failed({ failure, detail }: StreamEnd, delayMs: number): void {
    this.parts.metrics.listenerReconnects.inc({ reason: failure });
    this.parts.logger.warn({ failure, detail, delayMs }, 'the stream ended, making a new one');
    this.subscribed.clear();
    this.downSince ??= Date.now();
    this.failure = `${failure} (${detail}), next try in ${Math.ceil(delayMs / 1000)} s`;
    this.report();
  }

  private report(): void {
    const { channels, health, source } = this.parts;
    const { subscribed, refused, downSince, failure, answeredAt, stalledSince, holes } = this;
    const state = {
      active: true,
      channels,
      subscribed,
      refused,
      downSince,
      failure,
      answeredAt,
      quietMs: source.quietMs,
      stalledSince,
      holes,
    };
    const { ok, detail } = subscriptionCheck(state, Date.now());
    health.set(SUBSCRIPTION_CHECK, ok, detail);
  }
}
