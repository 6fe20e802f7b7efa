import { topics, type Topic } from '@libs/contracts';
import {
  partitionOfKey,
  type EventLog,
  type LogRecord,
  type Outgoing,
  type Position,
  type ReadOptions,
} from '@libs/event-log';

/** Partitions of every topic: few, so that records share them, and more than one, so that records overtake each other. */
export const PARTITIONS = 2;

/** A message as it was taken in: checked, and a copy of its own. */
export interface Kept extends Position {
  readonly key: string;
  readonly value: unknown;
}

/** The log without a disk: append, read and offsets, with the order that a partition keeps. Groups are the harness's business. */
export class MemoryLog {
  private readonly partitions = new Map<string, Kept[]>();
  private readonly waiting = new Set<() => void>();

  /** Errors: `ZodError` when a message does not fit its topic. */
  append(messages: readonly Outgoing[]): Position[] {
    const positions = messages.map((message) => this.put(message));
    for (const wake of this.waiting) wake();
    this.waiting.clear();
    return positions;
  }

  kept(topic: Topic, partition: number): readonly Kept[] {
    return this.partitions.get(`${topic.name} ${partition}`) ?? [];
  }

  all(topic: Topic): readonly Kept[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => this.kept(topic, partition)).flat();
  }

  offsets(topic: Topic): { partition: number; earliest: number; next: number }[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      earliest: 0,
      next: this.kept(topic, partition).length,
    }));
  }

  async *read(topic: Topic, options: ReadOptions = {}): AsyncGenerator<readonly LogRecord[]> {
    const ends = this.offsets(topic);
    const at = ends.map(({ partition, next }) => options.from?.[partition] ?? (options.start === 'latest' ? next : 0));
    while (options.signal?.aborted !== true) {
      for (const { partition, next } of ends) {
        const until = options.untilEnd === true ? next : undefined;
        const found = this.kept(topic, partition).slice(at[partition], until);
        if (found.length === 0) continue;
        at[partition] = (found.at(-1)?.offset ?? 0) + 1;
        yield found.map(asRead);
      }
      if (options.untilEnd === true) return;
      if (at.some((offset, partition) => offset < this.kept(topic, partition).length)) continue;
      await this.more(options.signal);
    }
  }

  /** The members of a whole log that a writer uses. */
  facade(guard: <T>(work: () => T) => Promise<T>): EventLog {
    const log: Pick<EventLog, 'append' | 'offsets' | 'partitionCount' | 'read'> = {
      append: (messages) => guard(() => this.append(messages)),
      offsets: (topic) => guard(() => this.offsets(topic)),
      partitionCount: () => Promise.resolve(PARTITIONS),
      read: (topic, options) => this.read(topic, options),
    };
    return log as EventLog;
  }

  private more(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.add(resolve);
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  private put({ topic, key, value, partition }: Outgoing): Position {
    const at = partition === undefined ? partitionOfKey(key, PARTITIONS) : partition % PARTITIONS;
    const name = `${topic.name} ${at}`;
    const kept = this.partitions.get(name) ?? [];
    this.partitions.set(name, kept);
    const position = { topic: topic.name, partition: at, offset: kept.length };
    kept.push({ ...position, key, value: value === null ? null : topic.schema.parse(structuredClone(value)) });
    return position;
  }
}

function asRead({ value, ...kept }: Kept): LogRecord {
  return { ...kept, value: value === null ? null : JSON.stringify(value), headers: {}, timestampMs: 0 };
}

/** The name of a change: where it stands in `salesforce.changes.v1`. */
export function offsetsOfChanges(log: MemoryLog): string[] {
  return log.all(topics.changes).map(({ partition, offset }) => `${partition}:${offset}`);
}
