import { setTimeout as wait } from 'node:timers/promises';
import { AccessRefusedError, isRecordError, isRetryable, type SyncError } from '@libs/contracts';
import type { Health, Logger, Metrics } from '@libs/observability';
import { ExponentialBackoff } from 'cockatiel';

/** What a server tells of itself, and where. */
export interface ServerParts {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
}

export interface RetryPolicy {
  /** First wait, about. Milliseconds. */
  readonly initialDelayMs: number;
  /** Longest wait that we choose; the other side may ask for more. Milliseconds. */
  readonly maxDelayMs: number;
  /** After failing for so long, readiness turns false. Milliseconds. */
  readonly deadlineMs: number;
}

/** How a step ended. `abandoned`: the partition was taken away, or we are stopping; nothing is decided. */
export type Settled =
  | { readonly kind: 'done' }
  | { readonly kind: 'abandoned' }
  | { readonly kind: 'record'; readonly error: SyncError; readonly attempts: number; readonly firstTime: number };

/** Tries the steps of one topic again while the world fails (style guide §6), and says so. */
export class Retrying {
  private readonly failing = new Set<number>();

  constructor(
    private readonly topic: string,
    private readonly policy: RetryPolicy,
    private readonly parts: ServerParts,
    private readonly stopping: AbortSignal,
  ) {}

  /**
   * Runs one step until it succeeds, fails by a record, or is abandoned. `partition` is only for telling partitions apart.
   * Errors: anything that is neither a failure of the world nor about a record, as it is: a bug.
   */
  async settle(partition: number, signal: AbortSignal, step: () => Promise<void>): Promise<Settled> {
    const ended = AbortSignal.any([signal, this.stopping]);
    const firstTime = Date.now();
    let backoff = new ExponentialBackoff({
      initialDelay: this.policy.initialDelayMs,
      maxDelay: this.policy.maxDelayMs,
    }).next();
    try {
      for (let attempts = 1; ; attempts += 1) {
        try {
          await step();
          return { kind: 'done' };
        } catch (error) {
          if (isRecordError(error)) return { kind: 'record', error, attempts, firstTime };
          if (signal.aborted && (isRetryable(error) || isAbort(error))) return { kind: 'abandoned' };
          if (!isRetryable(error)) throw error;
          this.tell(partition, error as SyncError, attempts, firstTime);
          // What the other side asks for is the least we wait; the jitter comes on top.
          const delay = Math.max(backoff.duration, ((error as SyncError).retryAfterMs ?? 0) + backoff.duration / 10);
          await wait(delay, undefined, { signal: ended }).catch(() => undefined);
          if (ended.aborted) return { kind: 'abandoned' };
          backoff = backoff.next(undefined);
        }
      }
    } finally {
      this.recovered(partition);
    }
  }

  private tell(partition: number, error: SyncError, attempts: number, firstTime: number): void {
    const { topic, parts } = this;
    parts.metrics.logHandlerRetries.inc({ topic, code: error.code });
    parts.logger.warn({ topic, partition, code: error.code, attempts, err: error }, 'failed, will try again');
    // A refused credential does not mend itself: somebody should know at once.
    if (!(error instanceof AccessRefusedError) && Date.now() - firstTime < this.policy.deadlineMs) return;
    this.failing.add(partition);
    const since = new Date(firstTime).toISOString();
    parts.health.set(
      `log:${topic}`,
      false,
      `${error.code} since ${since}, ${attempts} attempts; reading waits and probes`,
    );
  }

  private recovered(partition: number): void {
    if (this.failing.delete(partition) && this.failing.size === 0) this.parts.health.set(`log:${this.topic}`, true);
  }
}

/** What a step throws that was cancelled through a signal. */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
