import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backfillStart, command } from '@libs/contracts';
import { due, holeId, holesOf, merge, OVERLAP_MS, toCatchUp, type Happening, type PendingHole } from './holes.js';

const read = new Set(['Lead', 'Contact', 'Account']);
const happened = (own: Partial<Happening> = {}): Happening => ({
  reason: 'overflow',
  objects: ['Lead'],
  fromMs: 5_000,
  noticedMs: 6_000,
  ...own,
});
const hole = (own: Partial<PendingHole> = {}): PendingHole => ({
  object: 'Lead',
  reason: 'overflow',
  fromMs: 5_000,
  toMs: 6_000,
  ...own,
});

describe('holesOf', () => {
  it.each<[string, Happening[], PendingHole[]]>([
    ['nothing', [], []],
    ['an overflow of one object', [happened()], [hole()]],
    ['a wildcard', [happened({ reason: 'wildcard' })], [hole({ reason: 'wildcard' })]],
    ['an overflow of an object that nobody reads', [happened({ objects: ['Opportunity'] })], []],
    [
      'an expired position of a channel of several',
      [happened({ reason: 'replay-expired', objects: ['Contact', 'Lead'] })],
      [hole({ object: 'Contact', reason: 'replay-expired' }), hole({ reason: 'replay-expired' })],
    ],
    [
      'many overflows of one transaction',
      [happened({ fromMs: 5_000 }), happened({ fromMs: 4_000, noticedMs: 8_000 }), happened()],
      [hole({ fromMs: 4_000, toMs: 8_000 })],
    ],
    ["Salesforce's clock ahead of ours", [happened({ fromMs: 9_000 })], [hole({ fromMs: 9_000, toMs: 9_000 })]],
  ])('of %s', (_what, happenings, holes) => {
    expect(holesOf(happenings, read)).toEqual(holes);
  });

  it('covers every moment of every happening, in whatever order they are told', () => {
    const one = fc.record({
      reason: fc.constantFrom('overflow' as const, 'silent' as const),
      objects: fc.subarray(['Lead', 'Contact', 'Task'], { minLength: 1 }),
      fromMs: fc.nat(),
      noticedMs: fc.nat(),
    });
    const bounds = (holes: PendingHole[]) =>
      holes
        .map(({ object, fromMs, toMs }) => ({ object, fromMs, toMs }))
        .toSorted((a, b) => (a.object < b.object ? -1 : 1));
    fc.assert(
      fc.property(fc.array(one), fc.nat({ max: 9 }), (all, cut) => {
        const holes = holesOf(all, read);
        for (const { objects, fromMs } of all) {
          for (const object of objects.filter((name) => read.has(name))) {
            expect(
              holes.some((found) => found.object === object && found.fromMs <= fromMs && found.toMs >= fromMs),
            ).toBe(true);
          }
        }
        expect(bounds(holesOf(all.toReversed(), read))).toEqual(bounds(holes));
        expect(merge([...holesOf(all.slice(0, cut), read), ...holesOf(all.slice(cut), read)])).toEqual(holes);
      }),
    );
  });
});

describe('due', () => {
  it.each([
    ['the first of an object', null, 0, true],
    ['one soon after another', 50_000, 1, false],
    ['one a minute after another', 40_000, 1, true],
    ['one a minute after another, with three open', 40_000, 3, false],
    ['one three minutes after another, with three open', -80_000, 3, true],
    ['one a minute after another that is closed', 40_000, 0, true],
  ])('%s', (_what, lastMs, open, expected) => {
    expect(due([hole()], () => ({ lastMs, open }), 60_000, 100_000)).toEqual(expected ? [hole()] : []);
  });
});

describe('toCatchUp', () => {
  it('orders a backfill since before the hole, that the contract takes, under an id of its bounds', () => {
    const { object, since, hole: bounds } = toCatchUp(hole({ fromMs: 1_764_060_065_000, toMs: 1_764_060_066_000 }));
    expect(since).toBe('2025-11-25T08:31:05.000Z');
    expect(Date.parse(since)).toBe(1_764_060_065_000 - OVERLAP_MS);
    expect(backfillStart.parse({ object, since, hole: bounds })).toBeTruthy();
    const id = holeId(hole());
    expect(id).toBe('hole-Lead-overflow-5000-6000');
    expect(command.parse({ id, type: 'backfill.start', data: {} }).id).toBe(id);
  });

  it('does not reach before the beginning of time', () => {
    expect(toCatchUp(hole({ fromMs: 0 })).since).toBe('1970-01-01T00:00:00.000Z');
  });
});
