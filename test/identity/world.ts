import { rmSync } from 'node:fs';
import { topics, updateTopics, type Lane, type Outcome, type RecordChange } from '@libs/contracts';
import type { IterableSwitches } from '../../apps/sandbox/src/iterable/index.js';
import { Clock } from './clock.js';
import { IterableInProcess } from './iterable-in-process.js';
import { MemoryLog, offsetsOfChanges, PARTITIONS } from './memory-log.js';
import { Org, type OrgChange } from './org.js';
import { Stretch } from './stretch.js';
import { newDataDir, WriterGeneration, type WriterSetting } from './writer-generation.js';

export const lanes = ['realtime', 'backfill'] as const;
/** Longest that a world takes to come to rest, of its own time. Milliseconds. */
const REST_MS = 6 * 60 * 60 * 1_000;

export interface WorldOptions extends WriterSetting {
  readonly addresses: ReadonlyArray<string | null>;
  /** Of the pauses that calls take. */
  readonly seed: number;
  /** What is not known of Iterable. */
  readonly switches?: Partial<IterableSwitches>;
}

/**
 * An org, the pipeline with its real rules and its real writer, and an Iterable project, in a time of their own. Every method
 * is one thing that can happen; their order is the caller's. What is not up to chance in reality is not here either: a
 * record's changes keep their order in the log, and a partition's batches and updates theirs.
 */
export class World {
  readonly clock = new Clock();
  readonly org: Org;
  readonly log = new MemoryLog();
  readonly iterable: IterableInProcess;
  private readonly stretches: Record<Lane, Stretch[]>;
  private readonly readChanges: number[] = Array.from({ length: PARTITIONS }, () => 0);
  private readonly committed: Record<Lane, number[]> = {
    realtime: Array.from({ length: PARTITIONS }, () => 0),
    backfill: Array.from({ length: PARTITIONS }, () => 0),
  };
  private readonly dirs: string[] = [];
  private writer: WriterGeneration;
  private random: number;

  constructor(private readonly options: WorldOptions) {
    this.random = options.seed;
    this.org = new Org(options.addresses);
    this.clock.start(Date.UTC(2026, 0, 5));
    this.iterable = new IterableInProcess(options.projectType, () => this.pause(), options.switches);
    this.iterable.install();
    const stretches = (lane: Lane) =>
      Array.from({ length: PARTITIONS }, (_, partition) => new Stretch(lane, partition, this.org, options));
    this.stretches = { realtime: stretches('realtime'), backfill: stretches('backfill') };
    this.writer = this.newWriter(null);
  }

  /** Something is done in the org, a while after what was before; its events are published. */
  async commit(work: (org: Org, nowMs: number) => OrgChange[], afterMs = 0): Promise<void> {
    await this.clock.pass(1 + afterMs);
    this.publish(work(this.org, this.clock.now()).map((change) => toChange(change)));
  }

  /** An event comes a second time. */
  repeat(which: number): void {
    const all = this.log.all(topics.changes);
    const again = all[which % all.length];
    if (again !== undefined) this.publish([again.value as RecordChange]);
  }

  /** A backfill reads every record that is not deleted. */
  backfill(): void {
    const rows = this.org.all().filter((record) => !record.deleted);
    const now = this.clock.now();
    this.publish(
      rows.map(({ id, type }) => ({
        ...toChange({ id, type, changeType: 'SNAPSHOT', commitMs: now }),
        source: 'backfill',
        lane: 'backfill',
      })),
    );
  }

  /** A window closes. Returns how many batches it made. */
  closeWindow(lane: Lane, partition: number, commit: boolean): number {
    const kept = this.log.kept(topics.changes, partition);
    for (const { value, offset } of kept.slice(this.readChanges[partition])) {
      const change = value as RecordChange;
      this.stretches[change.lane][partition]?.take(change, offset);
    }
    this.readChanges[partition] = kept.length;
    return this.stretch(lane, partition).closeWindow(this.clock.now(), commit);
  }

  /** The mapper reads the rows of the next batch as they are now. */
  async fetch(lane: Lane, partition: number): Promise<boolean> {
    if (!this.stretch(lane, partition).hasBatch) return false;
    await this.clock.pass(1); // no two fetches begin at once
    return this.stretch(lane, partition).fetch(this.clock.now());
  }

  /** What the mapper made of the oldest batch in its hands becomes durable. */
  emit(lane: Lane, partition: number, commit: boolean): boolean {
    const messages = this.stretch(lane, partition).emit(commit);
    if (messages === null) return false;
    this.log.append(messages);
    return true;
  }

  deliver(lane: Lane, partition: number, most: number): boolean {
    return this.writer.deliver(lane, partition, most) > 0;
  }

  killBatcher(partition: number): void {
    for (const lane of lanes) this.stretch(lane, partition).killBatcher();
  }

  killMapper(partition: number): void {
    for (const lane of lanes) this.stretch(lane, partition).killMapper();
  }

  /** The next writer has the store of the last one, or none. */
  killWriter(keepStore: boolean): void {
    this.writer.kill();
    this.writer = this.newWriter(keepStore ? this.writer.dataDir : null);
  }

  /** Everything goes on, without mishaps, until nothing is on its way. Errors: it does not come to rest. */
  async rest(): Promise<void> {
    const until = this.clock.now() + REST_MS;
    for (;;) {
      if (await this.flow()) continue;
      if (this.isAtRest()) return;
      if (!(await this.clock.next())) throw new Error('stands still with work to do');
      if (this.clock.now() > until) throw new Error('does not come to rest');
    }
  }

  /** Ends the world; it is not to be used any more. */
  close(): void {
    this.writer.kill();
    this.iterable.close();
    this.clock.stop();
    for (const dir of this.dirs) rmSync(dir, { recursive: true, force: true });
  }

  /** How often each change ended, by how. Invariant 4. */
  endings(): Map<string, Map<Outcome['kind'], number>> {
    const endings = new Map(offsetsOfChanges(this.log).map((offset) => [offset, new Map<Outcome['kind'], number>()]));
    for (const { value } of this.log.all(topics.outcomes)) {
      const { offsets, kind } = value as Outcome;
      for (const offset of offsets) {
        const kinds = endings.get(offset);
        kinds?.set(kind, (kinds.get(kind) ?? 0) + 1);
      }
    }
    return endings;
  }

  /** One round of all stages; did anything move? */
  async flow(): Promise<boolean> {
    let moved = false;
    for (const lane of lanes) {
      for (let partition = 0; partition < PARTITIONS; partition += 1) {
        if (this.closeWindow(lane, partition, true) > 0) moved = true;
        while (await this.fetch(lane, partition)) moved = true;
        while (this.emit(lane, partition, true)) moved = true;
        if (this.deliver(lane, partition, 1_000)) moved = true;
      }
    }
    return moved;
  }

  private isAtRest(): boolean {
    if (this.iterable.pending > 0) return false;
    return lanes.every((lane) =>
      this.committed[lane].every((next, partition) => next === this.log.kept(updateTopics[lane], partition).length),
    );
  }

  private publish(changes: readonly RecordChange[]): void {
    this.log.append(changes.map((value) => ({ topic: topics.changes, key: value.recordId, value })));
  }

  private stretch(lane: Lane, partition: number): Stretch {
    return this.stretches[lane][partition] as Stretch;
  }

  private newWriter(dataDir: string | null): WriterGeneration {
    const dir = dataDir ?? newDataDir();
    if (dataDir === null) this.dirs.push(dir);
    return new WriterGeneration({ log: this.log, committed: this.committed }, dir, this.options, () => this.pause());
  }

  /** Half of all waits are none; the others are short. */
  private async pause(): Promise<void> {
    this.random = (Math.imul(this.random, 1_103_515_245) + 12_345) >>> 0;
    const drawn = this.random >>> 16;
    if (drawn % 2 === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 1 + (drawn % 40)));
  }
}

function toChange({ id, type, changeType, commitMs }: OrgChange): RecordChange {
  return { recordType: type, recordId: id, changeType, source: 'cdc', lane: 'realtime', commitTimestamp: commitMs };
}
