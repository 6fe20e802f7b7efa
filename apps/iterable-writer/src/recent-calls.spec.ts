import { describe, expect, it } from 'vitest';
import type { Step } from './core/decision.js';
import { RecentCalls } from './recent-calls.js';

const SETTLE_MS = 60_000;
const write = (email: string): Step => ({ kind: 'write', on: { email } });
const remove = (email: string): Step => ({ kind: 'delete', on: { email } });
const move = (from: string, to: string): Step => ({ kind: 'move', from: { email: from }, to: { email: to } });

function after(...done: ReadonlyArray<readonly [Step, number]>): RecentCalls {
  const calls = new RecentCalls(SETTLE_MS);
  for (const [step, atMs] of done) calls.note(step, atMs);
  return calls;
}

describe('what Iterable may still be working on', () => {
  it.each<[string, RecentCalls, readonly Step[], number]>([
    ['nothing', after(), [write('a')], 0],
    ['another profile', after([remove('b'), 1_000]), [write('a')], 0],
    ['a deletion, whoever is next there', after([remove('a'), 1_000]), [write('a')], 61_000],
    ['a move away', after([move('a', 'b'), 1_000]), [write('a')], 61_000],
    ['a move to there', after([move('b', 'a'), 1_000]), [write('a')], 61_000],
    ['the later of two', after([remove('a'), 1_000], [move('a', 'b'), 2_000]), [write('a')], 62_000],
    ['a profile of a later step', after([remove('a'), 1_000]), [move('c', 'd'), write('a')], 61_000],
    ['a forget, which takes its time', after([{ kind: 'forget', on: { email: 'a' } }, 1_000]), [write('a')], 601_000],
    ['a bulk call is known of otherwise', after([write('a'), 1_000]), [remove('a')], 0],
    ['what is long over is dropped', after([remove('a'), 1_000], [remove('b'), 601_000]), [write('a')], 0],
  ])('%s', (_what, calls, steps, notBeforeMs) => {
    expect(calls.notBeforeMs(steps)).toBe(notBeforeMs);
  });
});
