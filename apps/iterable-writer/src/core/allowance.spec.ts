import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.js';

/** 5 requests a second of 1,000 users. */
const make = () => new Allowance(5_000);

describe('the allowance', () => {
  it('counts only time in which work waits', () => {
    const allowance = make();
    expect(allowance.note(true, 0)).toBe(0);
    expect(allowance.note(false, 2_000)).toBe(10_000);
    expect(allowance.note(true, 9_000)).toBe(0);
    expect(allowance.note(true, 9_500)).toBe(2_500);
    allowance.wrote(5_000, 9_500);
    expect(allowance.used(9_500)).toBeCloseTo(5_000 / 12_500);
  });

  it('is used wholly by a full request every 200 ms', () => {
    const allowance = make();
    for (let nowMs = 0; nowMs <= 30_000; nowMs += 200) {
      allowance.note(true, nowMs);
      if (nowMs > 0) allowance.wrote(1_000, nowMs);
    }
    expect(allowance.used(30_000)).toBeCloseTo(1);
  });

  it('forgets what is more than a minute ago, and keeps little', () => {
    const allowance = make();
    for (let nowMs = 0; nowMs <= 600_000; nowMs += 100) {
      allowance.note(true, nowMs);
      if (nowMs > 500_000 && nowMs % 200 === 0) allowance.wrote(500, nowMs);
    }
    expect(allowance.used(600_000)).toBeCloseTo(0.5);
    expect(allowance.used(700_000)).toBeNull();
  });

  it('does not know a share where no work waited', () => {
    expect(make().used(1_000)).toBeNull();
  });
});
