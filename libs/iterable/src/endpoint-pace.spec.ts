import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EndpointPace, endpointRates } from './endpoint-pace.js';
import { IterableTimeoutError } from './errors.js';

const never = new AbortController().signal;
const answer = (status: number, params: unknown = null, headers: Record<string, string> = {}) => ({
  status,
  headers,
  text: JSON.stringify({ code: 'x', msg: '', params }),
  receivedAtMs: 0,
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('EndpointPace', () => {
  it.each(Object.entries(endpointRates))(
    '%s leaves at 97 %% of %i a second, in the order asked for',
    async (endpoint, rate) => {
      const pace = new EndpointPace();
      const left: number[] = [];
      const wanted = Math.ceil(rate * 10);
      const all = Promise.all(
        Array.from({ length: wanted }, async (_, at) => {
          await pace.turn(endpoint as keyof typeof endpointRates, never);
          left.push(at);
        }),
      );
      await vi.advanceTimersByTimeAsync(10_000);
      expect(left.length).toBeLessThanOrEqual(rate * 10 * 0.97 + 1);
      expect(left.length).toBeGreaterThanOrEqual(Math.floor(rate * 10 * 0.9));
      expect(left).toEqual(left.map((_, at) => at));
      await vi.advanceTimersByTimeAsync(2_000);
      await all;
      expect(left).toHaveLength(wanted);
    },
  );

  it('a 429 holds its own endpoint as long as it says, and no other', async () => {
    const pace = new EndpointPace();
    const left: string[] = [];
    const go = async (endpoint: 'users/merge' | 'users/delete') => {
      await pace.turn(endpoint, never);
      left.push(endpoint);
    };
    pace.heard('users/merge', answer(429, { rateLimitReset: 3 }));
    const both = Promise.all([go('users/merge'), go('users/delete')]);
    await vi.advanceTimersByTimeAsync(2_999);
    expect(left).toEqual(['users/delete']);
    await vi.advanceTimersByTimeAsync(500);
    expect(left).toEqual(['users/delete', 'users/merge']);
    await both;
  });

  it('without a hint it backs off, longer each time, until something else than a 429 comes', async () => {
    const pace = new EndpointPace({ random: () => 0.5 });
    const waits = async () => {
      const from = performance.now();
      const turn = pace.turn('users/delete', never);
      await vi.runAllTimersAsync();
      await turn;
      return performance.now() - from;
    };
    await waits();
    const waited: number[] = [];
    for (let time = 0; time < 3; time += 1) {
      pace.heard('users/delete', answer(429));
      waited.push(Math.floor((await waits()) / 250) * 250);
    }
    expect(waited).toEqual([250, 500, 1_000]);
    pace.heard('users/delete', answer(400));
    pace.heard('users/delete', answer(429));
    expect(Math.floor((await waits()) / 250) * 250).toBe(250);
  });

  it('is left by an abort, with its reason, which sends nothing and lets the next one go', async () => {
    const pace = new EndpointPace();
    const stop = new AbortController();
    const made: string[] = [];
    const make = (name: string, signal: AbortSignal) =>
      pace.call(
        'users/forget',
        () => {
          made.push(name);
          return Promise.resolve(answer(200));
        },
        signal,
      );
    const first = make('first', stop.signal).catch((error: unknown) => error);
    const second = make('second', never);
    stop.abort(new Error('claim lost'));
    expect(await first).toMatchObject({ message: 'claim lost' });
    await vi.advanceTimersByTimeAsync(400);
    await second;
    expect(made).toEqual(['second']);
    await expect(make('third', stop.signal)).rejects.toThrow('claim lost');
  });

  it('leaves no timer behind when all who waited have gone', async () => {
    const pace = new EndpointPace();
    pace.heard('users/merge', answer(429, { rateLimitReset: 200 }));
    const stop = new AbortController();
    const turn = pace.turn('users/merge', stop.signal).catch(() => 'left');
    expect(vi.getTimerCount()).toBe(1);
    stop.abort();
    expect([await turn, vi.getTimerCount()]).toEqual(['left', 0]);
  });

  it('gives the error that stands for no answer, and throws what is a bug', async () => {
    const pace = new EndpointPace();
    const late = new IterableTimeoutError('late');
    const failing = async (error: Error) => {
      throw error;
    };
    const call = (error: Error) => pace.call('users/merge', () => failing(error), never);
    const given = call(late);
    await vi.advanceTimersByTimeAsync(100);
    expect(await given).toBe(late);
    const thrown = call(new TypeError('a bug')).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(100);
    expect(await thrown).toBeInstanceOf(TypeError);
  });
});
