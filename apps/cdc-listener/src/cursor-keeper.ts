import { isRetryable } from '@libs/contracts';
import type { Lease } from '@libs/event-log';
import type { Logger } from '@libs/observability';

/** Least time between two stores: what a crash makes Salesforce deliver again. Milliseconds. */
const SAVE_EVERY_MS = 500;

/**
 * Stores the newest position of a lease, at most twice a second, one write at a time. It is given only positions whose
 * changes are durable: invariant 1.
 */
export class CursorKeeper {
  private pending: string | null = null;
  private timer: NodeJS.Timeout | null = null;
  private saving: Promise<boolean> = Promise.resolve(true);
  private savedAt = 0;

  constructor(
    private readonly lease: Pick<Lease, 'saveCursor' | 'signal'>,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly onBug: (error: unknown) => void,
  ) {}

  /** Stores it: at once, or half a second after the last. */
  moved(cursor: string): void {
    this.pending = cursor;
    const wait = Math.max(0, this.savedAt + SAVE_EVERY_MS - Date.now());
    this.timer ??= setTimeout(() => void this.flush(), wait);
  }

  /**
   * Stores what is not stored yet. Resolves when it was tried: `true` when all that was given before the call is stored. A
   * failure of the log is tried again with the next position.
   */
  flush(): Promise<boolean> {
    clearTimeout(this.timer ?? undefined);
    this.timer = null;
    this.saving = this.saving.then(() => this.save());
    return this.saving;
  }

  private async save(): Promise<boolean> {
    const cursor = this.pending;
    if (this.lease.signal.aborted) return false;
    if (cursor === null) return true;
    this.pending = null;
    this.savedAt = Date.now();
    try {
      await this.lease.saveCursor(cursor);
      return true;
    } catch (error) {
      if (this.lease.signal.aborted) return false;
      if (!isRetryable(error)) {
        this.onBug(error);
        return false;
      }
      this.logger.warn(
        { err: error },
        'the position could not be stored; a crash now would repeat events, not lose them',
      );
      if (this.pending === null) this.moved(cursor);
      return false;
    }
  }
}
