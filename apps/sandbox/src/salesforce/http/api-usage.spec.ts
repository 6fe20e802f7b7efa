import { describe, expect, it } from 'vitest';
import { DailyCount } from './api-usage.js';

describe('DailyCount', () => {
  it('counts over a rolling day', () => {
    let hour = 100;
    const count = new DailyCount(() => hour * 3_600_000);
    count.add(5);
    hour += 23;
    count.add(2);
    expect(count.used).toBe(7);
    hour += 1;
    expect(count.used).toBe(2);
    hour += 23;
    expect(count.used).toBe(0);
  });
});
