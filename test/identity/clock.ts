import { vi } from 'vitest';

/** Taken before it is faked: one turn of the real loop lets every promise that can go on do so. */
const realImmediate = globalThis.setImmediate;
const settled = (): Promise<void> => new Promise((resolve) => realImmediate(resolve));

/**
 * Time that passes only when it is told to, so that a case of minutes takes milliseconds and is the same each time.
 * `vi.advanceTimersByTimeAsync` waits a real millisecond for each timer: here the timers fire at once and promises go on between.
 */
export class Clock {
  start(epochMs: number): void {
    vi.useFakeTimers({ now: epochMs });
    // A real timer of 30 s for each call to Iterable, which nothing here ever needs.
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => new AbortController().signal);
  }

  stop(): void {
    vi.restoreAllMocks();
    vi.useRealTimers();
  }

  /** Epoch milliseconds. */
  now(): number {
    return Date.now();
  }

  /** Lets so many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    await settled(); // whatever can go on now sets its timers first
    vi.advanceTimersByTime(ms);
    await settled();
  }

  /** Goes on to the next timer. `false`: there is none. */
  async next(): Promise<boolean> {
    await settled(); // whatever can go on now sets its timers first
    if (vi.getTimerCount() === 0) return false;
    vi.advanceTimersToNextTimer();
    await settled();
    return true;
  }
}
