/**
 * What of one partition was taken and what is done, for handlers that finish out of order (windows, parked users).
 * Memory is one range for each gap, whatever the number of offsets.
 */
export class OffsetTracker {
  /** Taken and not done: disjoint inclusive ranges in ascending order. */
  private readonly outstanding: Array<[first: number, last: number]> = [];
  private next: number;

  /** `start`: the first offset that may be taken, e.g. the committed position. */
  constructor(start: number) {
    this.next = start;
  }

  /** Taken in hand: offsets come in ascending order; ones that are skipped (compacted, unreadable) count as done. */
  took(offset: number): void {
    if (offset < this.next) throw new RangeError(`offset ${offset} was taken before`);
    const last = this.outstanding.at(-1);
    if (last !== undefined && last[1] === offset - 1) last[1] = offset;
    else this.outstanding.push([offset, offset]);
    this.next = offset + 1;
  }

  /** Everything below `nextOffset` that was not taken needs no work: the end of a batch whose tail was unreadable. */
  passed(nextOffset: number): void {
    if (nextOffset > this.next) this.next = nextOffset;
  }

  /** Durable downstream. Marking an offset twice, or one that was never taken, does nothing. */
  done(offset: number): void {
    const index = this.find(offset);
    const range = this.outstanding[index];
    if (range === undefined || range[0] > offset) return;
    const [first, last] = range;
    const left: Array<[number, number]> = first < offset ? [[first, offset - 1]] : [];
    const right: Array<[number, number]> = offset < last ? [[offset + 1, last]] : [];
    this.outstanding.splice(index, 1, ...left, ...right);
  }

  /** First offset that is not done: what may be committed. Invariant 1: everything before it is durable. */
  position(): number {
    return this.outstanding[0]?.[0] ?? this.next;
  }

  /** How many offsets are taken and not done. */
  size(): number {
    return this.outstanding.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  /** Index of the first range that ends at or after `offset`. */
  private find(offset: number): number {
    let low = 0;
    let high = this.outstanding.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.outstanding[middle]?.[1] ?? Infinity) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
