import { describe, expect, it } from 'vitest';
import { backoffMs, retryAfterMs } from './backoff.js';

const NOW = Date.parse('2026-11-24T08:00:00Z');
const answer = (headers: Record<string, string> = {}) => ({ status: 429, headers, text: '', receivedAtMs: NOW });

describe('retryAfterMs', () => {
  it.each([
    ['a number of seconds', {}, { rateLimitReset: 1 }, 1_000],
    ['a fraction', {}, { rateLimitReset: 0.25 }, 250],
    ['a numeric string', {}, { rateLimitReset: '2' }, 2_000],
    ['params before the header', { 'retry-after': '9' }, { rateLimitReset: 1 }, 1_000],
    ['the header when params say nothing', { 'retry-after': '9' }, { rateLimitLimit: 5 }, 9_000],
    ['a date', { 'retry-after': 'Tue, 24 Nov 2026 08:00:30 GMT' }, null, 30_000],
    ['a date that has passed', { 'retry-after': 'Tue, 24 Nov 2026 07:00:00 GMT' }, null, 0],
    ['nothing', {}, undefined, undefined],
    ['nonsense', { 'retry-after': 'soon' }, { rateLimitReset: 'x' }, undefined],
    ['a blank', {}, { rateLimitReset: '' }, undefined],
    ['a negative number', {}, { rateLimitReset: -4 }, undefined],
    ['an absurd wait', {}, { rateLimitReset: 86_400 }, 300_000],
  ] as const)('reads %s', (_, headers, params, expected) => {
    expect(retryAfterMs(answer(headers), params)).toBe(expected);
  });
});

describe('backoffMs', () => {
  it.each([
    [0, 1, 500],
    [1, 0.5, 500],
    [3, 0, 0],
    [4, 0.999, 7_992],
    [500, 0.5, 15_000],
  ])('attempt %i with %f of the jitter waits %i ms', (attempt, random, expected) => {
    expect(backoffMs(attempt, random, { firstMs: 500, maxMs: 30_000 })).toBe(expected);
  });
});
