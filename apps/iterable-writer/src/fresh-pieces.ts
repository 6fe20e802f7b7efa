import type { Lane } from '@libs/contracts';
import { packRequest, type RequestLimits } from '@libs/iterable';
import type { Chooser, Room } from './chooser.js';
import { lingerMs } from './core/linger.js';
import type { Courses } from './courses.js';
import type { EndedEntry } from './ledger.js';
import { newPiece, type Piece, type Sending } from './piece.js';
import type { WaitingUsers } from './waiting-users.js';

/** Requests on their way at once: at 5 a second and 3 s an answer, 15 are needed for the whole rate. Source: segmentio/action-destinations PR 2343. */
export const MAX_IN_FLIGHT = 16;
/** More, for real-time users only: slow backfill requests never keep them waiting (Invariant 6). */
export const REALTIME_RESERVE = 4;
/** How long a backfill request waits to fill up. Milliseconds. */
const LINGER = { quietMs: 100, longestMs: 1_000 };
export interface FreshPiecesParts {
  readonly waiting: WaitingUsers;
  readonly courses: Courses;
  readonly chooser: Chooser;
}

export interface FreshPiecesEvents {
  /** Messages that need no request. */
  ended(ended: readonly EndedEntry[]): void;
  /** Courses may have begun: their calls may leave. */
  launch(): void;
  /** May a backfill ride along in a real-time request? */
  mayRide(): boolean;
}

/**
 * Makes requests of those whose turn it is: bulk steps of courses that are due, then the line. A request costs the same
 * however many users it has, so a backfill rides along where a real-time one has room: however often these come, it gets on.
 */
export class FreshPieces {
  constructor(
    private readonly parts: FreshPiecesParts,
    private readonly options: RequestLimits,
    private readonly events: FreshPiecesEvents,
  ) {}

  /** Users from the courses and from the line; a number: none before so many milliseconds. */
  next(lane: Lane, nowMs: number, sendingUsers: number): Piece | number {
    const lineIsOpen = this.parts.waiting.load(lane).users > 0 && sendingUsers < this.maxSending(lane);
    const waitMs = this.waitMs(lane, nowMs, lineIsOpen);
    if (waitMs > 0) return waitMs;
    const due = this.dueBulk(lane, this.options);
    if (!lineIsOpen || due.length >= this.options.maxUsers) {
      if (due.length === 0) return Number.POSITIVE_INFINITY;
      return this.filled(lane, due, nowMs, sendingUsers);
    }
    for (;;) {
      const { sendings, ended, soonestMs } = this.parts.chooser.choose(lane, nowMs, this.roomBeside(due));
      if (ended.length > 0) this.events.ended(ended);
      this.events.launch();
      const chosen = [...due, ...sendings];
      // With those that have just begun a course with a bulk step.
      const all = [...chosen, ...this.dueBulk(lane, this.roomBeside(chosen))];
      if (all.length > 0) return this.filled(lane, all, nowMs, sendingUsers);
      if (ended.length === 0) return soonestMs - nowMs;
    }
  }

  private filled(lane: Lane, own: readonly Sending[], nowMs: number, sendingUsers: number): Piece {
    return newPiece(lane === 'realtime' ? this.withRiders(own, nowMs, sendingUsers) : own);
  }

  /** Fills a real-time request up with users of a backfill. What they need besides is begun by the way. */
  private withRiders(own: readonly Sending[], nowMs: number, sendingUsers: number): readonly Sending[] {
    if (!this.events.mayRide() || sendingUsers + own.length >= this.maxSending('backfill')) return own;
    const withDue = [...own, ...this.dueBulk('backfill', this.roomBeside(own))];
    if (this.parts.waiting.load('backfill').users === 0 || withDue.length >= this.options.maxUsers) return withDue;
    const { sendings, ended } = this.parts.chooser.choose('backfill', nowMs, this.roomBeside(withDue));
    if (ended.length > 0) this.events.ended(ended);
    this.events.launch();
    return [...withDue, ...sendings];
  }

  /** Until a request should leave; infinite: nobody waits for one. Milliseconds. */
  private waitMs(lane: Lane, nowMs: number, lineIsOpen: boolean): number {
    const { waiting, courses } = this.parts;
    const sinceMs = courses.bulkSinceMs(lane);
    if (lane === 'realtime') return lineIsOpen || sinceMs !== null ? 0 : Number.POSITIVE_INFINITY;
    const line = lineIsOpen ? lingerMs(waiting.load(lane), nowMs, { ...LINGER, ...this.options }) : null;
    const due = sinceMs === null ? null : Math.max(0, sinceMs + LINGER.longestMs - nowMs);
    return Math.min(line ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY);
  }

  /** Bulk steps of courses, as many as fit into a request. */
  private dueBulk(lane: Lane, room: RequestLimits): Sending[] {
    const due = this.parts.courses.takeBulk(lane, room.maxUsers);
    const { request, rest, tooLarge } = packRequest(due, room);
    // Also one that is larger than the room left: alone it fits, or it would not have been taken.
    this.parts.courses.giveBack([...rest, ...tooLarge]);
    return [...request];
  }

  private roomBeside(due: readonly Sending[]): Room {
    const bytes = due.reduce((sum, one) => sum + one.bytes + 1, 0);
    const isBegun = due.length > 0;
    return { maxUsers: this.options.maxUsers - due.length, maxBytes: this.options.maxBytes - bytes, isBegun };
  }

  /** Bounds what pieces that get no answer hold in memory (Invariant 5). */
  private maxSending(lane: Lane): number {
    return this.options.maxUsers * (MAX_IN_FLIGHT + (lane === 'realtime' ? REALTIME_RESERVE : 0));
  }
}
