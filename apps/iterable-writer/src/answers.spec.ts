import { describe, expect, it } from 'vitest';
import { refusedReasons, type UserVerdict } from '@libs/iterable';
import { afterAnswer, afterFailure, afterSplit, explainPause, type Consequence } from './answers.js';
import { everyoneIn, newPiece, type Piece, type Sending } from './piece.js';

/** Users by name; real-time ones in capitals. */
const users = (text: string) =>
  text.split('').map((name) => {
    const lane = name === name.toLowerCase() ? 'backfill' : 'realtime';
    return { entry: { message: { recordId: name } }, lane } as Sending;
  });
const piece = (text: string, more: Partial<Piece> = {}): Piece => ({ ...newPiece(users(text)), ...more });
const names = (some: ReadonlyArray<Pick<Sending, 'entry'>>) => some.map(({ entry }) => entry.message.recordId).join('');

/** `a=written b=iterable.forgotten | cd ef`: endings, then what is sent next. */
function show({ ended, next }: Consequence): string {
  const endings = ended.map(
    ({ entry, ending }) => `${names([{ entry }])}=${ending.kind === 'dead' ? ending.code : ending.kind}`,
  );
  return [...endings, '|', ...next.map((one) => names(one.sendings))].join(' ').trim();
}

const written: UserVerdict = { kind: 'written' };
const unclear: UserVerdict = { kind: 'unclear' };
const answered = (...verdicts: UserVerdict[]) =>
  ({ kind: 'answered', users: verdicts, unchanged: 0, createdFields: [], filteredOutFields: [] }) as const;
const bad = (...suspects: number[]) =>
  ({ kind: 'split', cause: 'bad_user', code: 'iterable.field_type_mismatch', suspects, mismatches: [] }) as const;
const tooLarge = { kind: 'split', cause: 'too_large', code: 'iterable.user_too_large' } as const;
const search = {
  test: users('ab'),
  other: users('cd'),
  rest: users('ef'),
  reason: 'iterable.bad_request',
  confirmed: true,
} as const;

describe('afterAnswer', () => {
  it('gives each user its own ending', () => {
    const verdict = answered(written, { kind: 'dead', code: 'iterable.forgotten' }, written);
    const { ended } = afterAnswer(piece('abc'), verdict, 'r1');
    expect(ended.map(({ ending }) => ending)).toEqual([
      { kind: 'written', requestId: 'r1' },
      { kind: 'dead', code: 'iterable.forgotten', message: expect.stringContaining('GDPR'), requestId: 'r1' },
      { kind: 'written', requestId: 'r1' },
    ]);
  });

  it('asks again in halves about those that are unclear', () => {
    expect(show(afterAnswer(piece('abcd'), answered(unclear, written, unclear, unclear), 'r1'))).toBe(
      'b=written | ac d',
    );
  });

  it('goes on with the search that the request was a test of', () => {
    const consequence = afterAnswer(piece('ab', { search }), answered(written, written), 'r1');
    expect(show(consequence)).toBe('a=written b=written | c');
    expect(consequence.next.map((one) => names(everyoneIn(one)))).toEqual(['cdef']);
  });
});

describe('afterSplit', () => {
  it('begins a search', () => {
    expect(show(afterSplit(piece('abcd'), bad(), 'r1'))).toBe('| ab');
    expect(show(afterSplit(piece('abcd'), bad(1), 'r1'))).toBe('| acd');
  });

  it('narrows it down, and sends the rest when it is over', () => {
    const narrowed = afterSplit(piece('ab', { search }), bad(), 'r1');
    expect(show(narrowed)).toBe('| a');
    expect(show(afterSplit(narrowed.next[0] as Piece, bad(), 'r2'))).toBe('a=iterable.field_type_mismatch | bcdef');
  });

  it('halves what is too large, and gives up a search for it', () => {
    expect(show(afterSplit(piece('abc'), tooLarge, 'r1'))).toBe('| ab c');
    expect(show(afterSplit(piece('a'), tooLarge, 'r1'))).toBe('a=iterable.user_too_large |');
    expect(show(afterSplit(piece('ab', { search }), tooLarge, 'r1'))).toBe('| a b cdef');
  });
});

describe('a request of real-time users with a backfill riding along', () => {
  const mixed = piece('ABcdef');
  const lanesOf = ({ next }: Consequence) => next.map(({ lane, sendings }) => `${lane} ${names(sendings)}`);

  it.each([
    ['is refused without saying for whom: each side again', bad(), ['realtime AB', 'backfill cdef']],
    ['is refused for one of the backfill: that is searched', bad(3), ['realtime AB', 'backfill cef']],
    ['is refused for a real-time user: that is searched', bad(1), ['realtime A', 'backfill cdef']],
    ['is too large', tooLarge, ['realtime AB', 'backfill cdef']],
  ])('%s', (_, verdict, expected) => {
    const consequence = afterSplit(mixed, verdict, 'r1');
    expect(lanesOf(consequence)).toEqual(expected);
    expect(consequence.next.flatMap((one) => names(everyoneIn(one)).split('')).toSorted()).toEqual('ABcdef'.split(''));
  });

  it('is unclear, or gets no answer', () => {
    const verdicts = answered(written, unclear, unclear, written, unclear, written);
    expect(lanesOf(afterAnswer(mixed, verdicts, 'r1'))).toEqual(['realtime B', 'backfill ce']);
    const riders = answered(written, written, unclear, unclear, unclear, written);
    expect(lanesOf(afterAnswer(mixed, riders, 'r1'))).toEqual(['backfill cd', 'backfill e']);
    for (const attempt of [0, 4]) {
      const next = afterFailure({ ...mixed, attempt }, 700, true);
      expect(lanesOf({ ended: [], next })).toEqual(['realtime AB', 'backfill cdef']);
      expect(next.map(({ notBeforeMs }) => notBeforeMs)).toEqual([700, 700]);
    }
  });
});

describe('afterFailure', () => {
  it('sends the same again, later', () => {
    expect(afterFailure(piece('ab'), 700, true)).toMatchObject([{ attempt: 1, notBeforeMs: 700 }]);
  });

  it('suspects a piece that alone gets no answer, and sends it in halves', () => {
    const often = piece('abc', { attempt: 4 });
    expect(afterFailure(often, 700, true).map((one) => names(one.sendings))).toEqual(['ab', 'c']);
    expect(afterFailure(often, 700, false).map((one) => names(one.sendings))).toEqual(['abc']);
    expect(afterFailure(piece('a', { attempt: 9 }), 700, true)).toMatchObject([{ attempt: 10 }]);
  });
});

describe('explainPause', () => {
  it('says what to do, or what is seen', () => {
    expect(explainPause('iterable.access_refused')).toBe(refusedReasons['iterable.access_refused']);
    expect(explainPause('iterable.timeout')).toContain('iterable.timeout');
  });
});
