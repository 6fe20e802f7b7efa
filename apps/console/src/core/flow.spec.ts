import type { Outcome } from '@libs/contracts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addOutcomes, emptyFlow, KEEP_MINUTES, toFlowAnswer, writtenPerSecond } from './flow.js';

const NOW = Date.UTC(2026, 10, 24, 12, 30, 30);
const made = (offsets: string[], over: Partial<Outcome> = {}): Outcome => ({
  recordType: 'Lead',
  recordId: '00Q5f000005bwLFEAY',
  offsets,
  jobIds: [],
  lane: 'realtime',
  kind: 'written',
  commitTimestamp: NOW - 4_000,
  time: NOW,
  ...over,
});
const answer = (outcomes: readonly Outcome[], minutes = 60) =>
  toFlowAnswer(addOutcomes(emptyFlow, outcomes, NOW), minutes, NOW, null);

describe('flow', () => {
  it('counts each covered change, by minute, object, lane and outcome', () => {
    const { minutes, objects, since } = answer(
      [
        made(['0:1', '0:2', '1:9']),
        made(['0:3'], { lane: 'backfill' }),
        made(['0:4'], { kind: 'skipped', reason: 'mapping.no_email', time: NOW - 120_000 }),
      ],
      5,
    );
    expect(minutes.map(({ counts }) => counts)).toEqual([
      [],
      [],
      [{ object: 'Lead', lane: 'realtime', outcome: 'skipped', count: 1 }],
      [],
      [
        { object: 'Lead', lane: 'realtime', outcome: 'written', count: 3 },
        { object: 'Lead', lane: 'backfill', outcome: 'written', count: 1 },
      ],
    ]);
    expect(minutes.at(-1)?.time).toBe(Date.UTC(2026, 10, 24, 12, 30));
    expect(since).toBe(Date.UTC(2026, 10, 24, 12, 26));
    expect(objects).toMatchObject([{ object: 'Lead', lastMinute: { written: 4 }, total: { written: 4, skipped: 1 } }]);
  });

  it('counts a change once, however its outcomes are repeated and split over reads', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }), { maxLength: 6 }), { maxLength: 5 }),
        (reads) => {
          let flow = emptyFlow;
          for (const read of reads)
            flow = addOutcomes(
              flow,
              read.map((offsets) => made(offsets.map((offset) => `0:${offset}`))),
              NOW,
            );
          const total = toFlowAnswer(flow, 1, NOW, null).objects[0]?.total.written ?? 0;
          expect(total).toBe(new Set(reads.flat(2)).size);
        },
      ),
    );
  });

  it('gives real-time latency only, and the newest change that was written', () => {
    const [lead] = answer([
      made(['0:1']),
      made(['0:2'], { commitTimestamp: NOW - 60_000 }),
      made(['0:3'], { lane: 'backfill', commitTimestamp: NOW - 1_000 }),
      made(['0:4'], { kind: 'skipped', reason: 'mapping.no_email', commitTimestamp: NOW - 1 }),
    ]).objects;
    expect(lead?.newestSynced).toBe(NOW - 4_000);
    expect(lead?.latency?.p50Ms).toBeGreaterThan(3_800);
    expect(lead?.latency?.p50Ms).toBeLessThan(4_200);
    expect(lead?.latency?.p99Ms).toBeGreaterThan(57_000);
    expect(lead?.latency?.p99Ms).toBeLessThan(63_000);
  });

  it('names reasons, most frequent first', () => {
    const { reasons } = answer([
      made(['0:1'], { kind: 'skipped', reason: 'mapping.no_email' }),
      made(['0:2', '0:3'], { kind: 'dead', reason: 'event-log.invalid_message' }),
    ]);
    expect(reasons).toMatchObject([
      {
        outcome: 'dead',
        reason: 'event-log.invalid_message',
        count: 2,
        meaning: 'The sync made a message that does not fit its topic.',
      },
      { outcome: 'skipped', reason: 'mapping.no_email', count: 1 },
    ]);
  });

  it('forgets what is older than it keeps, but still knows those changes as ended', () => {
    const old = made(['0:1'], { time: NOW - (KEEP_MINUTES + 1) * 60_000 });
    const flow = addOutcomes(addOutcomes(emptyFlow, [old], NOW), [made(['0:1'])], NOW);
    expect(flow.slots.size).toBe(0);
    const later = addOutcomes(addOutcomes(emptyFlow, [made(['0:2'])], NOW), [], NOW + (KEEP_MINUTES + 1) * 60_000);
    expect(later.slots.size).toBe(0);
  });

  it('is bounded: objects and reasons past the limit are counted together', () => {
    const flow = addOutcomes(
      emptyFlow,
      Array.from({ length: 5_000 }, (_, index) => made([`0:${index}`], { recordType: `O${index}` })),
      NOW,
    );
    const slot = [...flow.slots.values()][0];
    expect(slot?.size).toBeLessThanOrEqual(501);
    const total = toFlowAnswer(flow, 1, NOW, null).objects.reduce(
      (sum, { total: counts }) => sum + (counts.written ?? 0),
      0,
    );
    expect(total).toBe(5_000);
  });

  it('does not change its input', () => {
    const before = addOutcomes(emptyFlow, [made(['0:1'])], NOW);
    const counted = JSON.stringify(toFlowAnswer(before, 1, NOW, null));
    addOutcomes(before, [made(['0:2'])], NOW);
    expect(JSON.stringify(toFlowAnswer(before, 1, NOW, null))).toBe(counted);
  });

  it('says from when on it is complete', () => {
    expect(toFlowAnswer(emptyFlow, 60, NOW, NOW - 600_000).since).toBe(NOW - 600_000);
    expect(toFlowAnswer(emptyFlow, 5, NOW, NOW - 600_000).since).toBe(Date.UTC(2026, 10, 24, 12, 26));
  });
});

describe('writtenPerSecond', () => {
  it.each([
    ['nothing', [], 0],
    [
      'a steady stream',
      Array.from({ length: 700 }, (_, index) => made([`0:${index}`], { time: NOW - index * 100 })),
      10,
    ],
    ['what is over', [made(['0:1'], { time: NOW - 90_000 })], 0],
  ] as const)('%s', (_, outcomes, rate) => {
    expect(writtenPerSecond(addOutcomes(emptyFlow, outcomes, NOW), NOW)).toBeCloseTo(rate, 0);
  });
});
