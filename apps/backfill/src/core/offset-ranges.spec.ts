import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addPositions, contains, countAll, countFrom } from './offset-ranges.js';

describe('offset ranges', () => {
  it('joins neighbours and keeps partitions apart', () => {
    const first = addPositions({}, [
      { partition: 0, offset: 5 },
      { partition: 1, offset: 9 },
      { partition: 0, offset: 6 },
    ]);
    expect(first).toEqual({ 0: [[5, 6]], 1: [[9, 9]] });
    expect(
      addPositions(first, [
        { partition: 0, offset: 8 },
        { partition: 0, offset: 9 },
      ]),
    ).toEqual({
      0: [
        [5, 6],
        [8, 9],
      ],
      1: [[9, 9]],
    });
    expect(first).toEqual({ 0: [[5, 6]], 1: [[9, 9]] });
  });

  it('does not count an offset twice when a page is told again', () => {
    const once = addPositions({}, [{ partition: 0, offset: 5 }]);
    expect(countAll(addPositions(once, [{ partition: 0, offset: 5 }]))).toBe(1);
  });

  it('knows its members and counts, whatever the gaps', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200), { maxLength: 100 }), fc.nat(220), (offsets, probe) => {
        const sorted = offsets.toSorted((a, b) => a - b);
        const ranges = addPositions(
          {},
          sorted.map((offset) => ({ partition: 2, offset })),
        )[2];
        expect(contains(ranges, probe)).toBe(offsets.includes(probe));
        expect(countFrom(ranges, probe)).toBe(offsets.filter((offset) => offset >= probe).length);
      }),
    );
  });
});
