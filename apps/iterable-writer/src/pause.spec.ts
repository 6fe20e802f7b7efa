import { describe, expect, it } from 'vitest';
import { pause, unlessAborted } from './pause.js';

describe('unlessAborted', () => {
  const aborted = AbortSignal.abort(new Error('over'));

  it('is as the work', async () => {
    const { signal } = new AbortController();
    await expect(unlessAborted(Promise.resolve(5), signal)).resolves.toBe(5);
    await expect(unlessAborted(Promise.reject(new Error('bad')), signal)).rejects.toThrow('bad');
  });

  it('rejects on an abort, and what becomes of the work then is nobody’s any more', async () => {
    // A rejection that nobody hears of would stop the process
    await expect(unlessAborted(Promise.reject(new Error('late')), aborted)).rejects.toThrow('over');
    const giving = new AbortController();
    const work = Promise.withResolvers<never>();
    const waiting = unlessAborted(work.promise, giving.signal);
    giving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    work.reject(new Error('late'));
    await expect(pause(10_000, aborted)).rejects.toThrow('over');
  });
});
