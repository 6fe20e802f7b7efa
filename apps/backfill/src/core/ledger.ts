import type { BackfillProgress, Cursor, Outcome, OutcomeKind } from '@libs/contracts';
import { addPositions, contains, countAll, type RangesByPartition } from './offset-ranges.js';

type Verdict = Pick<Outcome, 'kind' | 'reason'>;

/** Most outcomes kept whose offset is not known to be published yet. More would be strangers, e.g. of a page published twice by a crash. */
const MAX_EARLY = 100_000;

/**
 * What became of each change of one job. An offset counts once, however often its outcome is delivered (invariant 4);
 * the order of publishing and outcomes does not matter.
 */
export class Ledger {
  private readonly done = new Map<string, Set<number>>();
  private readonly early = new Map<string, Verdict>();
  private readonly counts: Record<OutcomeKind, number> = {
    written: 0,
    superseded: 0,
    filtered: 0,
    skipped: 0,
    expanded: 0,
    dead: 0,
  };
  private readonly reasons: Record<string, number> = {};
  private settled = 0;

  constructor(private published: RangesByPartition = {}) {}

  get ranges(): RangesByPartition {
    return this.published;
  }

  get enqueued(): number {
    return countAll(this.published);
  }

  /** Positions that became durable, in append order. */
  publish(positions: ReadonlyArray<{ readonly partition: number; readonly offset: number }>): void {
    this.published = addPositions(this.published, positions);
    for (const { partition, offset } of positions) {
      const verdict = this.early.get(`${partition}:${offset}`);
      if (verdict === undefined) continue;
      this.early.delete(`${partition}:${offset}`);
      this.settle(partition, offset, verdict);
    }
  }

  /** An outcome that names this job: it may cover changes of others too, those are passed over. */
  outcome(outcome: Pick<Outcome, 'offsets' | 'kind' | 'reason'>): void {
    for (const name of outcome.offsets) {
      const [partition = 0, offset = 0] = name.split(':').map(Number);
      if (contains(this.published[partition], offset)) this.settle(partition, offset, outcome);
      else if (this.early.size < MAX_EARLY) this.early.set(name, { kind: outcome.kind, reason: outcome.reason });
    }
  }

  /** Has every published change an outcome? */
  get isSettled(): boolean {
    return this.settled === this.enqueued;
  }

  progress(cursor: Pick<Cursor, 'queried' | 'total' | 'startedAt' | 'redrive'>, nowMs: number): BackfillProgress {
    const noRecord = cursor.redrive?.noRecord ?? 0;
    return {
      queried: cursor.queried,
      enqueued: this.enqueued,
      ...this.counts,
      total: cursor.total,
      reasons: { ...this.reasons, ...(noRecord > 0 && { 'backfill.no_record': noRecord }) },
      elapsedMs: Math.max(0, nowMs - cursor.startedAt),
    };
  }

  private settle(partition: number, offset: number, { kind, reason }: Verdict): void {
    let done = this.done.get(String(partition));
    if (done === undefined) this.done.set(String(partition), (done = new Set()));
    if (done.has(offset)) return;
    done.add(offset);
    this.settled += 1;
    this.counts[kind] += 1;
    if (reason !== undefined && kind !== 'written') this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
  }
}
