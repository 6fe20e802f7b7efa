import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FencedClaim, FencedHandlers } from '../claims.js';
import type { Database } from './database.js';
import type { Taken } from './group-store.js';
import { recordsOf, type TopicStore } from './topic-store.js';

/**
 * Reads one partition for one claim and hands out one run of records at a time. The file is the queue: nothing is read ahead of
 * the handler, so a slow handler costs no memory (invariant 5).
 */
export class PartitionWorker {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();
  started = false;

  constructor(
    private readonly db: Database,
    private readonly topics: TopicStore,
    readonly taken: Taken,
    readonly claim: FencedClaim,
    private readonly maxRecords: number,
  ) {}

  /** `from`: first offset to hand out. A failure of the handler ends the worker and is told once. */
  start(from: number, handlers: FencedHandlers, onFailure: (error: Error) => void): void {
    this.started = true;
    this.running = this.run(from, handlers).catch((error: unknown) => {
      onFailure(error instanceof Error ? error : new Error(String(error)));
    });
  }

  /** Hands out nothing more; resolves when the handler in hand has settled. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.running;
  }

  private async run(from: number, handlers: FencedHandlers): Promise<void> {
    const { topic, partition } = this.taken;
    const ended = AbortSignal.any([this.stopping.signal, this.claim.signal]);
    let position = from;
    while (!ended.aborted && this.db.isOpen) {
      const records = this.topics.fetch(topic, partition, position, this.maxRecords);
      const last = records.at(-1);
      if (last === undefined) {
        await this.db.changed(recordsOf(topic), ended);
        continue;
      }
      await handlers.onRecords(records, this.claim);
      position = last.offset + 1;
      await nextTurn();
    }
  }
}
