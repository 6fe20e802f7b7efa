import type { Topic } from '@libs/contracts';
import type { EventLog } from '../port.js';
import type { ServerParts } from './retrying.js';

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

/**
 * Asks the log at intervals how far the group is: keeps the gauge of its lag fresh, and tells when the log does not answer.
 */
export class LogWatch {
  private readonly timer: NodeJS.Timeout;
  private busy = false;

  constructor(
    private readonly log: Read,
    private readonly group: string,
    private readonly topics: readonly Topic[],
    private readonly parts: ServerParts,
    /** Name of the health check. */
    private readonly check: string,
  ) {
    this.timer = setInterval(() => void this.look(), INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    const { group, parts, check } = this;
    try {
      for (const topic of this.topics) {
        const lag = await lagOf(this.log, group, topic);
        parts.metrics.consumerLag.set({ group, topic: topic.name }, lag);
      }
      parts.health.set(check, true);
    } catch (error) {
      parts.health.set(check, false, 'the event log does not answer: reading waits and probes');
      parts.logger.debug({ err: error, group }, 'reading the lag failed');
    } finally {
      this.busy = false;
    }
  }
}
