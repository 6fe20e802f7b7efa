import { topics, updateTopics, type Lane, type RecordBatch, type RecordChange } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import type { MappedRecord } from '@libs/mapping';
import type { TakenChange } from '../../apps/batcher/src/core/collapse.js';
import { planBatches } from '../../apps/batcher/src/core/plan-batches.js';
import { planBatch } from '../../apps/mapper/src/core/plan-batch.js';
import type { Fetched } from '../../apps/mapper/src/core/to-message.js';
import { compiledMappings } from './mappings.js';
import type { Rules } from './model.js';
import type { Org } from './org.js';
import { rowOf } from './row.js';

/**
 * The way of one lane and partition from changes to messages for the writer, by the product's own rules: windows, and batches
 * that are mapped one after another. What was not committed is done again after a kill.
 */
export class Stretch {
  private open: TakenChange[] = [];
  /** Emitted, and emitted again should the batcher be killed. */
  private emitted: TakenChange[] = [];
  private readonly batches: RecordBatch[] = [];
  /** The next batch to fetch, the first that is not durable, and the first that is not committed. */
  private fetched = 0;
  private durable = 0;
  private committed = 0;
  private readonly inFlight: Outgoing[][] = [];

  constructor(
    private readonly lane: Lane,
    private readonly partition: number,
    private readonly org: Org,
    private readonly rules: Rules,
  ) {}

  take(change: RecordChange, offset: number): void {
    this.open.push({ change, offset: `${this.partition}:${offset}` });
  }

  /** The window closes. Returns how many batches it made. */
  closeWindow(nowMs: number, commit: boolean): number {
    const { partition } = this;
    const made = planBatches({ partition, windowStart: 0, windowEnd: nowMs, changes: this.open });
    this.batches.push(...made);
    this.emitted = commit ? [] : [...this.emitted, ...this.open];
    this.open = [];
    return made.length;
  }

  get hasBatch(): boolean {
    return this.fetched < this.batches.length;
  }

  /** Reads the rows of the next batch as they are now. `false`: there is none. */
  async fetch(nowMs: number): Promise<boolean> {
    const batch = this.batches[this.fetched];
    if (batch === undefined) return false;
    this.fetched += 1;
    this.inFlight.push(await this.map(batch, nowMs));
    return true;
  }

  /** What the oldest batch in the mapper's hands came to, now to be made durable. `null`: there is none. */
  emit(commit: boolean): Outgoing[] | null {
    const messages = this.inFlight.shift();
    if (messages === undefined) return null;
    this.durable += 1;
    if (commit) this.committed = this.durable;
    return messages;
  }

  killBatcher(): void {
    this.open = [...this.emitted, ...this.open];
    this.emitted = [];
  }

  killMapper(): void {
    this.fetched = this.committed;
    this.durable = this.committed;
    this.inFlight.length = 0;
  }

  private async map(batch: RecordBatch, nowMs: number): Promise<Outgoing[]> {
    const { lane } = this;
    const compiled = compiledMappings[batch.recordType as keyof typeof compiledMappings];
    const rows = new Map<string, Fetched>();
    const mapped = new Map<string, MappedRecord>();
    for (const { recordId } of batch.entries) {
      const record = this.org.row(recordId);
      if (record === undefined) continue;
      const row = rowOf(record);
      rows.set(recordId, { row, fetchedAtMs: nowMs });
      mapped.set(recordId, await compiled.apply(row));
    }
    const plan = planBatch(batch, rows, mapped, {
      lane,
      compiled,
      projectType: this.rules.projectType,
      targets: [],
      mapsContacts: true,
      unmappedEnd: { kind: 'skipped', reason: 'mapping.unmapped_object' },
      maxMessageBytes: 100_000,
      fetchedAtMs: nowMs,
      nowMs,
    });
    return [
      ...plan.messages.map((value) => ({ topic: updateTopics[lane], key: value.recordId, value })),
      ...plan.outcomes.map((value) => ({ topic: topics.outcomes, key: value.recordId ?? '', value })),
      ...plan.deadLetters.map((value) => ({ topic: topics.deadLetters, key: value.recordId ?? '', value })),
    ];
  }
}
