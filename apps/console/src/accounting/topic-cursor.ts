import type { Topic } from '@libs/contracts';
import type { EventLog, LogRecord } from '@libs/event-log';
import type { Ends } from '../core/positions.js';

/** Reads a topic on and on, each time to ends that were asked for before. */
export class TopicCursor {
  private readonly next: Map<number, number>;
  /** By partition, where the stretch began that ends at `next`. */
  private readonly first: Map<number, number>;

  /** `from`: the first offset wanted, by partition. */
  constructor(
    private readonly log: Pick<EventLog, 'read'>,
    private readonly topic: Topic,
    from: ReadonlyMap<number, number>,
  ) {
    this.next = new Map(from);
    this.first = new Map(from);
  }

  /** Did the log lose what was to be read next, or begin anew? */
  isCutOff(ends: Ends): boolean {
    return [...ends].some(([partition, { earliest, next }]) => {
      const own = this.nextOf(partition);
      return own < earliest || own > next;
    });
  }

  /** What is before these positions need not be read, what is from there on must have been. */
  moveTo(positions: ReadonlyMap<number, number>): void {
    for (const [partition, position] of positions) {
      const next = this.nextOf(partition);
      if (position <= next && position >= (this.first.get(partition) ?? 0)) continue;
      this.next.set(partition, position);
      this.first.set(partition, position);
    }
  }

  /** Reads to `ends` and no further. Ends early when `signal` aborts. Errors: those of the log; then it goes on from where it was. */
  async readTo(ends: Ends, onRecords: (records: readonly LogRecord[]) => void, signal: AbortSignal): Promise<void> {
    const isBefore = (partition: number) => this.nextOf(partition) < (ends.get(partition)?.next ?? 0);
    const open = new Set([...ends.keys()].filter(isBefore));
    if (open.size === 0) return;
    const from = Object.fromEntries([...ends.keys()].map((partition) => [partition, this.nextOf(partition)]));
    for await (const records of this.log.read(this.topic, { from, untilEnd: true, signal })) {
      const partition = records[0]?.partition ?? -1;
      const end = ends.get(partition)?.next ?? 0;
      const wanted = records.filter(({ offset }) => offset < end);
      const last = wanted.at(-1);
      if (last !== undefined) {
        onRecords(wanted);
        this.next.set(partition, last.offset + 1);
      }
      if (!isBefore(partition)) open.delete(partition);
      if (open.size === 0) return;
    }
    if (signal.aborted) return;
    // There are no messages at the offsets that are left.
    for (const partition of open) this.next.set(partition, ends.get(partition)?.next ?? 0);
  }

  private nextOf(partition: number): number {
    return this.next.get(partition) ?? 0;
  }
}
