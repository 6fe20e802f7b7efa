import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halves, startSearch, testPassed, testRefused, type SearchStep } from './search.js';

interface Run {
  /** Requests after the first one. */
  readonly extra: number;
  readonly written: readonly number[];
  readonly dead: readonly number[];
}

/** Plays writer and Iterable: a request with a bad user in it is refused whole. `fluke`: the first refusal was for nothing. */
function play(
  users: readonly number[],
  bad: ReadonlySet<number>,
  options: { hint?: readonly number[]; fluke?: boolean } = {},
): Run {
  const written: number[] = [];
  const dead: number[] = [];
  let requests = 0;
  const refused = (request: readonly number[]) => {
    requests += 1;
    if (request.some((user) => bad.has(user))) return true;
    if (requests === 1 && options.fluke === true) return true;
    written.push(...request);
    return false;
  };
  const queue: Array<readonly number[]> = [users];
  let hint = options.hint ?? [];
  for (let request = queue.shift(); request !== undefined; request = queue.shift()) {
    if (!refused(request)) continue;
    let step: SearchStep<number, string> = startSearch(request, hint, 'type');
    hint = [];
    while (step.kind === 'test')
      step = refused(step.search.test) ? testRefused(step.search, 'type') : testPassed(step.search);
    if (step.bad !== null) dead.push(step.bad);
    if (step.rest.length > 0) queue.push(step.rest);
  }
  return { extra: requests - 1, written, dead };
}

const someUsers = fc.integer({ min: 1, max: 1_000 }).map((count) => Array.from({ length: count }, (_, index) => index));
const sorted = (list: readonly number[]) => list.toSorted((a, b) => a - b);

describe('the search for a bad user', () => {
  it('writes every good user once, finds every bad one, in at most ceil(log2 n) + 1 extra requests for each', () => {
    fc.assert(
      fc.property(someUsers, fc.array(fc.nat(999), { minLength: 1, maxLength: 12 }), (users, picks) => {
        const bad = new Set(picks.map((pick) => pick % users.length));
        const { extra, written, dead } = play(users, bad);
        expect(sorted(dead)).toEqual(sorted([...bad]));
        expect(sorted(written)).toEqual(users.filter((user) => !bad.has(user)));
        expect(extra).toBeLessThanOrEqual(bad.size * (Math.ceil(Math.log2(users.length)) + 1));
      }),
      { numRuns: 300 },
    );
  });

  it('needs 11 extra requests at most for one of 1,000, wherever it stands', () => {
    const users = Array.from({ length: 1_000 }, (_, index) => index);
    const counts = users.map((user) => play(users, new Set([user])).extra);
    expect(Math.max(...counts)).toBe(11);
  });

  it('needs 2 when the answer points at it, and the good ones are written first', () => {
    const users = Array.from({ length: 1_000 }, (_, index) => index);
    expect(play(users, new Set([713]), { hint: [713] })).toMatchObject({ extra: 2, dead: [713] });
    expect(startSearch(['a', 'b', 'c'], [1], 'type')).toMatchObject({ search: { test: ['a', 'c'], other: ['b'] } });
  });

  it('is not led astray by a hint that is wrong', () => {
    fc.assert(
      fc.property(someUsers, fc.nat(999), fc.array(fc.nat(1_100), { maxLength: 20 }), (users, pick, hint) => {
        const bad = pick % users.length;
        const { written, dead } = play(users, new Set([bad]), { hint });
        expect(dead).toEqual([bad]);
        expect(written).toHaveLength(users.length - 1);
      }),
    );
  });

  it('finds nobody guilty of a refusal that does not come again', () => {
    fc.assert(
      fc.property(someUsers, (users) => {
        const { written, dead } = play(users, new Set(), { fluke: true });
        expect([sorted(written), dead]).toEqual([users, []]);
      }),
    );
  });

  it('keeps the reason of the smallest refused set', () => {
    const first = startSearch(['a', 'b', 'c', 'd'], [], 'first');
    const second = first.kind === 'test' ? testRefused(first.search, 'second') : first;
    expect(second.kind === 'test' && testRefused(second.search, 'third')).toEqual({
      kind: 'end',
      bad: 'a',
      reason: 'third',
      rest: ['b', 'c', 'd'],
    });
    expect(second.kind === 'test' && testPassed(second.search)).toMatchObject({ bad: 'b', reason: 'second' });
  });
});

describe('halves', () => {
  it.each([
    [[], []],
    [[1], [[1]]],
    [
      [1, 2, 3],
      [[1, 2], [3]],
    ],
  ])('of %j are %j', (users, expected) => {
    expect(halves(users)).toEqual(expected);
  });
});
