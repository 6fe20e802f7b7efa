import { describe, expect, it } from 'vitest';
import { lingerMs } from './linger.js';

const limits = { maxUsers: 1_000, maxBytes: 3_800_000, quietMs: 100, longestMs: 1_000 };
const load = { users: 10, bytes: 5_000, oldestAtMs: 0, newestAtMs: 300 };

describe('lingerMs', () => {
  it.each([
    ['more are arriving', load, 310, 90],
    ['nobody came for a while', load, 400, 0],
    ['long past', load, 4_000, 0],
    ['full by users', { ...load, users: 1_000 }, 300, 0],
    ['full by bytes', { ...load, bytes: 3_800_000 }, 300, 0],
    ['the first has waited long enough', { ...load, newestAtMs: 999 }, 999, 1],
  ])('%s', (_, waiting, now, expected) => {
    expect(lingerMs(waiting, now, limits)).toBe(expected);
  });
});
