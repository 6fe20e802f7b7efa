import type { BulkVerdict, DeadCode, FieldMismatch } from '@libs/iterable';
import { afterAnswer, type Consequence } from './answers.js';
import { newPiece, type Piece, type Sending } from './piece.js';

/** Each makes one more field known; what is still refused then is not about types that are known. */
const MAX_REPAIRS = 5;

/** What Iterable says of a value that is not of its field's type, as a whole or of one user. */
const TYPE_CODES: ReadonlySet<DeadCode> = new Set(['iterable.field_type_mismatch', 'iterable.invalid_data']);

type Verdict = Extract<BulkVerdict, { readonly kind: 'answered' | 'split' }>;

/** Users of a piece that may be taken when their values are converted, with what the refusal says; none: it is about something else. */
export function repairable(
  { sendings, search, repairs }: Piece,
  verdict: Verdict,
): { readonly sendings: readonly Sending[]; readonly mismatches: readonly FieldMismatch[] } {
  const nobody = { sendings: [], mismatches: [] };
  if (repairs >= MAX_REPAIRS) return nobody;
  if (verdict.kind === 'answered') return { sendings: sendings.filter(isRefused(verdict)), mismatches: [] };
  if (verdict.cause !== 'bad_user' || verdict.code !== 'iterable.field_type_mismatch' || search !== null) return nobody;
  return { sendings, mismatches: verdict.mismatches };
}

/** What follows when some users have another body now: a refused request goes again as a whole, a refused user by itself. Pure. */
export function afterRepair(
  piece: Piece,
  verdict: Verdict,
  repaired: ReadonlyMap<Sending, Sending>,
  requestId: string,
): Consequence {
  const repairs = piece.repairs + 1;
  if (verdict.kind === 'split') {
    const sendings = piece.sendings.map((sending) => repaired.get(sending) ?? sending);
    return { ended: [], next: [{ ...piece, sendings, repairs, attempt: 0 }] };
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
  return { ended, next: [{ ...newPiece(piece.lane, [...repaired.values()]), repairs }, ...next] };
}

function isRefused({ users }: Extract<Verdict, { readonly kind: 'answered' }>) {
  return (_: Sending, index: number): boolean => {
    const user = users[index];
    return user?.kind === 'dead' && TYPE_CODES.has(user.code);
  };
}
