import { isRetryable, topics, type DeadLetter } from '@libs/contracts';
import type { EventLog, Outgoing } from '@libs/event-log';
import type { Logger, Metrics } from '@libs/observability';
import { pause, type ChannelEvent } from '@libs/salesforce';
import type { Problem, ReadEvent } from './core/read-event.js';

/** Most messages in one append: a merged event may name thousands of records. */
const MAX_APPEND = 5_000;
const RETRY_MS = { first: 250, most: 15_000 };

export const MALFORMED_EVENT = 'listener.malformed_event';

function toDeadLetter(event: ChannelEvent, { message, ...record }: Problem, now: number): Outgoing<DeadLetter> {
  const place = `${event.channel}:${event.replayId ?? 'unknown'}`;
  return {
    topic: topics.deadLetters,
    key: record.recordId ?? place,
    value: {
      ...record,
      offsets: [],
      jobIds: [],
      lane: 'realtime',
      stage: 'listener',
      code: MALFORMED_EVENT,
      message: `${message} (${place})`,
      attempts: 1,
      firstTime: now,
      lastTime: now,
    },
  };
}

/** The messages of events, in their order. */
export function toMessages(events: ReadonlyArray<{ event: ChannelEvent; read: ReadEvent }>, now: number): Outgoing[] {
  return events.flatMap(({ event, read }): Outgoing[] => [
    ...read.changes.map((value) => ({ topic: topics.changes, key: value.recordId, value })),
    ...read.problems.map((problem) => toDeadLetter(event, problem, now)),
  ]);
}

/** Appends changes and dead letters, and counts them when they are durable. */
export class Publisher {
  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly metrics: Metrics,
    private readonly logger: Pick<Logger, 'warn' | 'info'>,
    /** Told when the log begins and ceases to refuse. */
    private readonly onStalled: (since: number | null) => void,
    private readonly wait: typeof pause = pause,
  ) {}

  /**
   * Resolves with `true` when every message is durable. The log being out is waited for as long as it takes (invariant 5: the
   * source is slowed, nothing dropped); `false` when `signal` ended the wait. Errors: only bugs.
   */
  async publish(messages: readonly Outgoing[], signal: AbortSignal): Promise<boolean> {
    for (let start = 0; start < messages.length; start += MAX_APPEND) {
      if (!(await this.append(messages.slice(start, start + MAX_APPEND), signal))) return false;
    }
    return true;
  }

  private async append(messages: readonly Outgoing[], signal: AbortSignal): Promise<boolean> {
    let since: number | null = null;
    for (let delayMs = RETRY_MS.first; ; delayMs = Math.min(delayMs * 2, RETRY_MS.most)) {
      try {
        await this.log.append(messages);
        break;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        if (since === null) this.logger.warn({ err: error }, 'the event log does not take changes, trying again');
        since ??= Date.now();
        this.onStalled(since);
        await this.wait(delayMs, signal);
        if (signal.aborted) return false;
      }
    }
    if (since !== null) {
      this.logger.info({ stalledMs: Date.now() - since }, 'the event log takes changes again');
      this.onStalled(null);
    }
    for (const { topic, value } of messages) this.count(topic.name, value);
    return true;
  }

  private count(topic: string, value: unknown): void {
    const { recordType = 'unknown' } = value as { recordType?: string };
    if (topic === topics.changes.name) return this.metrics.listenerChanges.inc({ object: recordType });
    this.metrics.deadLetters.inc({ stage: 'listener', code: MALFORMED_EVENT });
    this.metrics.listenerMalformed.inc();
  }
}
