/** Of the past that the share is about. Milliseconds. */
const WINDOW_MS = 60_000;
/** Finest stretch that is kept. Milliseconds. */
const SLICE_MS = 1_000;

interface Slice {
  readonly sinceMs: number;
  /** Time in which work waited. Milliseconds. */
  busyMs: number;
  /** Users written. */
  written: number;
}

/**
 * How much of what the settings allow is used while work waits. Users that are written count when their answer comes, time when it
 * has passed; a minute of both evens out that the one is later than the other.
 */
export class Allowance {
  private readonly slices: Slice[] = [];
  private waitsSinceMs: number | null = null;

  /** `usersPerSecond`: what the settings allow. */
  constructor(private readonly usersPerSecond: number) {}

  /** Does work wait from now on? Returns the users that the allowance was good for since the last time. */
  note(waits: boolean, nowMs: number): number {
    const busyMs = this.waitsSinceMs === null ? 0 : Math.max(0, nowMs - this.waitsSinceMs);
    this.waitsSinceMs = waits ? nowMs : null;
    if (busyMs > 0) this.slice(nowMs).busyMs += busyMs;
    return (busyMs / 1_000) * this.usersPerSecond;
  }

  /** So many users are in Iterable now. */
  wrote(users: number, nowMs: number): void {
    if (users > 0) this.slice(nowMs).written += users;
  }

  /** Share of the allowance that was used in the last minute, counting time in which work waited; `null`: none did. */
  used(nowMs: number): number | null {
    const recent = this.slices.filter(({ sinceMs }) => sinceMs > nowMs - WINDOW_MS);
    const busyMs = recent.reduce((sum, one) => sum + one.busyMs, 0);
    if (busyMs === 0) return null;
    const written = recent.reduce((sum, one) => sum + one.written, 0);
    return written / ((busyMs / 1_000) * this.usersPerSecond);
  }

  private slice(nowMs: number): Slice {
    const last = this.slices.at(-1);
    if (last !== undefined && nowMs - last.sinceMs < SLICE_MS) return last;
    while (this.slices.length > WINDOW_MS / SLICE_MS) this.slices.shift();
    const slice = { sinceMs: nowMs, busyMs: 0, written: 0 };
    this.slices.push(slice);
    return slice;
  }
}
