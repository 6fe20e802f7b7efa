import type { Topic } from '@libs/contracts';
import type { Logger, Metrics } from '@libs/observability';
import type { EventLog } from '../port.js';

const INTERVAL_MS = 5_000;

type Read = Pick<EventLog, 'offsets' | 'committed'>;

/** Records of a topic that the group has not committed. */
export async function lagOf(log: Read, group: string, topic: Topic): Promise<number> {
  const [offsets, committed] = await Promise.all([log.offsets(topic), log.committed(group, topic)]);
  const positions = new Map(committed.map(({ partition, offset }) => [partition, offset]));
  return offsets.reduce((sum, { partition, earliest, next }) => {
    const position = positions.get(partition) ?? null;
    return sum + Math.max(0, next - Math.max(position ?? earliest, earliest));
  }, 0);
}

/** Keeps the gauge of a group's lag fresh. */
export class LagGauge {
  private readonly timer: NodeJS.Timeout;
  private busy = false;

  constructor(
    private readonly log: Read,
    private readonly group: string,
    private readonly topics: readonly Topic[],
    private readonly metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.timer = setInterval(() => void this.update(), INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async update(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const { group } = this;
    try {
      for (const topic of this.topics) {
        this.metrics.consumerLag.set({ group, topic: topic.name }, await lagOf(this.log, group, topic));
      }
    } catch (error) {
      // The gauge keeps its last value; the consumer itself tells of the outage.
      this.logger.debug({ err: error, group }, 'reading the lag failed');
    } finally {
      this.busy = false;
    }
  }
}
