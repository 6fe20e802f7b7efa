/** What a bucket says to one request. */
export interface Taken {
  allowed: boolean;
  limit: number;
  remaining: number;
  /** Whole seconds until a token is there again; 0 when one is. */
  resetSeconds: number;
}

/** A token bucket: holds `capacity` requests, refilled evenly at `perSecond`. Times are epoch milliseconds. */
export class TokenBucket {
  private tokens: number;
  private filledAt: number;

  constructor(
    private readonly perSecond: number,
    private readonly capacity: number,
    nowMs: number,
  ) {
    this.tokens = capacity;
    this.filledAt = nowMs;
  }

  /** Takes a token. `always`: an empty bucket goes into debt, down to minus its capacity. */
  take(nowMs: number, always = false): Taken {
    this.fill(nowMs);
    const allowed = this.tokens >= 1;
    if (allowed || (always && this.tokens - 1 >= -this.capacity)) this.tokens -= 1;
    return {
      allowed,
      limit: this.capacity,
      remaining: Math.max(0, Math.floor(this.tokens)),
      resetSeconds: this.tokens >= 1 ? 0 : Math.ceil((1 - this.tokens) / this.perSecond),
    };
  }

  /** Puts a token back. */
  refund(): void {
    this.tokens = Math.min(this.capacity, this.tokens + 1);
  }

  private fill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.filledAt);
    this.tokens = Math.min(this.capacity, this.tokens + (elapsedMs / 1000) * this.perSecond);
    this.filledAt = nowMs;
  }
}
