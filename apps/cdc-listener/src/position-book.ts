import { isRetryable } from '@libs/contracts';
import type { EventLog, Lease } from '@libs/event-log';
import type { Logger } from '@libs/observability';
import {
  decodePosition,
  encodePosition,
  pollFor,
  resume,
  withoutHoles,
  type Position,
  type Resumed,
} from './core/position.js';
import { CursorKeeper } from './cursor-keeper.js';
import type { HoleOpener } from './hole-opener.js';
import { newestChanges } from './newest-changes.js';

/** How long the log keeps changes: when it has none of ours, the last one is older. Milliseconds. */
const NOTHING_FOR_MS = 7 * 24 * 3_600_000;

export interface BookParts {
  readonly log: Pick<EventLog, 'append' | 'read' | 'offsets'>;
  readonly lease: Lease;
  readonly logger: Pick<Logger, 'warn'>;
  readonly opener: HoleOpener;
  /** What each followed channel is to tell of. */
  readonly objectsOf: ReadonlyMap<string, readonly string[]>;
  readonly transport: string;
  readonly onBug: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/**
 * The listener's position, with the holes that are still to be told. What it is given is durable downstream, or is the
 * knowledge that it is not: a hole is stored with the very position that leaves it behind, and taken off when its catch-up
 * is durable in the log. So no crash forgets one, and the same id does a catch-up once. Invariant 1
 */
export class PositionBook {
  private value: Position | null = null;
  private readonly keeper: CursorKeeper;
  private ordering: Promise<void> | null = null;

  constructor(private readonly parts: BookParts) {
    this.keeper = new CursorKeeper(parts.lease, parts.logger, parts.onBug);
  }

  /** `null` until {@link begin}. */
  get position(): Position | null {
    return this.value;
  }

  /** Reads where the last holder stopped. What it begins with is stored before the first event can come. */
  async begin(organizationId: string): Promise<Resumed> {
    const { lease, transport, objectsOf, logger } = this.parts;
    const channels = [...objectsOf.keys()];
    const now = { transport, organizationId, channels, nowMs: Date.now(), evidence: await this.evidence() };
    const resumed = resume(lease.cursor, now);
    const position = pollFor(resumed.position, [...new Set([...objectsOf.values()].flat())], now.nowMs);
    // Invariant 1: without a stored start, a crash before the first event would forget what was committed meanwhile
    await lease.saveCursor(encodePosition(position));
    this.value = position;
    if (resumed.restart !== null && resumed.restart !== 'first-start') {
      logger.warn(
        { restart: resumed.restart },
        'the stored position cannot be used: going on with new events and a catch-up',
      );
    }
    return resumed;
  }

  /** The log's own newest changes, for when there is no cursor, or none that can be read. */
  private async evidence(): Promise<(channel: string) => number | null> {
    const { lease, log, objectsOf, signal } = this.parts;
    if (lease.cursor !== null && decodePosition(lease.cursor) !== null) return () => null;
    const newest = await newestChanges(log, new Set([...objectsOf.values()].flat()), signal);
    // An object without a change of its own is behind no other: the oldest of them is safe
    const oldest = newest.size === 0 ? null : Math.min(...newest.values());
    // A position was stored once, but no change since: the last one is older than what the log keeps
    const atLeast = lease.cursor === null ? null : Date.now() - NOTHING_FOR_MS;
    return (channel) => {
      const known = (objectsOf.get(channel) ?? []).map((object) => newest.get(object) ?? oldest ?? Infinity);
      const fromMs = Math.min(Infinity, ...known);
      return Number.isFinite(fromMs) ? fromMs : atLeast;
    };
  }

  /** Takes a position over, and stores it soon. */
  moved(next: Position): void {
    if (next === this.value) return;
    this.value = next;
    this.keeper.moved(encodePosition(next));
  }

  /** Orders the catch-ups that are due; a log that is out is asked again with the next call. Never rejects. */
  orderCatchUps(): Promise<void> {
    this.ordering ??= this.order()
      .catch((error: unknown) => {
        if (this.parts.signal.aborted) return;
        if (!isRetryable(error)) return this.parts.onBug(error);
        this.parts.logger.warn({ err: error }, 'a catch-up could not be ordered, trying again');
      })
      .finally(() => {
        this.ordering = null;
      });
    return this.ordering;
  }

  private async order(): Promise<void> {
    const { opener, signal } = this.parts;
    const due = opener.due(this.value?.holes ?? [], Date.now());
    if (due.length === 0) return;
    // Invariant 1: first the hole is stored as known, so that after a crash the same one, with the same id, is ordered again
    if (!(await this.keeper.flush()) || signal.aborted) return;
    await opener.order(due);
    if (this.value !== null) this.moved(withoutHoles(this.value, due));
  }

  /** Stores what is not stored yet, at the end. */
  async close(): Promise<void> {
    await this.ordering;
    await this.keeper.flush();
  }
}
