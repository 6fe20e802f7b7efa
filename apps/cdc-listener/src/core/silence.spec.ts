import { describe, expect, it } from 'vitest';
import { delivering, judge, SILENCE_TIMINGS as timings } from './silence.js';

const quiet = delivering(0, timings);
const judgeAt = (at: number, newestStamp: number | null, of = quiet) =>
  judge(of, { newestStamp, seenStamp: 1_000 }, at, timings);

describe('judge', () => {
  it.each([
    ['no rows', null],
    ['rows older than what was delivered', 900],
    ['the delivered row', 1_000],
  ])('holds a channel for alive with %s', (_what, newest) => {
    expect(judgeAt(60_000, newest)).toEqual({ look: 'alive', quiet: { ...quiet, nextLookMs: 120_000 } });
  });

  it('doubts a change that was not delivered, and holds the channel for dead when it still was not', () => {
    const first = judgeAt(60_000, 2_000);
    expect(first).toMatchObject({ look: 'doubted', quiet: { nextLookMs: 90_000 } });
    const second = judgeAt(90_000, 2_000, first.quiet);
    expect(second).toMatchObject({ look: 'dead', quiet: { excusedStamp: 2_000, dead: 1 } });
    expect(judgeAt(150_000, 2_000, second.quiet).look).toBe('alive');
    expect(judgeAt(150_000, 2_001, second.quiet).look).toBe('doubted');
  });

  it('stops doubting when the event came', () => {
    const { quiet: doubting } = judgeAt(60_000, 2_000);
    expect(judge(doubting, { newestStamp: 2_000, seenStamp: 2_000 }, 90_000, timings).look).toBe('alive');
  });

  it('finds a dead channel within two minutes of the change that it does not deliver', () => {
    const worst = timings.lookMs + timings.confirmMs;
    expect(worst).toBeLessThanOrEqual(120_000);
    expect(timings.quietMs + timings.confirmMs).toBeLessThanOrEqual(120_000);
  });

  it('looks less and less often at a channel that stays dead, every ten minutes at last', () => {
    let at = 0;
    let state = quiet;
    const waits: number[] = [];
    for (let change = 1; change < 8; change += 1) {
      state = judge({ ...state, doubted: true }, { newestStamp: 1_000 + change, seenStamp: 0 }, at, timings).quiet;
      waits.push(state.nextLookMs - at);
      at = state.nextLookMs;
    }
    expect(waits).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000, 600_000]);
  });
});
