import type { BulkVerdict, DeadCode, FieldMismatch } from '@libs/iterable';
import { afterAnswer, type Consequence } from './answers.js';
import { everyoneIn, newPieces, type Piece, type Sending } from './piece.js';

/** Each makes one more field known; what is still refused then is not about types that are known. */
const MAX_REPAIRS = 5;

/** What Iterable says of a value that is not of its field's type, as a whole or of one user. */
const TYPE_CODES: ReadonlySet<DeadCode> = new Set(['iterable.field_type_mismatch', 'iterable.invalid_data']);

type Verdict = Extract<BulkVerdict, { readonly kind: 'answered' | 'split' }>;

/** Users of a piece that may be taken when their values are converted, with what the refusal says; none: it is about something else. */
export function repairable(
  piece: Piece,
  verdict: Verdict,
): { readonly sendings: readonly Sending[]; readonly mismatches: readonly FieldMismatch[] } {
  const nobody = { sendings: [], mismatches: [] };
  if (piece.repairs >= MAX_REPAIRS) return nobody;
  if (verdict.kind === 'answered') return { sendings: piece.sendings.filter(isRefused(verdict)), mismatches: [] };
  if (verdict.cause !== 'bad_user' || verdict.code !== 'iterable.field_type_mismatch') return nobody;
  return { sendings: everyoneIn(piece), mismatches: verdict.mismatches };
}

/**
 * What follows when some users have another body now: a refused request goes again as a whole, those who ride along apart (Invariant 6);
 * a refused user by itself. A search ends with it: what it found out was about other bodies. Pure.
 */
export function afterRepair(
  piece: Piece,
  verdict: Verdict,
  repaired: ReadonlyMap<Sending, Sending>,
  requestId: string,
): Consequence {
  const again = (sendings: readonly Sending[]) =>
    newPieces(sendings).map((one) => ({ ...one, repairs: piece.repairs + 1 }));
  if (verdict.kind === 'split') {
    return { ended: [], next: again(everyoneIn(piece).map((sending) => repaired.get(sending) ?? sending)) };
  }
  const others = piece.sendings.flatMap((sending, index) => {
    const user = verdict.users[index];
    return repaired.has(sending) || user === undefined ? [] : [{ sending, user }];
  });
  const { ended, next } = afterAnswer(
    { ...piece, sendings: others.map(({ sending }) => sending) },
    { ...verdict, users: others.map(({ user }) => user) },
    requestId,
  );
  return { ended, next: [...again([...repaired.values()]), ...next] };
}

function isRefused({ users }: Extract<Verdict, { readonly kind: 'answered' }>) {
  return (_: Sending, index: number): boolean => {
    const user = users[index];
    return user?.kind === 'dead' && TYPE_CODES.has(user.code);
  };
}
