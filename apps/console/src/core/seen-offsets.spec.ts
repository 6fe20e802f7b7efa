import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RANGES, markSeen, nothingSeen, placeOfChange, unseen } from './seen-offsets.js';

const places = (offsets: readonly number[]) => offsets.map((offset) => ({ source: '0', offset }));

describe('markSeen', () => {
  it('agrees with a set, in any order and with any duplicates', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(60), { maxLength: 30 }), { maxLength: 5 }), (batches) => {
        const model = new Set<number>();
        let seen = nothingSeen;
        for (const batch of batches) {
          const result = markSeen(seen, places(batch));
          const expected = batch.map((offset) => !model.has(offset) && model.add(offset).has(offset));
          expect(result.fresh).toEqual(expected);
          seen = result.seen;
        }
        const missing = Array.from({ length: 50 }, (_, index) => index + 5).filter((offset) => !model.has(offset));
        expect(unseen(seen, '0', 5, 55)).toEqual(
          missing.length === 0 ? null : { count: missing.length, first: missing[0] },
        );
        const ranges = seen.get('0') ?? [];
        for (const [index, range] of ranges.entries()) {
          expect(range[0]).toBeGreaterThan((ranges[index - 1]?.[1] ?? -2) + 1);
        }
      }),
    );
  });

  it('keeps sources apart and does not change its input', () => {
    const first = markSeen(nothingSeen, [{ source: '0', offset: 7 }]).seen;
    const second = markSeen(first, [
      { source: '1', offset: 7 },
      { source: '0', offset: 8 },
    ]);
    expect(second.fresh).toEqual([true, true]);
    expect([...first]).toEqual([['0', [[7, 7]]]]);
    expect(second.seen.get('0')).toEqual([[7, 8]]);
  });

  it('is bounded: the lowest ranges are forgotten', () => {
    const holes = Array.from({ length: MAX_RANGES + 10 }, (_, index) => index * 2);
    const { seen } = markSeen(nothingSeen, places(holes));
    expect(seen.get('0')).toHaveLength(MAX_RANGES);
    expect(seen.get('0')?.[0]).toEqual([20, 20]);
  });
});

describe('unseen', () => {
  it('says null for an empty span and counts a source that was never seen', () => {
    expect(unseen(nothingSeen, '3', 5, 5)).toBeNull();
    expect(unseen(nothingSeen, '3', 5, 9)).toEqual({ count: 4, first: 5 });
  });
});

it('reads the name of a change', () => {
  expect(placeOfChange('12:345')).toEqual({ source: '12', offset: 345 });
});
