import { lanes, type Lane } from '@libs/contracts';
import type { DeadCode, PackedUser } from '@libs/iterable';
import type { Course } from './course.js';
import type { Decision } from './core/decision.js';
import type { Search } from './core/search.js';
import type { Entry } from './entry.js';

/** A message on its way to Iterable in a bulk request: as bytes, and what was decided about it. */
export interface Sending extends PackedUser {
  readonly entry: Entry;
  /** Of the line that it was taken from: a newer update may have moved it to another than its own. */
  readonly lane: Lane;
  readonly decision: Decision;
  /** The course of calls that this is a step of; `null`: it is all there is to do. */
  readonly course: Course | null;
}

/** The users of one request, from when they leave the line until each has its ending. They are locked all the while. */
export interface Piece {
  /** Real-time as soon as one of its users is: those of a backfill only ride along. */
  readonly lane: Lane;
  readonly sendings: readonly Sending[];
  /** The search for a bad user that this request is a test of; `null`: none. */
  readonly search: Search<Sending, DeadCode> | null;
  /** Times it got no usable answer. */
  readonly attempt: number;
  /** Times that values in it were converted to the types of the project's fields. */
  readonly repairs: number;
  /** Not to be sent before. Epoch milliseconds. */
  readonly notBeforeMs: number;
}

/** `sendings`: at least one. */
export function newPiece(sendings: readonly Sending[]): Piece {
  const lane = sendings.some((sending) => sending.lane === 'realtime') ? 'realtime' : 'backfill';
  return { lane, sendings, search: null, attempt: 0, repairs: 0, notBeforeMs: 0 };
}

/** A request for each lane: real-time users wait for nobody who only rode along (Invariant 6). */
export function newPieces(sendings: readonly Sending[]): readonly Piece[] {
  return lanes
    .map((lane) => sendings.filter((sending) => sending.lane === lane))
    .filter((ofLane) => ofLane.length > 0)
    .map(newPiece);
}

/** The same, with a request for each lane. */
export function sidesOf(piece: Piece): readonly Piece[] {
  if (!isMixed(piece.sendings)) return [piece];
  return newPieces(piece.sendings).map(({ lane, sendings }) => ({ ...piece, lane, sendings }));
}

/** Does a backfill ride along with real-time users? */
export function isMixed(sendings: readonly Sending[]): boolean {
  return sendings.some(({ lane }) => lane !== sendings[0]?.lane);
}

/** Everyone in it, those that its search has put aside included. */
export function everyoneIn({ sendings, search }: Piece): readonly Sending[] {
  return search === null ? sendings : [...sendings, ...search.other, ...search.rest];
}
