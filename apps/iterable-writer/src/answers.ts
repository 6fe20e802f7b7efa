import { deadReasons, refusedReasons, type BulkVerdict, type DeadCode, type Split } from '@libs/iterable';
import { halves, startSearch, testPassed, testRefused, type SearchStep } from './core/search.js';
import type { EndedEntry } from './ledger.js';
import { isMixed, newPiece, newPieces, sidesOf, type Piece, type Sending } from './piece.js';

/** What follows from an answer: who has an ending, and what is to be sent next. Everyone of the piece is in exactly one of them. */
export interface Consequence {
  readonly ended: readonly EndedEntry[];
  readonly next: readonly Piece[];
}

/** After so many requests without a usable answer, while others get theirs, a piece is sent in halves: one user in it may be the cause. */
const HALVE_AFTER_ATTEMPTS = 5;

/** Iterable dealt with the users of a piece. Pure. */
export function afterAnswer(
  piece: Piece,
  { users }: Extract<BulkVerdict, { kind: 'answered' }>,
  requestId: string,
): Consequence {
  const ended: EndedEntry[] = [];
  const unclear: Sending[] = [];
  piece.sendings.forEach((sending, index) => {
    const verdict = users[index];
    if (verdict === undefined || verdict.kind === 'unclear') unclear.push(sending);
    else if (verdict.kind === 'written') ended.push(toEnded(sending, { kind: 'written', requestId }));
    else ended.push(toEnded(sending, dead(verdict.code, requestId)));
  });
  // Counts of smaller requests say more; of a single user they say all.
  const again = inHalves(unclear);
  if (piece.search === null) return { ended, next: again };
  const { ended: found, next } = afterStep(piece, testPassed(piece.search), requestId);
  return { ended: [...ended, ...found], next: [...next, ...again] };
}

/** Iterable refused the piece as a whole. Pure. */
export function afterSplit(piece: Piece, split: Split, requestId: string): Consequence {
  if (split.cause === 'bad_user') {
    if (piece.search !== null) return afterStep(piece, testRefused(piece.search, split.code), requestId);
    return isMixed(piece.sendings) ? apart(piece, split, requestId) : search(piece, split.suspects, split, requestId);
  }
  const [single, ...others] = piece.sendings;
  const putAside = piece.search === null ? [] : [...piece.search.other, ...piece.search.rest];
  const next = putAside.length === 0 ? [] : [newPiece(putAside)];
  if (single !== undefined && others.length === 0)
    return { ended: [toEnded(single, dead(split.code, requestId))], next };
  return { ended: [], next: [...inHalves(piece.sendings), ...next] };
}

/**
 * There was no usable answer: the same again later, those who ride along apart, who may be the cause (Invariant 6). In halves, when it
 * is only this piece that gets none. Pure.
 */
export function afterFailure(piece: Piece, notBeforeMs: number, othersGetThrough: boolean): readonly Piece[] {
  const attempt = piece.attempt + 1;
  const suspicious =
    othersGetThrough && attempt >= HALVE_AFTER_ATTEMPTS && piece.search === null && piece.sendings.length > 1;
  if (!suspicious) return sidesOf({ ...piece, attempt, notBeforeMs });
  return inHalves(piece.sendings).map((part) => ({ ...part, notBeforeMs }));
}

/** Smaller requests: those who ride along apart first. */
function inHalves(sendings: readonly Sending[]): readonly Piece[] {
  return isMixed(sendings) ? newPieces(sendings) : halves(sendings).map(newPiece);
}

/**
 * Real-time users and those who rode along go on without each other: either side is searched only if the answer points at it, so that
 * real-time users are delayed by one request, whoever is bad (Invariant 6).
 */
function apart(piece: Piece, split: Extract<Split, { cause: 'bad_user' }>, requestId: string): Consequence {
  const suspects = new Set(split.suspects.map((index) => piece.sendings[index]));
  const parts = newPieces(piece.sendings).map((part) => {
    const own = part.sendings.flatMap((sending, index) => (suspects.has(sending) ? [index] : []));
    return own.length > 0
      ? search({ ...part, repairs: piece.repairs }, own, split, requestId)
      : { ended: [], next: [part] };
  });
  return { ended: parts.flatMap(({ ended }) => ended), next: parts.flatMap(({ next }) => next) };
}

function search(
  piece: Piece,
  suspects: readonly number[],
  { code }: Extract<Split, { cause: 'bad_user' }>,
  requestId: string,
): Consequence {
  return afterStep(piece, startSearch(piece.sendings, suspects, code), requestId);
}

function afterStep({ repairs }: Piece, step: SearchStep<Sending, DeadCode>, requestId: string): Consequence {
  if (step.kind === 'test') {
    return { ended: [], next: [{ ...newPiece(step.search.test), search: step.search, repairs }] };
  }
  return {
    ended: step.bad === null ? [] : [toEnded(step.bad, dead(step.reason, requestId))],
    next: step.rest.length === 0 ? [] : [newPiece(step.rest)],
  };
}

/** A user with its ending. */
function toEnded({ entry, decision, course }: Sending, ending: EndedEntry['ending']): EndedEntry {
  return { entry, decision, course, ending };
}

function dead(code: DeadCode, requestId: string) {
  return { kind: 'dead', code, message: deadReasons[code], requestId } as const;
}

/** For a person: why writing is paused. */
export function explainPause(code: string): string {
  if (code in refusedReasons) return refusedReasons[code as keyof typeof refusedReasons];
  return `Iterable gives no usable answer (${code}).`;
}
