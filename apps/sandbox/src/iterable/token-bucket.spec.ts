import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

describe('TokenBucket', () => {
  it('lets a full bucket through at once, then one each fifth of a second', () => {
    const bucket = new TokenBucket(5, 5, 0);
    const taken = Array.from({ length: 6 }, () => bucket.take(0));
    expect(taken.map((one) => one.allowed)).toEqual([true, true, true, true, true, false]);
    expect(taken.map((one) => one.remaining)).toEqual([4, 3, 2, 1, 0, 0]);
    expect(taken[5]).toEqual({ allowed: false, limit: 5, remaining: 0, resetSeconds: 1 });
    expect(bucket.take(199).allowed).toBe(false);
    expect(bucket.take(200).allowed).toBe(true);
    expect(bucket.take(200).allowed).toBe(false);
  });

  it('never holds more than its capacity, however long it rests', () => {
    const bucket = new TokenBucket(5, 5, 0);
    const taken = Array.from({ length: 7 }, () => bucket.take(3_600_000).allowed);
    expect(taken.filter(Boolean)).toHaveLength(5);
  });

  it('goes into debt where refused requests count, and tells the longer wait', () => {
    const bucket = new TokenBucket(1, 1, 0);
    bucket.take(0);
    expect(bucket.take(0, true)).toMatchObject({ allowed: false, resetSeconds: 2 });
    expect(bucket.take(1_000).allowed).toBe(false);
    expect(bucket.take(2_000).allowed).toBe(true);
  });

  it('takes a refund', () => {
    const bucket = new TokenBucket(1, 1, 0);
    bucket.take(0);
    bucket.refund();
    expect(bucket.take(0).allowed).toBe(true);
  });

  it('allows no more than rate × time + capacity in any run of arrivals', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000 }), { maxLength: 200 }), (gaps) => {
        const bucket = new TokenBucket(5, 5, 0);
        let now = 0;
        const allowedAt: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (bucket.take(now).allowed) allowedAt.push(now);
        }
        for (const [index, from] of allowedAt.entries()) {
          for (const [offset, to] of allowedAt.slice(index).entries()) {
            expect(offset + 1).toBeLessThanOrEqual(5 * ((to - from) / 1000) + 5 + 1e-6);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
