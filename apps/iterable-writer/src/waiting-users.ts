import { lanes, type Lane } from '@libs/contracts';
import type { LaneLoad } from './core/linger.js';
import { supersede } from './core/supersede.js';
import type { Entry } from './entry.js';

interface LaneQueue {
  /** In the order of waiting: a record keeps its place when a newer update takes its turn. */
  readonly byRecord: Map<string, Entry>;
  bytes: number;
  newestAtMs: number;
}

/** Most that waits in a lane. The last update taken may go over it. */
export interface LaneRoom {
  readonly users: number;
  readonly bytes: number;
}

const newQueue = (): LaneQueue => ({ byRecord: new Map(), bytes: 0, newestAtMs: 0 });

/** The updates that wait to be sent, one a record. */
export class WaitingUsers {
  private readonly queues: Readonly<Record<Lane, LaneQueue>> = { realtime: newQueue(), backfill: newQueue() };
  private roomWaiters: Array<() => void> = [];
  private unlimited = false;

  constructor(private readonly limits: LaneRoom) {}

  hasRoom(lane: Lane): boolean {
    const { byRecord, bytes } = this.queues[lane];
    return this.unlimited || (byRecord.size < this.limits.users && bytes < this.limits.bytes);
  }

  /** Resolves when there is room in the lane, or `signal` aborts (Invariant 5). */
  async room(lane: Lane, signal: AbortSignal): Promise<void> {
    const wake = () => this.wakeAll();
    signal.addEventListener('abort', wake, { once: true });
    while (!this.hasRoom(lane) && !signal.aborted) {
      await new Promise<void>((resolve) => this.roomWaiters.push(resolve));
    }
    signal.removeEventListener('abort', wake);
  }

  /** Nobody waits for room any more: what is taken now is not going to be sent. */
  giveUpRoom(): void {
    this.unlimited = true;
    this.wakeAll();
  }

  /** Puts an update in line. Returns the one that need not be written any more, which may be itself; `null`: none. */
  add(entry: Entry): Entry | null {
    const { recordId } = entry.message;
    const lane = this.laneOf(recordId);
    const waiting = lane === null ? undefined : this.queues[lane].byRecord.get(recordId);
    const { keep, drop, lane: newLane } = supersede(waiting, lane ?? entry.lane, entry);
    if (waiting !== undefined && lane !== null) {
      if (lane === newLane && keep === waiting) return drop;
      this.queues[lane].bytes -= waiting.bytes;
      if (lane !== newLane) this.queues[lane].byRecord.delete(recordId);
    }
    const queue = this.queues[newLane];
    queue.byRecord.set(recordId, keep);
    queue.bytes += keep.bytes;
    queue.newestAtMs = Math.max(queue.newestAtMs, entry.takenAtMs);
    return drop;
  }

  /** Takes an update out of the line. */
  remove(entry: Entry): void {
    const { recordId } = entry.message;
    for (const lane of lanes) {
      const { byRecord } = this.queues[lane];
      if (byRecord.get(recordId) !== entry) continue;
      byRecord.delete(recordId);
      this.queues[lane].bytes -= entry.bytes;
      this.wakeAll();
    }
  }

  /** The update of a record that waits, if one does. */
  of(recordId: string): Entry | undefined {
    const lane = this.laneOf(recordId);
    return lane === null ? undefined : this.queues[lane].byRecord.get(recordId);
  }

  inLine(lane: Lane): Iterable<Entry> {
    return this.queues[lane].byRecord.values();
  }

  load(lane: Lane): LaneLoad {
    const { byRecord, bytes, newestAtMs } = this.queues[lane];
    const [first] = byRecord.values();
    return { users: byRecord.size, bytes, oldestAtMs: first?.takenAtMs ?? 0, newestAtMs };
  }

  /** Drops what belongs to partitions that are no longer ours: their new owner reads it again. */
  dropLost(): void {
    for (const lane of lanes) for (const entry of this.inLine(lane)) if (entry.holding.lost) this.remove(entry);
  }

  private wakeAll(): void {
    for (const wake of this.roomWaiters.splice(0)) wake();
  }

  private laneOf(recordId: string): Lane | null {
    return lanes.find((lane) => this.queues[lane].byRecord.has(recordId)) ?? null;
  }
}
