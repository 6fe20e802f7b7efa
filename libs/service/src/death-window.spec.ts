import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  deadOf,
  EMPTY_WINDOW,
  isTooMuch,
  noted,
  sum,
  topCode,
  type DeathWindow,
  type Endings,
} from './death-window.js';

const WINDOW_MS = 60_000;
const endings = (ended: number, dead: Record<string, number> = {}): Endings => ({
  ended,
  dead: new Map(Object.entries(dead)),
});
const make = (...notes: ReadonlyArray<readonly [atMs: number, Endings]>) =>
  notes.reduce<DeathWindow>((window, [atMs, one]) => noted(window, one, atMs, WINDOW_MS), EMPTY_WINDOW);

describe('a window of endings', () => {
  it('sums what is in it, by code', () => {
    const window = make([0, endings(10, { 'a.b': 2 })], [500, endings(5, { 'a.b': 1, 'c.d': 4 })]);
    expect(window).toHaveLength(1);
    expect(sum(window)).toEqual(endings(15, { 'a.b': 3, 'c.d': 4 }));
  });

  it.each([
    ['all of it before it is old', 59_999, 7],
    ['not what is as old as the window is long', 60_000, 3],
    ['nothing of long ago', 600_000, 1],
  ])('keeps %s', (_, atMs, ended) => {
    const window = make([0, endings(4)], [30_000, endings(2)], [atMs, endings(1)]);
    expect(sum(window).ended).toBe(ended);
  });

  it('does not change the one before', () => {
    const before = make([0, endings(4, { 'a.b': 1 })]);
    noted(before, endings(4, { 'a.b': 1 }), 0, WINDOW_MS);
    expect(sum(before)).toEqual(endings(4, { 'a.b': 1 }));
  });

  it('stays small, and never counts more than what came in its time', () => {
    const note = fc.record({ afterMs: fc.nat(20_000), ended: fc.nat(50), dead: fc.nat(50) });
    fc.assert(
      fc.property(
        fc.array(note, { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1_000, max: 90_000 }),
        (all, ms) => {
          let nowMs = 0;
          let window = EMPTY_WINDOW;
          const times: Array<{ readonly atMs: number; readonly ended: number }> = [];
          for (const { afterMs, ended, dead } of all) {
            nowMs += afterMs;
            times.push({ atMs: nowMs, ended: ended + dead });
            window = noted(window, endings(ended + dead, { 'a.b': dead }), nowMs, ms);
          }
          const bucketMs = Math.ceil(ms / 60);
          const within = (age: number) =>
            times.filter(({ atMs }) => atMs > nowMs - age).reduce((total, { ended }) => total + ended, 0);
          expect(window.length).toBeLessThanOrEqual(61);
          expect(sum(window).ended).toBeLessThanOrEqual(within(ms));
          expect(sum(window).ended).toBeGreaterThanOrEqual(within(ms - bucketMs));
        },
      ),
    );
  });
});

describe('isTooMuch', () => {
  it.each([
    [25, 100, { 'a.b': 99 }, false],
    [25, 100, { 'a.b': 100 }, true],
    [25, 100, { 'a.b': 60, 'c.d': 40 }, true],
    [25, 400, { 'a.b': 100 }, false],
    [25, 399, { 'a.b': 100 }, true],
    [25, 1_000_000, { 'a.b': 200_000 }, false],
    [0.1, 100_000, { 'a.b': 101 }, true],
    [100, 5_000, { 'a.b': 5_000 }, false],
  ])('above %s %% of %s ended with %j: %s', (percent, ended, dead, expected) => {
    expect(isTooMuch(endings(ended, dead), percent)).toBe(expected);
  });
});

describe('topCode', () => {
  it.each([
    [{}, null],
    [{ 'a.b': 1, 'c.d': 2 }, 'c.d'],
    [{ 'c.d': 2, 'a.b': 2 }, 'a.b'],
  ])('of %j is %s', (dead, expected) => {
    expect(topCode(endings(9, dead))).toBe(expected);
    expect(deadOf(endings(9, dead))).toBe(Object.values(dead).reduce((total, count) => total + count, 0));
  });
});
