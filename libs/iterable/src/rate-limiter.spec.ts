import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimiter } from './rate-limiter.js';

/** Sends as fast as the limiter allows; each wake-up late by what `lateness` says. Returns the times of departure, ms. */
function sendFor(limiter: RateLimiter, clock: { now: number }, untilMs: number, lateness: () => number): number[] {
  const sent: number[] = [];
  for (;;) {
    clock.now += limiter.waitMs() + lateness();
    if (clock.now >= untilMs) return sent;
    while (limiter.take()) sent.push(clock.now);
  }
}

function mostInWindow(times: readonly number[], windowMs: number): number {
  let first = 0;
  let most = 0;
  times.forEach((time, at) => {
    while (time - (times[first] as number) > windowMs) first += 1;
    most = Math.max(most, at - first + 1);
  });
  return most;
}

describe('RateLimiter', () => {
  it('starts empty', () => {
    const clock = { now: 0 };
    const limiter = new RateLimiter(5, () => clock.now);
    expect(limiter.take()).toBe(false);
    expect(limiter.waitMs()).toBe(207);
    clock.now = 207;
    expect([limiter.take(), limiter.take()]).toEqual([true, false]);
  });

  it('stays under rate × t + 1 in any t of 10 s or more, and reaches 95 % of the rate with late timers', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50, noNaN: true }),
        fc.infiniteStream(fc.integer({ min: 0, max: 40 })),
        (rate, late) => {
          const clock = { now: 0 };
          const limiter = new RateLimiter(rate, () => clock.now);
          clock.now = 60_000; // idle before: the burst is at its largest
          const sent = sendFor(limiter, clock, 180_000, () => late.next().value as number);
          for (const seconds of [10, 13.7, 30, 60]) {
            expect(mostInWindow(sent, seconds * 1000)).toBeLessThanOrEqual(rate * seconds + 1);
          }
          if (rate >= 1 && rate <= 5) expect(sent.length).toBeGreaterThanOrEqual(Math.floor(rate * 120 * 0.95));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never empties a bucket of the documented refill, whatever the burst it allows', () => {
    const clock = { now: 0 };
    const limiter = new RateLimiter(5, () => clock.now);
    clock.now = 60_000; // idle before: the burst is at its largest
    const sent = sendFor(limiter, clock, 180_000, () => 0);
    let level = 2;
    let at = sent[0] as number;
    for (const time of sent) {
      level = Math.min(2, level + ((time - at) / 1000) * 5) - 1;
      at = time;
      expect(level).toBeGreaterThanOrEqual(0);
    }
  });

  it('holds still for as long as it is told, then starts empty', () => {
    const clock = { now: 10_000 };
    const limiter = new RateLimiter(5, () => clock.now);
    limiter.holdFor(3_000);
    limiter.holdFor(1_000);
    clock.now = 13_000;
    expect([limiter.take(), limiter.waitMs()]).toEqual([false, 207]);
  });

  it('slows down on 429s, once for those that come together, and comes back to the setting, not above', () => {
    const clock = { now: 10_000 };
    const limiter = new RateLimiter(5, () => clock.now);
    const full = limiter.rate;
    limiter.slowDown();
    limiter.slowDown();
    expect(limiter.rate).toBeCloseTo(full * 0.8);
    clock.now += 1_000;
    limiter.slowDown();
    expect(limiter.rate).toBeCloseTo(full * 0.64);
    for (let storm = 0; storm < 100; storm += 1) {
      clock.now += 1_000;
      limiter.slowDown();
    }
    expect(limiter.rate).toBeCloseTo(full * 0.1);
    for (let success = 0; success < 200; success += 1) limiter.speedUp();
    expect(limiter.rate).toBeCloseTo(full);
  });
});
