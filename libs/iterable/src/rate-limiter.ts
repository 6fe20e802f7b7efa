/**
 * Share of the setting that is used. With it and the capacity below, a window of 10 s holds at most 0.97 × rate × 10 + 2 requests,
 * half a request less than rate × 10 + 1 at 5 a second: room for arrivals at Iterable that are less even than departures.
 */
const SHARE_USED = 0.97;
/** Lowest pace that 429s lead to, as a share of the setting. */
const LOWEST_PACE = 0.1;
const SLOW_DOWN = 0.8;
const SPEED_UP = 0.02;
/** One 429 storm slows down once: answers to requests sent together say the same thing. Milliseconds. */
const SLOW_DOWN_ONCE_PER_MS = 1_000;

/**
 * Token bucket in front of users/bulkUpdate. It holds two tokens at most: requests leave one by one, so that our
 * own traffic alone never empties Iterable's bucket, and in any `t` of 10 s or more at most rate × t + 1 requests leave. The
 * second token makes up for a timer that fires late, by up to 200 ms at 5 a second. After 429s (others use the project too) the pace drops, and
 * comes back with successes, never above the setting.
 */
export class RateLimiter {
  private readonly capacity: number;
  private tokens = 0;
  private updatedAt: number;
  private pace = 1;
  private slowedAt = Number.NEGATIVE_INFINITY;

  /** Starts empty. `now`: a clock that never goes back, milliseconds. */
  constructor(
    private readonly requestsPerSecond: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.capacity = 1 + Math.min(1, requestsPerSecond / 5);
    this.updatedAt = now();
  }

  /** How long until a request may leave; 0: now. Milliseconds. */
  waitMs(): number {
    this.refill();
    const untilRefill = Math.max(0, this.updatedAt - this.now());
    const missing = Math.max(0, 1 - this.tokens);
    return Math.ceil(untilRefill + (missing * 1000) / this.rate);
  }

  /** Takes a token for a request that leaves now. `false`: there is none. */
  take(): boolean {
    if (this.waitMs() > 0) return false;
    this.tokens -= 1;
    return true;
  }

  /** Nothing leaves for so long, and the bucket is empty then: a 429's hint, or a predecessor's last second. */
  holdFor(ms: number): void {
    this.refill();
    this.tokens = 0;
    this.updatedAt = Math.max(this.updatedAt, this.now() + ms);
  }

  /** A 429 came: others use the project's allowance. */
  slowDown(): void {
    const now = this.now();
    if (now - this.slowedAt < SLOW_DOWN_ONCE_PER_MS) return;
    this.refill();
    this.slowedAt = now;
    this.pace = Math.max(LOWEST_PACE, this.pace * SLOW_DOWN);
  }

  /** A request got through. */
  speedUp(): void {
    this.refill();
    this.pace = Math.min(1, this.pace + SPEED_UP);
  }

  /** Requests a second, at most {@link SHARE_USED} of the setting. */
  get rate(): number {
    return this.requestsPerSecond * SHARE_USED * this.pace;
  }

  private refill(): void {
    const now = this.now();
    if (now <= this.updatedAt) return;
    this.tokens = Math.min(this.capacity, this.tokens + ((now - this.updatedAt) / 1000) * this.rate);
    this.updatedAt = now;
  }
}
