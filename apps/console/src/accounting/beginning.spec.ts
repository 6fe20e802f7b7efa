import { topics } from '@libs/contracts';
import type { EventLog, LogRecord } from '@libs/event-log';
import { describe, expect, it } from 'vitest';
import type { Ends } from '../core/positions.js';
import { findBeginning, LOOKBACK_CHANGES, LOOKBACK_MS } from './beginning.js';

const NOW = Date.UTC(2026, 10, 24, 12);
const signal = new AbortController().signal;

/** Partitions with records from `earliest` to before `next`, one every `everyMs`, the last of them now. */
interface Shape {
  readonly earliest: number;
  readonly next: number;
  readonly everyMs: number;
}
const timeOf = ({ next, everyMs }: Shape, offset: number) => NOW - (next - 1 - offset) * everyMs;
const endsOf = (shapes: readonly Shape[]): Ends =>
  new Map(shapes.map(({ earliest, next }, partition) => [partition, { earliest, next }]));

async function begin(changes: readonly Shape[], outcomes: readonly Shape[]) {
  let reads = 0;
  const log: Pick<EventLog, 'read'> = {
    async *read(topic, { from = {} } = {}) {
      reads += 1;
      for (const [partition, shape] of (topic.name === topics.changes.name ? changes : outcomes).entries()) {
        const offset = Math.max(shape.earliest, from[partition] ?? shape.earliest);
        if (offset >= shape.next) continue;
        const record = { topic: topic.name, partition, offset, key: '', value: null, headers: {} };
        yield [{ ...record, timestampMs: timeOf(shape, offset) } satisfies LogRecord];
      }
    },
  };
  const found = await findBeginning(log, { changes: endsOf(changes), outcomes: endsOf(outcomes) }, NOW, signal);
  return { ...found, reads };
}

describe('an account begins', () => {
  it('with all that a young log has', async () => {
    const young = { earliest: 0, next: 500, everyMs: 1_000 };
    const none = { earliest: 0, next: 0, everyMs: 0 };
    const { changes, outcomes, sinceMs } = await begin([young, none], [young, young]);
    expect([changes, outcomes]).toEqual([
      new Map([
        [0, 0],
        [1, 0],
      ]),
      new Map([
        [0, 0],
        [1, 0],
      ]),
    ]);
    expect(sinceMs).toBe(timeOf(young, 0));
  });

  it('now, with an empty log', async () => {
    expect(await begin([{ earliest: 7, next: 7, everyMs: 0 }], [{ earliest: 0, next: 0, everyMs: 0 }])).toMatchObject({
      changes: new Map([[0, 7]]),
      sinceMs: NOW,
    });
  });

  it('a day back, or a little before, with every outcome since', async () => {
    const long = { earliest: 1_000, next: 300_000, everyMs: 1_000 };
    const short = { earliest: 0, next: 100, everyMs: 1_000 };
    const { changes, outcomes, sinceMs, reads } = await begin([long, short], [long, short]);
    const dayBack = long.next - 1 - LOOKBACK_MS / long.everyMs;
    const from = changes.get(0) as number;
    expect(from).toBeLessThanOrEqual(dayBack);
    expect(from).toBeGreaterThan(dayBack - 1_000);
    expect(changes.get(1)).toBe(0);
    expect(sinceMs).toBe(timeOf(long, from));
    // Clocks may differ by ten minutes.
    expect(outcomes.get(0)).toBeLessThanOrEqual(from - 600);
    expect(outcomes.get(0)).toBeGreaterThan(from - 600 - 1_000);
    expect(outcomes.get(1)).toBe(0);
    expect(reads).toBeLessThan(30);
  });

  it('with the newest changes of many', async () => {
    const busy = { earliest: 0, next: LOOKBACK_CHANGES, everyMs: 1 };
    const { changes, sinceMs } = await begin([busy, busy], [busy, busy]);
    expect([...changes.values()]).toEqual([LOOKBACK_CHANGES / 2, LOOKBACK_CHANGES / 2]);
    expect(sinceMs).toBe(timeOf(busy, LOOKBACK_CHANGES / 2));
  });
});
