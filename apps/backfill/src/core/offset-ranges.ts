/** Inclusive ranges of offsets of one partition: ascending, not touching. */
export type Ranges = ReadonlyArray<readonly [from: number, to: number]>;

/** By partition number. */
export type RangesByPartition = Readonly<Record<string, Ranges>>;

/** Adds positions, given in append order, to the ranges of their partitions. Positions of a partition ascend and lie after its ranges. */
export function addPositions(
  published: RangesByPartition,
  positions: ReadonlyArray<{ readonly partition: number; readonly offset: number }>,
): RangesByPartition {
  const added: Record<string, Array<[number, number]>> = {};
  for (const { partition, offset } of positions) {
    const ranges = (added[partition] ??= (published[partition] ?? []).map(([from, to]) => [from, to]));
    const last = ranges.at(-1);
    if (last !== undefined && offset === last[1] + 1) last[1] = offset;
    else if (last === undefined || offset > last[1]) ranges.push([offset, offset]);
  }
  return { ...published, ...added };
}

/** Is the offset in the ranges? By bisection: a large job has thousands of ranges. */
export function contains(ranges: Ranges | undefined, offset: number): boolean {
  if (ranges === undefined) return false;
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [from, to] = ranges[middle] as readonly [number, number];
    if (offset < from) high = middle - 1;
    else if (offset > to) low = middle + 1;
    else return true;
  }
  return false;
}

/** How many offsets of the ranges are at or after `from`. */
export function countFrom(ranges: Ranges | undefined, from: number): number {
  let count = 0;
  for (let index = (ranges?.length ?? 0) - 1; index >= 0; index -= 1) {
    const [start, end] = (ranges as Ranges)[index] as readonly [number, number];
    if (end < from) break;
    count += end - Math.max(start, from) + 1;
  }
  return count;
}

/** How many offsets all the ranges hold. */
export function countAll(published: RangesByPartition): number {
  return Object.values(published).reduce((sum, ranges) => sum + countFrom(ranges, 0), 0);
}
