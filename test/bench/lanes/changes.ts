import { setTimeout as wait } from 'node:timers/promises';
import { topics, type Outcome, type Topic } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { waitFor } from '../../support/wait.js';

const DEADLINE_MS = 5 * 60_000;

/** A real-time change that was made. */
export interface Change {
  readonly recordId: string;
  /** When whoever made it began to. Epoch milliseconds. */
  readonly madeAtMs: number;
}

/** How long changes took until Iterable's answer. Milliseconds, one a change. */
export interface Latencies {
  /** From the moment they were made. */
  readonly total: readonly number[];
  /** From the moment their updates were appended to the writer's topic. */
  readonly writer: readonly number[];
}

/**
 * Makes single changes at moments that have nothing to do with each other, `perSecond` on average: the same moments in each run.
 * Nobody waits for one to be done. Resolves when all are made.
 */
export async function makeChanges(perSecond: number, seconds: number, make: () => Promise<Change>): Promise<Change[]> {
  const began = performance.now();
  const made: Array<Promise<Change>> = [];
  let seed = 7;
  for (let atMs = 0; ;) {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    atMs += (-Math.log(1 - seed / 2 ** 31) * 1_000) / perSecond;
    if (atMs >= seconds * 1_000) break;
    await wait(Math.max(0, began + atMs - performance.now()));
    made.push(make());
  }
  await wait(Math.max(0, began + seconds * 1_000 - performance.now()));
  return Promise.all(made);
}

/** Finds out what became of changes, from the topics, afterwards: nothing is read while it is measured. */
export class ChangeWatch {
  private constructor(
    private readonly log: EventLog,
    private readonly outcomesFrom: Record<number, number>,
    private readonly updatesFrom: Record<number, number>,
  ) {}

  /** For changes that are made from now on. */
  static async begin(log: EventLog): Promise<ChangeWatch> {
    const ends = async (topic: Topic) =>
      Object.fromEntries((await log.offsets(topic)).map(({ partition, next }) => [partition, next]));
    return new ChangeWatch(log, await ends(topics.outcomes), await ends(topics.realtimeUpdates));
  }

  /**
   * Resolves when each of them is written.
   * Errors: one ended in another way, or not in time.
   */
  async latenciesOf(changes: readonly Change[]): Promise<Latencies> {
    const madeAt = new Map(changes.map(({ recordId, madeAtMs }) => [recordId, madeAtMs]));
    if (madeAt.size < changes.length) throw new Error('a record was changed twice');
    const appended = new Map<string, number>();
    const answered = new Map<string, number>();
    await waitFor(
      `${changes.length} changes to be written`,
      async () => {
        await this.readOn(topics.realtimeUpdates, this.updatesFrom, (key, _value, timestampMs) => {
          if (madeAt.has(key)) appended.set(key, timestampMs);
        });
        await this.readOn(topics.outcomes, this.outcomesFrom, (key, value) => {
          const madeAtMs = madeAt.get(key);
          const decoded = madeAtMs === undefined ? null : decode(topics.outcomes, value);
          if (decoded?.ok === true && decoded.value.lane === 'realtime') answered.set(key, timeOf(decoded.value));
        });
        return answered.size === madeAt.size;
      },
      DEADLINE_MS,
      500,
    );
    const since = (start: ReadonlyMap<string, number>) =>
      changes.map(({ recordId }) => (answered.get(recordId) ?? 0) - (start.get(recordId) ?? 0));
    return { total: since(madeAt), writer: since(appended) };
  }

  private async readOn(
    topic: Topic,
    from: Record<number, number>,
    take: (key: string, value: string | null, timestampMs: number) => void,
  ): Promise<void> {
    for await (const records of this.log.read(topic, { from, untilEnd: true })) {
      for (const { key, value, partition, offset, timestampMs } of records) {
        take(key, value, timestampMs);
        from[partition] = offset + 1;
      }
    }
  }
}

function timeOf({ kind, reason, time }: Outcome): number {
  if (kind !== 'written') throw new Error(`a change ended ${kind} ${reason ?? ''}`);
  return time;
}
