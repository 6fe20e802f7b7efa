import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SandboxClock } from '../clock.js';
import { Pipeline } from './pipeline.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('Pipeline', () => {
  it('applies at once without a delay', () => {
    const applied: string[] = [];
    new Pipeline(new SandboxClock(), () => 0).run(() => applied.push('a'));
    expect(applied).toEqual(['a']);
  });

  it('applies in order after the delay, and not before an earlier write when the delay shrinks', async () => {
    const applied: string[] = [];
    let delayMs = 2_000;
    const pipeline = new Pipeline(new SandboxClock(), () => delayMs);
    pipeline.run(() => applied.push('first'));
    delayMs = 0;
    pipeline.run(() => applied.push('second'));
    expect(pipeline.pending).toBe(2);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(applied).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(applied).toEqual(['first', 'second']);
  });

  it("follows the sandbox's clock when it jumps", () => {
    const clock = new SandboxClock();
    const applied: string[] = [];
    const pipeline = new Pipeline(clock, () => 60_000);
    pipeline.run(() => applied.push('a'));
    clock.advance(60);
    expect(applied).toEqual(['a']);
    pipeline.close();
  });

  it('lets two pipelines overtake each other', async () => {
    const clock = new SandboxClock();
    const applied: string[] = [];
    const bulk = new Pipeline(clock, () => 3_000);
    const single = new Pipeline(clock, () => 1_000);
    bulk.run(() => applied.push('bulk, sent first'));
    single.run(() => applied.push('single, sent second'));
    await vi.advanceTimersByTimeAsync(3_001);
    expect(applied).toEqual(['single, sent second', 'bulk, sent first']);
  });
});
