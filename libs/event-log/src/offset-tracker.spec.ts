import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OffsetTracker } from './offset-tracker.js';

describe('OffsetTracker', () => {
  it('stands at its start before anything is taken', () => {
    expect(new OffsetTracker(7).position()).toBe(7);
  });

  it('holds the position at the lowest offset that is not done', () => {
    const tracker = new OffsetTracker(0);
    for (const offset of [0, 1, 2, 5]) tracker.took(offset);
    tracker.done(1);
    expect(tracker.position()).toBe(0);
    tracker.done(0);
    expect(tracker.position()).toBe(2);
    tracker.done(2);
    expect(tracker.position()).toBe(5);
    tracker.done(5);
    expect(tracker.position()).toBe(6);
  });

  it('goes past an unreadable tail', () => {
    const tracker = new OffsetTracker(0);
    tracker.took(0);
    tracker.passed(4);
    expect(tracker.position()).toBe(0);
    tracker.done(0);
    expect(tracker.position()).toBe(4);
  });

  it('ignores what was never taken or is done already', () => {
    const tracker = new OffsetTracker(0);
    tracker.took(3);
    tracker.done(2);
    tracker.done(3);
    tracker.done(3);
    tracker.done(9);
    expect([tracker.position(), tracker.size()]).toEqual([4, 0]);
  });

  it('refuses an offset that goes back', () => {
    const tracker = new OffsetTracker(0);
    tracker.took(3);
    expect(() => tracker.took(3)).toThrow(RangeError);
  });

  it('agrees with a plain set, in any order of completion', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, picks) => {
        const tracker = new OffsetTracker(0);
        const open = new Set<number>();
        let next = 0;
        const check = () => {
          expect(tracker.position()).toBe(open.size === 0 ? next : Math.min(...open));
          expect(tracker.size()).toBe(open.size);
        };
        const finishOne = () => {
          const offset = [...open][(picks.next().value as number) % open.size];
          if (offset === undefined) return;
          tracker.done(offset);
          open.delete(offset);
          check();
        };
        for (const step of steps) {
          const offset = next + step - 1;
          tracker.took(offset);
          open.add(offset);
          next = offset + 1;
          check();
          if ((picks.next().value as number) % 3 === 0) finishOne();
        }
        while (open.size > 0) finishOne();
        expect(tracker.position()).toBe(next);
      }),
    );
  });
});
