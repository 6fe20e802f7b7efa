import { describe, expect, it } from 'vitest';
import { eventsAllowed } from './mode.js';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

describe('eventsAllowed', () => {
  it.each([
    ['plenty left', false, 0.5, null, true],
    ['the org does not tell', false, null, null, true],
    ['near the end', false, 0.05, null, false],
    ['just above', false, 0.051, null, true],
    ['polling, a little came back', true, 0.09, null, false],
    ['polling, enough came back', true, 0.1, null, true],
    ['polling, enough by a count that may be old', true, 0.5, NOW - 4 * MINUTE, false],
    ['polling, enough and refused a while ago', true, 0.5, NOW - 5 * MINUTE, true],
    ['polling without a count, refused just now', true, null, NOW - 14 * MINUTE, false],
    ['polling without a count, refused a while ago', true, null, NOW - 15 * MINUTE, true],
  ])('%s', (_what, polling, ratio, refusedMs, expected) => {
    expect(eventsAllowed(polling, { ratio, refusedMs }, NOW)).toBe(expected);
  });
});
