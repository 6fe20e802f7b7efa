/**
 * Which numbered things were seen, as inclusive ranges per source, so that each counts once however often it is
 * redelivered (invariant 4). Changes resolve nearly in order, so a few ranges stand for millions of offsets.
 */
export type SeenOffsets = ReadonlyMap<string, readonly Range[]>;
type Range = readonly [from: number, to: number];

/** Most ranges kept for one source; past it the lowest are forgotten, which can only count a very old redelivery twice. */
export const MAX_RANGES = 5_000;

export const nothingSeen: SeenOffsets = new Map();

/** A place of one thing: a source (a partition) and its number there. */
export interface Place {
  readonly source: string;
  readonly offset: number;
}

/** Index of the first range that ends at or after `offset - 1`: the one that `offset` is in or could extend. */
function findRange(ranges: readonly Range[], offset: number): number {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle]?.[1] ?? 0) < offset - 1) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts `offset` into `ranges`, which it changes; `false` when it was there. */
function insert(ranges: Range[], offset: number): boolean {
  const at = findRange(ranges, offset);
  const range = ranges[at];
  if (range === undefined || offset < range[0] - 1) {
    ranges.splice(at, 0, [offset, offset]);
  } else if (offset >= range[0] && offset <= range[1]) {
    return false;
  } else if (offset === range[0] - 1) {
    ranges[at] = [offset, range[1]];
  } else {
    const next = ranges[at + 1];
    if (next !== undefined && next[0] === offset + 1) ranges.splice(at, 2, [range[0], next[1]]);
    else ranges[at] = [range[0], offset];
  }
  return true;
}

/**
 * Marks places as seen.
 * Output: the new state, and for each place, in input order, whether it was new.
 */
export function markSeen(
  seen: SeenOffsets,
  places: readonly Place[],
): { readonly seen: SeenOffsets; readonly fresh: readonly boolean[] } {
  const touched = new Map<string, Range[]>();
  const fresh = places.map(({ source, offset }) => {
    const ranges = touched.get(source) ?? [...(seen.get(source) ?? [])];
    touched.set(source, ranges);
    return insert(ranges, offset);
  });
  for (const ranges of touched.values()) {
    if (ranges.length > MAX_RANGES) ranges.splice(0, ranges.length - MAX_RANGES);
  }
  return { seen: new Map([...seen, ...touched]), fresh };
}

/** What of `[from, to)` was not seen: how many, and the first; `null` when nothing is missing. */
export function unseen(
  seen: SeenOffsets,
  source: string,
  from: number,
  to: number,
): { readonly count: number; readonly first: number } | null {
  let count = 0;
  let first: number | null = null;
  let at = from;
  for (const [low, high] of seen.get(source) ?? []) {
    if (high < at) continue;
    if (low >= to) break;
    if (low > at) {
      first ??= at;
      count += low - at;
    }
    at = high + 1;
  }
  if (at < to) {
    first ??= at;
    count += to - at;
  }
  return first === null ? null : { count, first };
}

/** A change's name `partition:offset` as a place. Shape: as the messages' schema has checked it. */
export function placeOfChange(name: string): Place {
  const colon = name.indexOf(':');
  return { source: name.slice(0, colon), offset: Number(name.slice(colon + 1)) };
}
