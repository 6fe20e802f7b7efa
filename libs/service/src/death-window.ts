/** What became of some records: how many ended, the dead among them, and these by code. */
export interface Endings {
  readonly ended: number;
  readonly dead: ReadonlyMap<string, number>;
}

interface Bucket extends Endings {
  /** Epoch milliseconds. */
  readonly startMs: number;
}

/** The endings of the last so many milliseconds, oldest first: in a few buckets, so that it stays small whatever the load. */
export type DeathWindow = readonly Bucket[];

export const EMPTY_WINDOW: DeathWindow = [];

/** So many parts of a window go out of it one by one. */
const BUCKETS = 60;
/** Fewer dead letters than these say nothing: a handful of bad records at night is no wrong mapping. */
export const MIN_DEAD = 100;

/** The window with these endings, and without what is older than it is long. */
export function noted(window: DeathWindow, endings: Endings, nowMs: number, windowMs: number): DeathWindow {
  const bucketMs = Math.ceil(windowMs / BUCKETS);
  const startMs = Math.floor(nowMs / bucketMs) * bucketMs;
  const kept = window.filter((bucket) => bucket.startMs > nowMs - windowMs);
  const last = kept.at(-1);
  if (last === undefined || last.startMs < startMs) return [...kept, { startMs, ...endings }];
  return [...kept.slice(0, -1), { startMs: last.startMs, ...sum([last, endings]) }];
}

/** All endings of some. */
export function sum(all: readonly Endings[]): Endings {
  const dead = new Map<string, number>();
  for (const one of all) {
    for (const [code, count] of one.dead) dead.set(code, (dead.get(code) ?? 0) + count);
  }
  return { ended: all.reduce((total, { ended }) => total + ended, 0), dead };
}

/** How many are dead, by whatever code. */
export function deadOf({ dead }: Pick<Endings, 'dead'>): number {
  return [...dead.values()].reduce((total, count) => total + count, 0);
}

/** Is so much dead that what all records have in common is likelier wrong than each of them? Never at 100 percent. */
export function isTooMuch(endings: Endings, percent: number): boolean {
  const dead = deadOf(endings);
  return dead >= MIN_DEAD && dead * 100 > percent * endings.ended;
}

/** The code that most died with, the first by name of several; `null`: nothing is dead. */
export function topCode({ dead }: Pick<Endings, 'dead'>): string | null {
  const [top] = [...dead].toSorted(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return top?.[0] ?? null;
}
