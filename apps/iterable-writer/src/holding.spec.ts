import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogUnavailableError, type Claim } from '@libs/event-log';
import { createLogger, Health } from '@libs/observability';
import { Holding } from './holding.js';

let commits: number[];
let failures: Error[];
let lost: AbortController;
let health: Health;
let holding: Holding;

beforeEach(() => {
  vi.useFakeTimers();
  commits = [];
  failures = [];
  lost = new AbortController();
  health = new Health();
  const claim = {
    partition: 0,
    signal: lost.signal,
    commit: (offset: number) => {
      const failure = failures.shift();
      if (failure !== undefined) return Promise.reject(failure);
      commits.push(offset);
      return Promise.resolve();
    },
  } as unknown as Claim;
  holding = new Holding(claim, 10, { health, logger: createLogger('test', 'silent') });
  for (const offset of [10, 11, 12, 13]) holding.took(offset);
});

afterEach(() => {
  vi.useRealTimers();
});

describe('Holding', () => {
  it('commits up to the first that is not done, several at a time', async () => {
    for (const offset of [10, 11, 13]) holding.done(offset);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(commits).toEqual([12]);
    holding.done(12);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(commits).toEqual([12, 14]);
  });

  it('commits nothing while the first is open, and nothing twice', async () => {
    for (const offset of [11, 12, 13]) holding.done(offset);
    await vi.advanceTimersByTimeAsync(1_000);
    await holding.flush();
    expect(commits).toEqual([]);
    holding.done(10);
    await holding.flush();
    await holding.flush();
    expect(commits).toEqual([14]);
  });

  it('passes what was left out at the end of a run', async () => {
    holding.passed(20);
    for (const offset of [10, 11, 12, 13]) holding.done(offset);
    await holding.flush();
    expect(commits).toEqual([20]);
  });

  it('tries again after an outage of the log', async () => {
    failures = [new LogUnavailableError('down')];
    holding.done(10);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([commits, health.live]).toEqual([[], true]);
    holding.done(11);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(commits).toEqual([12]);
  });

  it('stops the process on a bug', async () => {
    failures = [new Error('bug')];
    holding.done(10);
    await holding.flush();
    expect(health.live).toBe(false);
  });

  it('commits nothing for a partition that is no longer ours', async () => {
    holding.done(10);
    lost.abort();
    holding.done(11);
    await vi.advanceTimersByTimeAsync(1_000);
    await holding.flush();
    expect([commits, holding.lost]).toEqual([[], true]);
  });
});
