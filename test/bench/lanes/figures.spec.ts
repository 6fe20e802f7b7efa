import { describe, expect, it } from 'vitest';
import { allowanceUsed, figuresOf, quantile, spreadOf } from './figures.js';

describe('quantile', () => {
  it.each([
    [[], 0.5, null],
    [[7], 0.99, 7],
    [[3, 1, 2], 0.5, 2],
    [[4, 3, 2, 1], 0.5, 2],
    [Array.from({ length: 100 }, (_, n) => 100 - n), 0.99, 99],
    [Array.from({ length: 101 }, (_, n) => n), 1, 100],
  ])('of %j at %d is %j', (values, q, expected) => {
    expect(quantile(values, q)).toBe(expected);
  });
});

it('says how many changes a spread stands for', () => {
  expect(spreadOf([])).toEqual({ changes: 0, p50Ms: null, p99Ms: null, longestMs: null });
  expect(spreadOf([30, 10, 20])).toEqual({ changes: 3, p50Ms: 20, p99Ms: 30, longestMs: 30 });
});

it('is the share of what the setting allowed in that time', () => {
  expect(allowanceUsed(970_000, 200, { requestsPerSecond: 5, usersPerRequest: 1_000 })).toBeCloseTo(0.97);
});

it('counts users of requests that were taken only', () => {
  const one = { number: 1, at: 1_000, users: 10, status: 200, durationMs: 5 };
  const logged = [one, { ...one, users: 30, at: 1_500, durationMs: 60 }, { ...one, status: 429 }];
  expect(figuresOf(logged)).toEqual({ requests: 3, tooFast: 1, users: 40, usersPerRequest: 20, lastAnswerAt: 1_560 });
  expect(figuresOf([])).toEqual({ requests: 0, tooFast: 0, users: 0, usersPerRequest: 0, lastAnswerAt: 0 });
});
