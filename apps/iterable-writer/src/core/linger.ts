/** What waits in a lane. */
export interface LaneLoad {
  readonly users: number;
  readonly bytes: number;
  /** When the first of those waiting came, and the last. Epoch milliseconds. */
  readonly oldestAtMs: number;
  readonly newestAtMs: number;
}

export interface LingerLimits {
  readonly maxUsers: number;
  readonly maxBytes: number;
  /** No more have come for so long: nobody else is on the way. Milliseconds. */
  readonly quietMs: number;
  /** Nobody waits longer than this for company. Milliseconds. */
  readonly longestMs: number;
}

/**
 * How long a backfill request should still wait to fill up; 0: send it now. Milliseconds.
 * A small request costs the same token as a full one, and tokens are what is scarce.
 */
export function lingerMs(load: LaneLoad, nowMs: number, limits: LingerLimits): number {
  if (load.users >= limits.maxUsers || load.bytes >= limits.maxBytes) return 0;
  const due = Math.min(load.newestAtMs + limits.quietMs, load.oldestAtMs + limits.longestMs);
  return Math.max(0, due - nowMs);
}
