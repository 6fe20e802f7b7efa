import { hole, topics, type Hole, type Status } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import type { Logger, Metrics } from '@libs/observability';

/** Most status messages read at the start to find the holes that are open: far more than a catch-up's lifetime makes. */
const READ_BACK = 50_000;

/** A hole that was told and is not closed. */
export interface OpenHole extends Hole {
  readonly object: string;
  /** Why its catch-up does not go on by itself; `null` while it does. */
  readonly stuck: string | null;
}

/** The holes that are not closed, by their id, as `sync.status.v1` tells them. */
export class OpenHoles {
  private readonly holes = new Map<string, OpenHole>();

  constructor(
    private readonly log: Pick<EventLog, 'read' | 'offsets'>,
    private readonly metrics: Pick<Metrics, 'listenerOpenHoles'>,
    private readonly logger: Pick<Logger, 'info' | 'error'>,
  ) {
    this.count(0);
  }

  /** Counts the open holes, with those that are not told yet. */
  count(pending: number): void {
    this.metrics.listenerOpenHoles.set(this.holes.size + pending);
  }

  get all(): readonly OpenHole[] {
    return [...this.holes.values()];
  }

  countOf(object: string): number {
    return this.all.filter((open) => open.object === object).length;
  }

  /** Follows the status messages until `signal` aborts. Errors: the log's. */
  async follow(signal: AbortSignal): Promise<void> {
    const ends = await this.log.offsets(topics.status);
    const from = Object.fromEntries(
      ends.map(({ partition, earliest, next }) => [partition, Math.max(earliest, next - READ_BACK)]),
    );
    for await (const records of this.log.read(topics.status, { from, signal })) {
      for (const { value } of records) {
        const decoded = decode(topics.status, value);
        if (decoded.ok) this.take(decoded.value);
      }
    }
  }

  private take({ id, type, data }: Status): void {
    if (type === 'hole-opened') this.opened(id, data);
    const open = this.holes.get(id);
    if (open === undefined) return;
    const { object, reason } = open;
    if (type === 'hole-closed') {
      this.holes.delete(id);
      this.logger.info({ id, object, reason }, 'the hole is closed: its catch-up is complete');
    } else if (type === 'rejected' || type === 'failed') {
      const { reason: why = type } = data;
      const stuck = typeof why === 'string' ? why : type;
      this.holes.set(id, { ...open, stuck });
      this.logger.error({ id, object, reason, stuck }, 'the catch-up of a hole was given up: it needs a person');
    } else if (type === 'progress' || type === 'accepted') {
      this.holes.set(id, { ...open, stuck: null });
    }
  }

  private opened(id: string, data: Status['data']): void {
    const { object, ...rest } = data;
    const parsed = hole.safeParse(rest);
    if (!parsed.success || typeof object !== 'string') return;
    this.holes.set(id, { object, ...parsed.data, stuck: this.holes.get(id)?.stuck ?? null });
  }
}
