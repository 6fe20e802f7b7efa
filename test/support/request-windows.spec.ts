import { array, assert, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worstWindow } from './request-windows.js';

const every = (ms: number, count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index * ms);

/** All windows between two requests, one by one. */
function byHand(at: readonly number[], perSecond: number, minSeconds: number): number {
  let worst = Number.NEGATIVE_INFINITY;
  for (let first = 0; first < at.length; first += 1)
    for (let last = first; last < at.length; last += 1) {
      const seconds = Math.max(minSeconds, ((at[last] ?? 0) - (at[first] ?? 0)) / 1_000);
      worst = Math.max(worst, last - first + 1 - (perSecond * seconds + 1));
    }
  return worst;
}

describe('the worst window of a request log', () => {
  it.each<[string, number[], number]>([
    ['five a second, evenly', every(200, 500), 0],
    ['one request', [7], -50],
    ['a burst, then nothing', every(1, 52), 1],
    ['too many only in a long window: 5.05 a second', every(198, 1_000), 1_000 - (5 * (999 * 0.198) + 1)],
    ['a burst after a minute of silence', [...every(200, 10), ...every(0, 53, 60_000)], 2],
  ])('%s', (_, at, excess) => {
    expect(worstWindow(at, 5, 10)?.excess).toBeCloseTo(excess, 6);
  });

  it('is none without requests', () => {
    expect(worstWindow([], 5, 10)).toBeNull();
  });

  it('is what a look at every pair of requests finds', () => {
    assert(
      property(array(integer({ min: 0, max: 450 }), { minLength: 1, maxLength: 160 }), (gaps) => {
        let now = 1_700_000_000_000;
        const at = gaps.map((gap) => (now += gap));
        expect(worstWindow(at, 5, 10)?.excess).toBeCloseTo(byHand(at, 5, 10), 4);
      }),
    );
  });
});
