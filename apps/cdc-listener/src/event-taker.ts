import type { RecordChange } from '@libs/contracts';
import type { Logger, Metrics } from '@libs/observability';
import type { ChannelEvent } from '@libs/salesforce';
import type { Happening } from './core/holes.js';
import { addHoles, advance, type Position } from './core/position.js';
import { readEvent, type ReadEvent } from './core/read-event.js';
import type { EventFilter } from './event-filter.js';
import type { PositionBook } from './position-book.js';
import { toMessages, type Publisher } from './publisher.js';

export interface TakerParts {
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'warn'>;
  readonly filter: Pick<EventFilter, 'verdict'> | undefined;
  readonly publisher: Publisher;
  readonly book: PositionBook;
  readonly objectsOf: ReadonlyMap<string, readonly string[]>;
  readonly signal: AbortSignal;
  /** Was it durable before the channel's retained events were asked for once more? */
  readonly isPast: (channel: string, commitTimestamp: number | null) => boolean;
  /** An event arrived. */
  readonly onDelivered: (channel: string) => void;
  /** Events are behind the position; these are their changes. */
  readonly onDurable: (channels: readonly string[], changes: readonly RecordChange[]) => void;
}

interface Taken {
  readonly event: ChannelEvent;
  readonly read: ReadEvent;
}

/** What becomes of events: durable changes, holes, dead letters, or a count; and then the position behind them. */
export class EventTaker {
  private readonly read: ReadonlySet<string>;

  constructor(private readonly parts: TakerParts) {
    this.read = new Set([...parts.objectsOf.values()].flat());
  }

  /** Takes a run of events, in order. `false`: stopped before their changes were durable. Errors: only bugs. */
  async take(events: readonly ChannelEvent[]): Promise<boolean> {
    const { metrics, publisher, book, signal, isPast, onDelivered, onDurable } = this.parts;
    const read = events
      .filter(({ kind }) => kind !== 'position')
      .map((event) => ({ event, read: readEvent(event.header) }));
    for (const { event } of read) onDelivered(event.channel);
    const due = read.filter(({ event, read: { commitTimestamp } }) => !isPast(event.channel, commitTimestamp));
    for (const { read: one } of due) metrics.listenerEvents.inc({ object: one.object, change_type: one.changeType });
    if (read.length > 0) metrics.listenerLastEvent.setToCurrentTime();
    const kept = due.filter(({ read: one }) => !this.isFiltered(one));
    if (!(await publisher.publish(toMessages(kept, Date.now()), signal)) || book.position === null) return false;
    // The position may have changed while we waited: a refused replay id is only forgotten, never moved back to
    const before = book.position;
    const commits = new Map(read.map((one) => [one.event, one.read.commitTimestamp]));
    const moved = advance(
      before,
      events.map((event) => ({ ...event, commitTimestamp: commits.get(event) ?? null })),
    );
    const happened = due.flatMap((one) => this.happenings(one, before));
    // Invariant 1: position and holes in one step
    book.moved(addHoles(moved, happened, this.read));
    if (happened.length > 0) void book.orderCatchUps();
    const newest = Math.max(...Object.values(moved.channels).map(({ commitTimestamp }) => commitTimestamp));
    metrics.listenerPositionTime.set(newest / 1000);
    this.tellProblems(due);
    const channels = events.map(({ channel }) => channel);
    onDurable(
      channels,
      kept.flatMap(({ read: { changes } }) => changes),
    );
    return true;
  }

  /** What an event tells of changes whose records it does not name: all of its channel's, when it cannot be read at all. */
  private happenings({ event: { channel }, read }: Taken, before: Position): Happening[] {
    const noticedMs = Date.now();
    if (read.problems.some(({ recordId }) => recordId === undefined) && read.commitTimestamp === null) {
      const fromMs = before.channels[channel]?.commitTimestamp ?? noticedMs;
      return [{ reason: 'unreadable', objects: this.parts.objectsOf.get(channel) ?? [], fromMs, noticedMs }];
    }
    return read.holes.map(({ reason, recordType, sinceMs: fromMs }) => {
      return { reason, objects: [recordType], fromMs, noticedMs };
    });
  }

  /** Counted here and only here: a filtered change never reaches the topic. */
  private isFiltered(event: ReadEvent): boolean {
    if (event.holes.length > 0 || event.problems.length > 0) return false;
    const reason = this.parts.filter?.verdict(event) ?? null;
    if (reason === null) return false;
    this.parts.metrics.listenerFiltered.inc({ object: event.object, reason }, event.changes.length);
    return true;
  }

  private tellProblems(due: readonly Taken[]): void {
    for (const { event, read } of due) {
      const { length: problems } = read.problems;
      const { channel, replayId } = event;
      if (problems > 0) this.parts.logger.warn({ channel, replayId, problems }, 'unreadable event: dead letter');
    }
  }
}
