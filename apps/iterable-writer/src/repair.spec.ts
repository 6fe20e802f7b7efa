import { describe, expect, it } from 'vitest';
import type { BulkVerdict, UserVerdict } from '@libs/iterable';
import { newPiece, type Piece, type Sending } from './piece.js';
import { afterRepair, repairable } from './repair.js';

const users = (text: string) =>
  text
    .split('')
    .map((name) => ({ entry: { message: { recordId: name } }, lane: 'backfill', json: name }) as unknown as Sending);
const piece = (text: string, more: Partial<Piece> = {}): Piece => ({ ...newPiece(users(text)), ...more });
const names = (some: readonly Sending[]) => some.map(({ json }) => json).join('');
const mended = (sendings: readonly Sending[]) =>
  new Map(sendings.map((one) => [one, { ...one, json: one.json.toUpperCase() }]));

const mismatches = [{ field: 'Zip', expected: 'string' }];
const refused = {
  kind: 'split',
  cause: 'bad_user',
  code: 'iterable.field_type_mismatch',
  suspects: [],
  mismatches,
} as const;
const written: UserVerdict = { kind: 'written' };
const dead = (code: 'iterable.invalid_data' | 'iterable.forgotten'): UserVerdict => ({ kind: 'dead', code });
const answered = (...verdicts: UserVerdict[]): Extract<BulkVerdict, { kind: 'answered' }> => ({
  kind: 'answered',
  users: verdicts,
  createdFields: [],
  filteredOutFields: [],
  unchanged: 0,
});

describe('repair', () => {
  it('is tried for a request refused for a type, as a whole', () => {
    const given = piece('abc');
    const { sendings, mismatches: named } = repairable(given, refused);
    expect([names(sendings), named]).toEqual(['abc', mismatches]);
    const { ended, next } = afterRepair(given, refused, mended(sendings.slice(0, 1)), 'r');
    expect([ended, next.map((one) => [names(one.sendings), one.repairs])]).toEqual([[], [['Abc', 1]]]);
  });

  it('is tried for users whose data is refused, each by itself; the others have their endings', () => {
    const given = piece('abcd');
    const verdict = answered(
      written,
      dead('iterable.invalid_data'),
      dead('iterable.forgotten'),
      dead('iterable.invalid_data'),
    );
    const { sendings } = repairable(given, verdict);
    expect(names(sendings)).toBe('bd');
    const { ended, next } = afterRepair(given, verdict, mended(sendings.slice(0, 1)), 'r');
    expect(ended.map(({ entry, ending }) => `${entry.message.recordId} ${ending.kind}`)).toEqual([
      'a written',
      'c dead',
      'd dead',
    ]);
    expect(next.map((one) => [names(one.sendings), one.repairs])).toEqual([['B', 1]]);
  });

  it('is not tried for anything else, nor again and again', () => {
    expect(repairable(piece('ab'), { ...refused, code: 'iterable.bad_request' }).sendings).toEqual([]);
    expect(repairable(piece('ab', { repairs: 5 }), refused).sendings).toEqual([]);
    expect(repairable(piece('ab', { repairs: 5 }), answered(dead('iterable.invalid_data'))).sendings).toEqual([]);
  });

  it('ends a search, in which another field than before may be met: what it found was about other bodies', () => {
    const [a, b, c, d] = users('abcd') as [Sending, Sending, Sending, Sending];
    const search = { test: [a, b], other: [c], rest: [d], reason: 'iterable.bad_request', confirmed: true } as const;
    const given: Piece = { ...newPiece([a, b]), search, repairs: 2 };
    const { sendings } = repairable(given, refused);
    expect(names(sendings)).toBe('abcd');
    const { ended, next } = afterRepair(given, refused, mended([b, d]), 'r');
    expect([ended, next.map((one) => [names(one.sendings), one.search, one.repairs])]).toEqual([
      [],
      [['aBcD', null, 3]],
    ]);
  });

  it('takes those who ride along apart from real-time users, who wait for one request more and no other', () => {
    const mixed = newPiece([...users('ab').map((one) => ({ ...one, lane: 'realtime' as const })), ...users('cd')]);
    const lanesOf = (next: readonly Piece[]) => next.map(({ lane, sendings }) => `${lane} ${names(sendings)}`);
    const again = afterRepair(mixed, refused, mended(mixed.sendings.slice(2)), 'r');
    expect(lanesOf(again.next)).toEqual(['realtime ab', 'backfill CD']);
    const verdict = answered(written, written, dead('iterable.invalid_data'), written);
    expect(lanesOf(afterRepair(mixed, verdict, mended(mixed.sendings.slice(2, 3)), 'r').next)).toEqual(['backfill C']);
  });
});
