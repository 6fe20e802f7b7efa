import { isRetryable, type Topic } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { pause } from './pause.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** A decoded message and when it was appended (epoch milliseconds). */
export interface Read<T> {
  readonly value: T;
  readonly timestampMs: number;
}

/** What to do with a topic's messages. */
export interface TopicListener<T> {
  readonly topic: Topic<T>;
  /** At most about this many of the newest messages are read at the start. */
  readonly lookback: number;
  /** Messages of one fetch, in order per partition. */
  onMessages(messages: ReadonlyArray<Read<T>>): void;
  /** Before the first message. `cut`: the log keeps older ones that are left out; `expired`: it had older ones. */
  onStart?(start: { readonly cut: boolean; readonly expired: boolean }): Promise<void> | void;
  /** The first message of a partition whose older ones are left out. Epoch milliseconds. */
  onFirstOfCut?(timestampMs: number): void;
}

/** Told whether the log answers. */
export type LogWatch = (reachable: boolean, detail?: string) => void;

/**
 * Repeats `step` with growing pauses while the world fails, telling `watch`, until it is done or `signal` aborts.
 * Errors: those that are no failure of the world.
 */
export async function untilDone(step: () => Promise<void>, watch: LogWatch, signal: AbortSignal): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    const startedMs = Date.now();
    try {
      await step();
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isRetryable(error)) throw error;
      if (Date.now() - startedMs > LONGEST_PAUSE_MS) pauseMs = FIRST_PAUSE_MS;
      watch(false, (error as Error).message);
      await pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}

/**
 * Reads a topic without a group from a bounded distance before its end, and follows it until `signal` aborts. Messages that do not
 * fit the schema are passed over: the console commits nothing, so that it is not the one to dead-letter them.
 */
export async function followTopic<T>(
  log: EventLog,
  listener: TopicListener<T>,
  watch: LogWatch,
  signal: AbortSignal,
): Promise<void> {
  const { topic, lookback, onMessages, onStart, onFirstOfCut } = listener;
  const from: Record<number, number> = {};
  const cutPartitions = new Set<number>();
  await untilDone(
    async () => {
      const ends = await log.offsets(topic);
      const each = Math.ceil(lookback / ends.length);
      for (const { partition, earliest, next } of ends) {
        from[partition] = Math.max(earliest, next - each);
        if (from[partition] > earliest) cutPartitions.add(partition);
      }
      await onStart?.({ cut: cutPartitions.size > 0, expired: ends.some(({ earliest }) => earliest > 0) });
    },
    watch,
    signal,
  );
  await untilDone(
    async () => {
      for await (const records of log.read(topic, { from, signal })) {
        watch(true);
        const messages: Array<Read<T>> = [];
        for (const { partition, offset, value, timestampMs } of records) {
          from[partition] = offset + 1;
          if (cutPartitions.delete(partition)) onFirstOfCut?.(timestampMs);
          const decoded = decode(topic, value);
          if (decoded.ok) messages.push({ value: decoded.value, timestampMs });
        }
        if (messages.length > 0) onMessages(messages);
      }
    },
    watch,
    signal,
  );
}
