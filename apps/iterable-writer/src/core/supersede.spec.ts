import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOlder, type Lane } from '@libs/contracts';
import { supersede, type Superseded, type Waiting } from './supersede.js';

const update = (modstampMs: number, fetchedAtMs: number, lane: Lane) => ({
  version: { modstampMs, fetchedAtMs },
  lane,
});

describe('supersede', () => {
  it.each<[string, Waiting | undefined, Waiting, 'waiting' | 'newcomer', Lane]>([
    ['a first update waits', undefined, update(1, 1, 'backfill'), 'newcomer', 'backfill'],
    ['a newer one takes its place', update(1, 1, 'backfill'), update(2, 1, 'backfill'), 'newcomer', 'backfill'],
    ['an older one does not', update(2, 1, 'backfill'), update(1, 9, 'backfill'), 'waiting', 'backfill'],
    ['the fetch decides within a second', update(2, 5, 'realtime'), update(2, 4, 'realtime'), 'waiting', 'realtime'],
    ['a redelivery takes its place', update(2, 5, 'realtime'), update(2, 5, 'realtime'), 'newcomer', 'realtime'],
    [
      'a backfilled newer state is as urgent as the one it replaces',
      update(1, 1, 'realtime'),
      update(2, 1, 'backfill'),
      'newcomer',
      'realtime',
    ],
    [
      'an older change makes a waiting backfilled state urgent',
      update(2, 1, 'backfill'),
      update(1, 1, 'realtime'),
      'waiting',
      'realtime',
    ],
  ])('%s', (_, waiting, newcomer, kept, lane) => {
    const result = supersede(waiting, waiting?.lane ?? newcomer.lane, newcomer);
    expect(result.keep).toBe(kept === 'waiting' ? waiting : newcomer);
    expect(result.drop).toBe(waiting === undefined ? null : kept === 'waiting' ? newcomer : waiting);
    expect(result.lane).toBe(lane);
  });

  it('keeps the newest of any sequence, and drops each of the others once', () => {
    const anUpdate = fc.record({
      version: fc.record({ modstampMs: fc.nat(3), fetchedAtMs: fc.nat(3) }),
      lane: fc.constantFrom<Lane>('realtime', 'backfill'),
    });
    fc.assert(
      fc.property(fc.array(anUpdate, { minLength: 1, maxLength: 20 }), (updates) => {
        let waiting: Waiting | undefined;
        let lane: Lane = 'backfill';
        const dropped: Waiting[] = [];
        for (const newcomer of updates) {
          const result: Superseded<Waiting> = supersede<Waiting>(waiting, lane, newcomer);
          ({ keep: waiting, lane } = result);
          if (result.drop !== null) dropped.push(result.drop);
        }
        expect(updates.some((one) => isOlder(waiting?.version ?? one.version, one.version))).toBe(false);
        expect(new Set([...dropped, waiting]).size).toBe(updates.length);
        expect(lane === 'realtime').toBe(updates.some((one) => one.lane === 'realtime'));
      }),
    );
  });
});
