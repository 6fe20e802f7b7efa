import { describe, expect, it } from 'vitest';
import type { Lane } from '@libs/contracts';
import type { Entry } from './entry.js';
import type { Holding } from './holding.js';
import { WaitingUsers } from './waiting-users.js';

const holding = (lost = false) => ({ lost }) as unknown as Holding;

function entry(recordId: string, modstampMs: number, lane: Lane, more: Partial<Entry> = {}): Entry {
  const version = { modstampMs, fetchedAtMs: 0 };
  return {
    message: { recordId, version },
    version,
    lane,
    bytes: 100,
    takenAtMs: modstampMs,
    holding: holding(),
    ...more,
  } as Entry;
}

const inLine = (waiting: WaitingUsers, lane: Lane) =>
  [...waiting.inLine(lane)].map(({ message, version }) => `${message.recordId}${version.modstampMs}`);

describe('WaitingUsers', () => {
  it('holds one update a record, which keeps its place in line when a newer one takes its turn', () => {
    const waiting = new WaitingUsers({ users: 10, bytes: 10_000 });
    const first = entry('a', 1, 'backfill');
    expect(waiting.add(first)).toBeNull();
    waiting.add(entry('b', 1, 'backfill'));
    expect(waiting.add(entry('a', 2, 'backfill', { bytes: 150 }))).toBe(first);
    const late = entry('a', 1, 'backfill');
    expect(waiting.add(late)).toBe(late);
    expect(inLine(waiting, 'backfill')).toEqual(['a2', 'b1']);
    expect(waiting.load('backfill')).toMatchObject({ users: 2, bytes: 250 });
  });

  it('moves a record to the urgent lane, with the newest of its states', () => {
    const waiting = new WaitingUsers({ users: 10, bytes: 10_000 });
    const slow = entry('a', 5, 'backfill');
    waiting.add(slow);
    const old = entry('a', 4, 'realtime');
    expect(waiting.add(old)).toBe(old);
    expect([inLine(waiting, 'realtime'), inLine(waiting, 'backfill')]).toEqual([['a5'], []]);
    expect(waiting.add(entry('a', 6, 'backfill'))).toBe(slow);
    expect([inLine(waiting, 'realtime'), inLine(waiting, 'backfill')]).toEqual([['a6'], []]);
    expect([waiting.load('realtime').bytes, waiting.load('backfill').bytes]).toEqual([100, 0]);
    expect(waiting.of('a')?.version.modstampMs).toBe(6);
  });

  it('tells how full a lane is, by users and by bytes', () => {
    const byUsers = new WaitingUsers({ users: 1, bytes: 10_000 });
    byUsers.add(entry('a', 1, 'backfill'));
    expect([byUsers.hasRoom('backfill'), byUsers.hasRoom('realtime')]).toEqual([false, true]);
    const byBytes = new WaitingUsers({ users: 10, bytes: 100 });
    byBytes.add(entry('a', 1, 'realtime'));
    expect([byBytes.hasRoom('backfill'), byBytes.hasRoom('realtime')]).toEqual([true, false]);
  });

  it('lets those who wait for room on when somebody leaves, the partition is lost, or all is given up', async () => {
    const waiting = new WaitingUsers({ users: 1, bytes: 10_000 });
    const only = entry('a', 1, 'backfill');
    const never = new AbortController();
    waiting.add(only);
    let state = 'waits';
    const room = waiting.room('backfill', never.signal).then(() => (state = 'goes on'));
    await new Promise(setImmediate);
    expect(state).toBe('waits');
    waiting.remove(only);
    await room;

    waiting.add(entry('a', 2, 'backfill'));
    const lost = new AbortController();
    const abandoned = waiting.room('backfill', lost.signal);
    lost.abort();
    await abandoned;

    const given = waiting.room('backfill', never.signal);
    waiting.giveUpRoom();
    await given;
    expect(waiting.hasRoom('backfill')).toBe(true);
  });

  it('drops what is of lost partitions', () => {
    const waiting = new WaitingUsers({ users: 10, bytes: 10_000 });
    waiting.add(entry('a', 1, 'backfill'));
    waiting.add(entry('b', 1, 'realtime', { holding: holding(true) }));
    waiting.dropLost();
    expect([inLine(waiting, 'backfill'), inLine(waiting, 'realtime'), waiting.load('realtime').bytes]).toEqual([
      ['a1'],
      [],
      0,
    ]);
  });
});
