import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RateLimiter } from '@libs/iterable';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { Gate } from './gate.js';

let gate: Gate;

beforeEach(() => {
  vi.useFakeTimers();
  const parts = { health: new Health(), metrics: createMetrics(), logger: createLogger('test', 'silent') };
  gate = new Gate(new RateLimiter(5, () => Date.now()), { ...parts, cutOff: () => false });
});
afterEach(() => {
  vi.useRealTimers();
});

it('lets a single request go before those that always wait for the next token, and counts it', async () => {
  let left = 0;
  const pump = (): void => {
    const waitMs = gate.waitMs(Date.now(), 0) ?? 0;
    if (waitMs > 0) {
      setTimeout(pump, waitMs);
      return;
    }
    gate.take();
    left += 1;
    pump();
  };
  pump();
  await vi.advanceTimersByTimeAsync(10_000);
  let had = false;
  void gate.turn(new AbortController().signal).then(() => (had = true));
  const before = left;
  await vi.advanceTimersByTimeAsync(450);
  expect([had, left - before]).toEqual([true, 1]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(left + 1).toBeLessThanOrEqual(5 * 20.45 + 1);
  expect(left).toBeGreaterThan(95);
});

it('lets others go on when it is broken off', async () => {
  const lost = new AbortController();
  const turn = gate.turn(lost.signal);
  lost.abort(new Error('lost'));
  await expect(turn).rejects.toThrow('lost');
  await vi.advanceTimersByTimeAsync(250);
  expect(gate.waitMs(Date.now(), 0)).toBe(0);
});
