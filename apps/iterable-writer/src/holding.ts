import { isRetryable } from '@libs/contracts';
import { OffsetTracker, type Claim } from '@libs/event-log';
import type { Health, Logger } from '@libs/observability';

/** Commits of a partition are put together for so long: a commit costs the log a write each. Milliseconds. */
const COMMIT_EVERY_MS = 200;

/** A partition in our hands for one generation: what of it was taken and what is accounted for. */
export class Holding {
  private readonly tracker: OffsetTracker;
  private committed: number;
  private timer: NodeJS.Timeout | null = null;
  private committing: Promise<void> = Promise.resolve();

  constructor(
    readonly claim: Claim,
    start: number,
    private readonly parts: { readonly health: Health; readonly logger: Logger },
  ) {
    this.tracker = new OffsetTracker(start);
    this.committed = start;
    claim.signal.addEventListener('abort', () => this.cancel(), { once: true });
  }

  get lost(): boolean {
    return this.claim.signal.aborted;
  }

  took(offset: number): void {
    this.tracker.took(offset);
  }

  /** All records below were given to us: what was left out needs no work. */
  passed(nextOffset: number): void {
    this.tracker.passed(nextOffset);
  }

  /** Its outcome is durable. Invariant 1: only now may the position pass it. */
  done(offset: number): void {
    this.tracker.done(offset);
    if (this.timer !== null || this.lost) return;
    this.timer = setTimeout(() => void this.flush(), COMMIT_EVERY_MS);
  }

  /** Commits what is done, now. */
  flush(): Promise<void> {
    this.cancel();
    this.committing = this.committing.then(() => this.commit());
    return this.committing;
  }

  private async commit(): Promise<void> {
    const position = this.tracker.position();
    if (position <= this.committed || this.lost) return;
    try {
      await this.claim.commit(position);
      this.committed = position;
    } catch (error) {
      if (!isRetryable(error)) {
        this.parts.health.fail(error);
        return;
      }
      // Not committed is only read again: the next one done, or the stop, tries again.
      this.parts.logger.warn({ err: error, partition: this.claim.partition }, 'a commit failed');
    }
  }

  private cancel(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
