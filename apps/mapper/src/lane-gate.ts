import { SyncError, type Lane } from '@libs/contracts';
import type { Endings, SafetyStop } from '@libs/service';

/** The service ends while a batch waits behind the safety stop: nothing is decided, the next owner reads the batch again. */
export class LaneStoppedError extends SyncError {
  readonly code = 'mapper.safety_stop';
  readonly retryable = true;
}

/** Lets batches of a lane pass, as the safety stop says; they wait at it, for any time, while the other lane flows. */
export class LaneGate {
  private readonly waiting = new Set<() => void>();
  private isClosed = false;

  constructor(private readonly safety: Pick<SafetyStop, 'stopped' | 'holdBack' | 'note' | 'onContinue'>) {
    safety.onContinue(() => this.wake());
  }

  /**
   * Resolves when the lane may be read, at once if it may now; `false`: `signal` aborted instead.
   * Errors: {@link LaneStoppedError} once {@link close}d.
   */
  async whenOpen(lane: Lane, signal: AbortSignal): Promise<boolean> {
    while (this.safety.stopped(lane) && !signal.aborted) {
      if (this.isClosed) throw new LaneStoppedError(`the ${lane} lane is held back, and the service ends`);
      await this.nextNews(signal);
    }
    return !signal.aborted;
  }

  /** Must these endings not become durable? Then the lane is stopped, until there is another mapping or somebody says so. */
  holdsBack(lane: Lane, endings: Endings): boolean {
    return this.safety.holdBack(lane, endings);
  }

  /** These endings are durable. */
  passed(lane: Lane, endings: Endings): void {
    this.safety.note(lane, endings);
  }

  /** Nobody waits any more. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  private async nextNews(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = () => resolve();
    this.waiting.add(end);
    signal.addEventListener('abort', end);
    await promise;
    signal.removeEventListener('abort', end);
    this.waiting.delete(end);
  }

  private wake(): void {
    for (const end of this.waiting) end();
  }
}
