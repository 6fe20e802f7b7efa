import type { Lane } from '@libs/contracts';
import type { DeadCode } from '@libs/iterable';
import type { Search } from './core/search.js';
import type { Entry } from './entry.js';

/** The users of one request, from when they leave the line until each has its ending. Their keys are locked all the while. */
export interface Piece {
  readonly lane: Lane;
  readonly entries: readonly Entry[];
  /** The search for a bad user that this request is a test of; `null`: none. */
  readonly search: Search<Entry, DeadCode> | null;
  /** Times it got no usable answer. */
  readonly attempt: number;
  /** Not to be sent before. Epoch milliseconds. */
  readonly notBeforeMs: number;
}

export function newPiece(lane: Lane, entries: readonly Entry[]): Piece {
  return { lane, entries, search: null, attempt: 0, notBeforeMs: 0 };
}

/** Everyone in it, those that its search has put aside included. */
export function everyoneIn({ entries, search }: Piece): readonly Entry[] {
  return search === null ? entries : [...entries, ...search.other, ...search.rest];
}
