import type { SandboxClock } from '../clock.js';

/**
 * Accepted writes on their way to being readable. In order within one pipeline; bulk and single-user calls have one each, so
 * that they can overtake each other, as the real ones do (facts/iterable.md §1.6).
 */
export class Pipeline {
  private waiting: Array<{ dueAt: number; apply: () => void }> = [];
  private timer: NodeJS.Timeout | null = null;
  private readonly stopListening: () => void;

  constructor(
    private readonly clock: SandboxClock,
    private readonly delayMs: () => number,
  ) {
    this.stopListening = clock.onJump(() => this.drain());
  }

  get pending(): number {
    return this.waiting.length;
  }

  /** Is a write readable at once? */
  get immediate(): boolean {
    return this.waiting.length === 0 && this.delayMs() === 0;
  }

  /** Applies after the delay; never before an earlier write. */
  run(apply: () => void): void {
    if (this.immediate) {
      apply();
      return;
    }
    this.waiting.push({ dueAt: this.clock.now() + this.delayMs(), apply });
    this.drain();
  }

  close(): void {
    this.reset();
    this.stopListening();
  }

  reset(): void {
    this.waiting = [];
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private drain(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    let done = 0;
    for (const write of this.waiting) {
      if (write.dueAt > this.clock.now()) break;
      write.apply();
      done += 1;
    }
    this.waiting = this.waiting.slice(done);
    const next = this.waiting[0];
    if (next) {
      this.timer = setTimeout(() => this.drain(), Math.max(1, next.dueAt - this.clock.now()));
      this.timer.unref();
    }
  }
}
