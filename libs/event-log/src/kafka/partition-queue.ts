import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FencedClaim, FencedHandlers } from '../claims.js';
import type { LogRecord } from '../port.js';

/** Most characters handed out in one run, beyond its first record. */
const MAX_RUN_CHARS = 4_000_000;

/** So many records may always wait, whatever the size of a run: a fetch brings about half of it, and the next is under way meanwhile. */
const MIN_WAITING = 5_000;

const charsOf = ({ key, value }: LogRecord) => key.length + (value?.length ?? 0);

export interface QueueLimits {
  /** Most records in one run. */
  readonly maxRecords: number;
  /** Past so many characters nothing more is fetched. */
  readonly maxChars: number;
}

/**
 * Records of one partition, fetched and not yet handed out, and the loop that hands them out, outside of the client's own
 * callbacks: so a handler may take any time, and one slow partition never holds up another.
 */
export class PartitionQueue {
  private readonly stopping = new AbortController();
  private records: LogRecord[] = [];
  private chars = 0;
  private wake: () => void = () => {};
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly limits: QueueLimits,
    /** Called when there is room again. */
    private readonly onRoom: () => void,
  ) {}

  /** No more should be fetched: enough waits for the handler (invariant 5). */
  get full(): boolean {
    return (
      this.records.length >= Math.max(MIN_WAITING, 2 * this.limits.maxRecords) || this.chars >= this.limits.maxChars
    );
  }

  push(records: readonly LogRecord[]): void {
    if (this.stopping.signal.aborted) return;
    for (const record of records) {
      this.records.push(record);
      this.chars += charsOf(record);
    }
    this.wake();
  }

  /** Begins to hand out. A failure of the handler ends the loop and is told once. */
  start(claim: FencedClaim, handlers: FencedHandlers, onFailure: (error: Error) => void): void {
    this.running = this.run(claim, handlers).catch((error: unknown) => {
      onFailure(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Hands out nothing more and drops what waits; resolves when the handler in hand has settled. */
  stop(): Promise<void> {
    this.stopping.abort();
    this.records = [];
    this.chars = 0;
    this.wake();
    return this.running;
  }

  private async run(claim: FencedClaim, handlers: FencedHandlers): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const wasFull = this.full;
      const run = this.take();
      if (run.length === 0) {
        await new Promise<void>((resolve) => (this.wake = resolve));
        continue;
      }
      if (wasFull && !this.full) this.onRoom();
      await handlers.onRecords(run, claim);
      await nextTurn();
    }
  }

  private take(): LogRecord[] {
    let chars = 0;
    let count = 0;
    for (const record of this.records) {
      if (count === this.limits.maxRecords || (count > 0 && chars >= MAX_RUN_CHARS)) break;
      chars += charsOf(record);
      count += 1;
    }
    this.chars -= chars;
    return this.records.splice(0, count);
  }
}
