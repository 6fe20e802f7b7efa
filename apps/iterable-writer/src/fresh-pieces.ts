import type { Lane } from '@libs/contracts';
import { packRequest, type RequestLimits } from '@libs/iterable';
import type { Chooser } from './chooser.js';
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
}

/** Makes requests of those whose turn it is: bulk steps of courses that are due, then the line. */
export class FreshPieces {
  constructor(
    private readonly parts: FreshPiecesParts,
    private readonly options: RequestLimits,
    private readonly events: FreshPiecesEvents,
  ) {}

  /** Users from the courses and from the line; a number: none before so many milliseconds. */
  next(lane: Lane, nowMs: number, sendingUsers: number): Piece | number {
    const due = this.dueBulk(lane);
    if (due.length >= this.options.maxUsers) return newPiece(lane, due);
    return this.fromLine(lane, nowMs, due, sendingUsers);
  }

  /** Bulk steps of courses, as many as fit into a request. */
  private dueBulk(lane: Lane): Sending[] {
    const due = this.parts.courses.takeBulk(lane, this.options.maxUsers);
    const { request, rest } = packRequest(due, this.options);
    this.parts.courses.giveBack(rest);
    return [...request];
  }

  private fromLine(lane: Lane, nowMs: number, due: readonly Sending[], sendingUsers: number): Piece | number {
    const load = this.parts.waiting.load(lane);
    if (load.users > 0 && sendingUsers < this.maxSending(lane)) {
      const linger = lane === 'realtime' || due.length > 0 ? 0 : lingerMs(load, nowMs, { ...LINGER, ...this.options });
      if (linger > 0) return linger;
      for (;;) {
        const { sendings, ended, soonestMs } = this.parts.chooser.choose(lane, nowMs, this.roomBeside(due));
        if (ended.length > 0) this.events.ended(ended);
        this.events.launch();
        if (due.length + sendings.length > 0) return newPiece(lane, [...due, ...sendings]);
        // Courses that were just begun with a bulk step.
        if (this.parts.courses.hasBulk(lane)) return newPiece(lane, this.dueBulk(lane));
        if (ended.length === 0) return soonestMs - nowMs;
      }
    }
    return due.length > 0 ? newPiece(lane, due) : Number.POSITIVE_INFINITY;
  }

  private roomBeside(due: readonly Sending[]): RequestLimits {
    const bytes = due.reduce((sum, one) => sum + one.bytes + 1, 0);
    return { maxUsers: this.options.maxUsers - due.length, maxBytes: this.options.maxBytes - bytes };
  }

  /** Bounds what pieces that get no answer hold in memory (Invariant 5). */
  private maxSending(lane: Lane): number {
    return this.options.maxUsers * (MAX_IN_FLIGHT + (lane === 'realtime' ? REALTIME_RESERVE : 0));
  }
}
