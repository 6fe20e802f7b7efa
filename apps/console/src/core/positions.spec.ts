import { batchTopics, topics, updateTopics } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import {
  addSample,
  arrivalRate,
  commitKey,
  KEEP_MS,
  lagOf,
  noHistory,
  readers,
  readerState,
  waitingChanges,
  type Sample,
} from './positions.js';
import { markSeen, nothingSeen } from './seen-offsets.js';

const CHANGES = topics.changes.name;
const [batcher, mapper, writer] = readers;
interface Spot {
  readonly next: number;
  readonly committed?: number;
  readonly earliest?: number;
}
/** A sample with one partition a topic, all empty but the given ones. */
function sample(timeMs: number, spots: { changes?: Spot; batches?: Spot; updates?: Spot }): Sample {
  const rows = [
    ['batcher', CHANGES, spots.changes],
    ['mapper', batchTopics.realtime.name, spots.batches],
    ['iterable-writer', updateTopics.backfill.name, spots.updates],
  ] as const;
  return {
    timeMs,
    ends: new Map(
      rows.map(([, topic, spot]) => [topic, new Map([[0, { earliest: spot?.earliest ?? 0, next: spot?.next ?? 0 }]])]),
    ),
    commits: new Map(
      rows.map(([app, topic, spot]) => [
        commitKey(app, topic),
        new Map(spot?.committed === undefined ? [] : [[0, spot.committed]]),
      ]),
    ),
  };
}
const historyOf = (...samples: Sample[]) => samples.reduce(addSample, noHistory);
const seen = (...offsets: number[]) =>
  markSeen(
    nothingSeen,
    offsets.map((offset) => ({ source: '0', offset })),
  ).seen;

describe('lagOf', () => {
  it.each([
    ['all when nothing was committed', { next: 7, earliest: 2 }, 5],
    ['what is not committed', { next: 7, committed: 4 }, 3],
    ['nothing at the end', { next: 7, committed: 7 }, 0],
    ['only what is still kept', { next: 7, committed: 1, earliest: 5 }, 2],
  ])('is %s', (_, changes, lag) => {
    expect(lagOf(sample(0, { changes }), 'batcher', CHANGES)).toBe(lag);
  });
});

describe('rates', () => {
  it('are of the last minute', () => {
    const history = historyOf(
      sample(0, { changes: { next: 0, committed: 0 } }),
      sample(40_000, { changes: { next: 1_000, committed: 0 } }),
      sample(100_000, { changes: { next: 1_600, committed: 1_200 } }),
    );
    expect(arrivalRate(history)).toBe(10);
    expect(readerState(history, batcher)).toEqual({ ratePerSecond: 20, waiting: 400, stalled: false });
  });

  it('are not known from one sample, and never negative', () => {
    expect(arrivalRate(noHistory)).toBeNull();
    expect(arrivalRate(historyOf(sample(0, {})))).toBeNull();
    expect(arrivalRate(historyOf(sample(0, { changes: { next: 9 } }), sample(1_000, { changes: { next: 3 } })))).toBe(
      0,
    );
  });
});

describe('a reader', () => {
  const steps = [0, 50_000, 100_000, 140_000];
  it.each([
    ['stalls when it takes nothing while something waits', steps.map(() => ({ next: 9, committed: 3 })), true],
    ['does not when it takes one', steps.map((_, index) => ({ next: 9, committed: 3 + index })), false],
    ['does not when nothing waited in between', [9, 3, 9, 9].map((next) => ({ next, committed: 3 })), false],
  ])('%s', (_, spots, stalled) => {
    const history = historyOf(...spots.map((batches, index) => sample(steps[index] ?? 0, { batches })));
    expect(readerState(history, mapper).stalled).toBe(stalled);
  });

  it('is not called stalled before two windows have passed', () => {
    expect(
      readerState(historyOf(sample(0, { updates: { next: 5 } }), sample(60_000, { updates: { next: 5 } })), writer)
        .stalled,
    ).toBe(false);
  });
});

describe('waitingChanges', () => {
  const floors = new Map([[0, 2]]);
  it.each([
    ['nothing before the first sample', noHistory, { changes: 0, oldestMs: null }],
    [
      'nothing when each has its outcome',
      historyOf(sample(0, { changes: { next: 5, committed: 5 } })),
      { changes: 0, oldestMs: null },
    ],
    [
      'those without an outcome, and since when the oldest is there',
      historyOf(
        sample(0, { changes: { next: 5, committed: 5 } }),
        sample(30_000, { changes: { next: 7, committed: 7 } }),
        sample(90_000, { changes: { next: 9, committed: 9 } }),
      ),
      { changes: 3, oldestMs: 60_000 },
    ],
    [
      'at least what is queued',
      historyOf(sample(0, { changes: { next: 5, committed: 5 }, updates: { next: 40, committed: 10 } })),
      { changes: 30, oldestMs: null },
    ],
  ])('is %s', (_, history, expected) => {
    expect(waitingChanges(history, seen(2, 3, 4, 6), floors)).toEqual(expected);
  });
});

it('is bounded in time', () => {
  let history = noHistory;
  for (let index = 0; index < 3_000; index += 1)
    history = addSample(history, sample(index * 2_000, { changes: { next: index } }));
  expect(history.samples).toHaveLength(KEEP_MS / 2_000 + 1);
  expect(history.arrivals.get(0)?.length).toBeLessThanOrEqual(720);
});
