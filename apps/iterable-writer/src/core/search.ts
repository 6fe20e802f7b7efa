/**
 * The search for one user that makes Iterable refuse whole requests, by halves and in bulk.
 *
 * `R` is the reason of a refusal. Of n users with one bad one the search takes at most ceil(log2 n) + 1 requests beyond the
 * refused one, those for the good users among them: a half that passes is written by its test, what was not looked at is
 * sent in one request at the end, and a user is only found guilty after a second refusal that it was part of.
 */
export interface Search<T, R> {
  /** To be sent next. */
  readonly test: readonly T[];
  /** One of these is bad if `test` passes. Empty: `test` is one user that must be refused again. */
  readonly other: readonly T[];
  /** Not looked at. */
  readonly rest: readonly T[];
  /** Of the smallest set that was refused. */
  readonly reason: R;
  /** Has anything been refused since the search began? One refusal alone may be a fluke of the way there. */
  readonly confirmed: boolean;
}

export type SearchStep<T, R> =
  | { readonly kind: 'test'; readonly search: Search<T, R> }
  /** Over: `bad` is the user found, `null` when none was refused again; `rest` is to be sent as a request of its own. */
  | { readonly kind: 'end'; readonly bad: T | null; readonly reason: R; readonly rest: readonly T[] };

type Scope<T, R> = Omit<Search<T, R>, 'test' | 'other'> & { readonly guilty: readonly T[] };

/**
 * Begins when a request was refused whole. `users`: all of it, at least one. `suspects`: indexes the answer points at, a hint;
 * all others are tested first, so that they are written first.
 */
export function startSearch<T, R>(users: readonly T[], suspects: readonly number[], reason: R): SearchStep<T, R> {
  const scope = { guilty: users, rest: [], reason, confirmed: false };
  const pointedAt = new Set(suspects);
  const test = users.filter((_, index) => !pointedAt.has(index));
  const other = users.filter((_, index) => pointedAt.has(index));
  if (test.length === 0 || other.length === 0) return narrow(scope);
  return { kind: 'test', search: { test, other, rest: [], reason, confirmed: false } };
}

/** The test was not refused: its users are written, or have verdicts of their own. */
export function testPassed<T, R>({ other, rest, reason, confirmed }: Search<T, R>): SearchStep<T, R> {
  if (other.length === 0) return { kind: 'end', bad: null, reason, rest };
  return narrow({ guilty: other, rest, reason, confirmed });
}

/** The test was refused whole, too. */
export function testRefused<T, R>({ test, other, rest }: Search<T, R>, reason: R): SearchStep<T, R> {
  return narrow({ guilty: test, rest: [...other, ...rest], reason, confirmed: true });
}

function narrow<T, R>({ guilty, rest, reason, confirmed }: Scope<T, R>): SearchStep<T, R> {
  const [first] = guilty;
  if (guilty.length === 1 && first !== undefined && confirmed) return { kind: 'end', bad: first, reason, rest };
  const half = Math.ceil(guilty.length / 2);
  return {
    kind: 'test',
    search: { test: guilty.slice(0, half), other: guilty.slice(half), rest, reason, confirmed },
  };
}

/** Two halves, the first the larger. */
export function halves<T>(users: readonly T[]): ReadonlyArray<readonly T[]> {
  const half = Math.ceil(users.length / 2);
  return [users.slice(0, half), users.slice(half)].filter((part) => part.length > 0);
}
