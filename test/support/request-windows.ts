/** A stretch of the server's log, and how it stands to the allowance. */
export interface RequestWindow {
  readonly requests: number;
  readonly seconds: number;
  /** Requests beyond `rate × seconds + 1`; negative: so much room was left. */
  readonly excess: number;
}

/**
 * Of all windows of at least `minSeconds` the one that goes furthest beyond `perSecond × seconds + 1` requests; `null` when there are
 * no requests. `at`: arrivals at the server, epoch milliseconds, ascending. Only windows that begin and end with a request need to be
 * looked at, and the shortest possible ones that end with one: any other holds no more in the same time.
 */
export function worstWindow(at: readonly number[], perSecond: number, minSeconds: number): RequestWindow | null {
  const minMs = minSeconds * 1_000;
  let worst: RequestWindow | null = null;
  const look = (first: number, last: number, ms: number) => {
    const requests = last - first + 1;
    const excess = requests - ((perSecond * ms) / 1_000 + 1);
    if (worst === null || excess > worst.excess) worst = { requests, seconds: ms / 1_000, excess };
  };
  let shortest = 0;
  // Of the requests at least `minMs` before the end: how many the allowance would have let through by then, beyond those that came
  let next = 0;
  let start = { index: -1, room: Number.NEGATIVE_INFINITY };
  at.forEach((endMs, last) => {
    while ((at[shortest] ?? endMs) < endMs - minMs) shortest += 1;
    look(shortest, last, minMs);
    for (let first = at[next]; first !== undefined && first <= endMs - minMs; first = at[next]) {
      const room = (perSecond * first) / 1_000 - next;
      if (room > start.room) start = { index: next, room };
      next += 1;
    }
    if (start.index >= 0) look(start.index, last, endMs - (at[start.index] ?? endMs));
  });
  return worst;
}
