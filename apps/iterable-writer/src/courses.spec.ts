import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Lane } from '@libs/contracts';
import type { OptOutVerdict, ProfileCall, ProfileVerdict } from '@libs/iterable';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { ALL, claim, policy, removal, update, viewOf, type Rows } from './core/decide.cases.js';
import { decide, type MessageRef } from './core/decide.js';
import type { Policy } from './core/decision.js';
import { CallTrouble } from './call-trouble.js';
import { Courses, type CoursesParts } from './courses.js';
import type { Entry } from './entry.js';
import type { EndedEntry } from './ledger.js';
import { RecentCalls } from './recent-calls.js';

const SETTLE_MS = 60_000;

let health: Health;
let ended: EndedEntry[];
let courses: Courses;
/** Calls that left, in order, as `kind of`; and what each is answered. */
let left: string[];
let answer: (call: ProfileCall) => ProfileVerdict | Promise<ProfileVerdict>;
let optOut: (users: number) => OptOutVerdict;
let cutOff = false;
let isStopped = false;
let changed: () => void;
let lockable: boolean;
let looks: number;

beforeEach(() => {
  vi.useFakeTimers();
  health = new Health();
  ended = [];
  left = [];
  cutOff = false;
  isStopped = false;
  changed = () => {};
  lockable = true;
  looks = 0;
  answer = () => ({ kind: 'done' });
  optOut = () => ({ kind: 'done' });
  const parts = {
    recent: new RecentCalls(SETTLE_MS),
    view: viewOf({}),
    calls: {
      run: (call: ProfileCall) => {
        left.push(nameOf(call));
        return Promise.resolve(answer(call));
      },
    },
    look: () => {
      looks += 1;
      return Promise.resolve({ kind: 'found', profile: lockable ? null : { userId: 'C2', email: 'a' } });
    },
    subscriptions: {
      unsubscribe: (profiles: readonly unknown[]) => {
        left.push(`unsubscribe ${profiles.length}`);
        return Promise.resolve(profiles.map(() => optOut(profiles.length)));
      },
    },
    trouble: new CallTrouble({ health, logger: createLogger('test', 'silent') }),
    metrics: createMetrics(),
  };
  courses = new Courses(parts as unknown as CoursesParts, SETTLE_MS, {
    ended: (one) => ended.push(one),
    heldBack: () => isStopped,
    lock: () => lockable,
    lost: () => {},
    intend: () => Promise.resolve(),
    cutOff: () => cutOff,
    track: () => {},
    changed: () => changed(),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function nameOf(call: ProfileCall): string {
  if (call.kind === 'update-email') return `update-email ${call.to}`;
  if (call.kind === 'merge') return 'merge';
  return `${call.kind} ${'email' in call.profile ? call.profile.email : call.profile.userId}`;
}

function begin(lane: Lane, about: MessageRef, rows: Rows, more: Partial<Policy> = {}): Entry {
  const fields = '{"From":"salesforce"}';
  const entry = {
    message: about,
    lane,
    fields,
    holding: { lost: false },
    attempts: 0,
    takenAtMs: 0,
  } as unknown as Entry;
  courses.add(entry, decide(about, viewOf(rows), policy('email', more)));
  return entry;
}

const forget = (n: number, lane: Lane = 'backfill') =>
  begin(lane, removal(`C${n}`), { [`C${n}`]: { email: `m${n}`, ...claim(`m${n}`) } }, { onDelete: 'forget' });
const move = (n: number, lane: Lane = 'backfill') =>
  begin(lane, update(`C${n}`, `new${n}`), { [`C${n}`]: { email: `m${n}`, ...claim(`m${n}`) } });

/** Lets what is due leave, and time pass. */
async function pass(ms = 0): Promise<void> {
  courses.launch(() => true);
  await vi.advanceTimersByTimeAsync(ms);
  courses.wake(Date.now());
  courses.launch(() => true);
  await vi.advanceTimersByTimeAsync(0);
}

describe('courses', () => {
  it('let a real-time user pass those of a backfill, and one kind of call pass another', async () => {
    answer = () => new Promise<ProfileVerdict>(() => {});
    for (let n = 0; n < 50; n += 1) forget(n);
    await pass();
    expect(left).toHaveLength(6); // two places of eight are kept
    move(99, 'realtime');
    forget(98, 'realtime');
    await pass();
    expect(left.slice(6)).toEqual(['forget m98', 'update-email new99']);
  });

  it('wait between calls to different endpoints, and keep nothing that is written', async () => {
    const entry = move(1);
    await pass();
    expect(left).toEqual(['update-email new1']);
    expect(courses.hasBulk('backfill')).toBe(false);
    await pass(SETTLE_MS);
    const [sending] = courses.takeBulk('backfill', 10);
    expect(sending?.json).toContain('"email":"new1"');
    if (sending === undefined) throw new Error('nothing is due');
    courses.stepEnded({ ...sending, course: sending.course!, ending: { kind: 'written', requestId: 'r' } });
    expect(ended.map(({ ending }) => ending)).toEqual([{ kind: 'written', requestId: 'r' }]);
    expect([entry.fields, courses.busy]).toEqual(['', false]);
  });

  it('merge into a profile that is there already', async () => {
    answer = (call) => ({ kind: call.kind === 'update-email' ? 'exists' : 'done' });
    move(1);
    await pass();
    await pass();
    expect(left).toEqual(['update-email new1', 'merge']);
  });

  it.each([
    ['refused', { kind: 'refused', code: 'iterable.access_refused' }],
    ['out', { kind: 'retry', code: 'iterable.unavailable' }],
  ] as const)(
    'try a call that is %s less and less often, say so, and end when it gets through',
    async (_how, verdict) => {
      answer = () => verdict;
      move(1);
      for (let minute = 0; minute < 10; minute += 1) await pass(60_000);
      expect(left.length).toBeLessThan(20);
      expect(health.ready).toBe(false);
      answer = () => ({ kind: 'done' });
      await pass(300_000);
      expect(health.ready).toBe(true);
    },
  );

  it('send an opt-out of many in one call, and what it says is about each of them', async () => {
    optOut = () => ({ kind: 'retry', code: 'iterable.unavailable' });
    for (let n = 0; n < 100; n += 1) {
      begin('backfill', update(`C${n}`, `m${n}`, { optOut: ALL }), {
        [`C${n}`]: { email: `m${n}`, ...claim(`m${n}`) },
      });
    }
    await pass();
    expect(left).toEqual(['unsubscribe 100']);
    expect(health.ready).toBe(true); // one failure is none yet
    optOut = () => ({ kind: 'done' });
    await pass(30_000);
    await pass(30_000);
    expect(left.filter((call) => call.startsWith('unsubscribe')).length).toBeGreaterThan(1);
  });

  it('go on by themselves: the next leaves as soon as an answer has made a place', async () => {
    changed = () => courses.launch(() => true);
    const optOutOf = (n: number) =>
      begin('backfill', update(`C${n}`, `m${n}`, { optOut: ALL }), {
        [`C${n}`]: { email: `m${n}`, ...claim(`m${n}`) },
      });
    optOutOf(1);
    courses.launch(() => true);
    optOutOf(2); // the lane's only place is taken
    await vi.advanceTimersByTimeAsync(0);
    expect(left).toEqual(['unsubscribe 1', 'unsubscribe 1']);
  });

  it('let go of an address when the profile that has theirs waits as well, and go on when it has moved', async () => {
    lockable = false;
    const about = update('C1', 'a', { userId: 'C1' });
    const entry = {
      message: about,
      lane: 'realtime',
      fields: '{"From":"salesforce"}',
      holding: { lost: false },
      attempts: 0,
      takenAtMs: 0,
    } as unknown as Entry;
    const decision = decide(about, viewOf({}), policy('hybrid'));
    const ending = { kind: 'dead', code: 'iterable.identity_conflict', message: '' } as const;
    expect(courses.resolve({ entry, decision, course: null, ending })).toBe(true);
    await pass(SETTLE_MS);
    for (let second = 0; second < 4; second += 1) await pass(1_000);
    const [letGo] = courses.takeBulk('realtime', 10);
    expect(letGo?.json).toContain('"dataFields":{"email":null}');
    lockable = true;
    courses.stepEnded({ ...letGo!, course: letGo!.course!, ending: { kind: 'written', requestId: 'r' } });
    const before = looks;
    await pass(SETTLE_MS);
    await pass(SETTLE_MS);
    expect(looks).toBe(before + 1);
    expect(courses.takeBulk('realtime', 10)[0]?.json).toContain('"email":"a","From":"salesforce"');
  });

  it('write down who is to be forgotten when the day is over, and only that', async () => {
    answer = () => ({ kind: 'daily-limit', retryAfterMs: 10_000_000 });
    begin(
      'realtime',
      removal('C1'),
      { L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      { onDelete: 'forget' },
    );
    await pass();
    expect(ended.map(({ ending, decision }) => [ending, decision?.rows.map(({ recordId }) => recordId)])).toEqual([
      [{ kind: 'skipped', reason: 'writer.forget_deferred' }, ['C1']],
    ]);
    expect(ended[0]?.decision?.rows[0]?.identity.forgotten).toBe('due');
  });

  it('send nothing while the partitions may be another’s', async () => {
    cutOff = true;
    move(1);
    await pass(1_000);
    expect(left).toEqual([]);
    cutOff = false;
    await pass(1_000);
    expect(left).toEqual(['update-email new1']);
  });

  it('wait where too many would be dead, and are tried again when their lane goes on', async () => {
    isStopped = true;
    answer = () => ({ kind: 'dead', code: 'iterable.invalid_email' });
    move(1);
    courses.launch(() => true);
    await vi.advanceTimersByTimeAsync(0);
    courses.launch((lane) => lane === 'realtime');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([left, ended, courses.busy]).toEqual([['update-email new1'], [], true]);
    isStopped = false;
    await pass();
    expect(left).toHaveLength(2);
    expect(ended.map(({ ending }) => ending.kind)).toEqual(['dead']);
    expect(courses.busy).toBe(false);
  });

  it('are full by users and by bytes, each lane for itself', () => {
    const entry = move(1, 'realtime');
    expect([courses.full('realtime'), courses.full('backfill')]).toEqual([false, false]);
    for (let n = 2; n <= 10_000; n += 1)
      courses.add({ ...entry }, decide(update('C1', 'x'), viewOf({}), policy('email')));
    expect([courses.full('realtime'), courses.full('backfill')]).toEqual([true, false]);
    courses.add(
      { ...entry, lane: 'backfill', fields: 'x'.repeat(48_000_000) },
      decide(update('C1', 'x'), viewOf({}), policy('email')),
    );
    expect(courses.full('backfill')).toBe(true);
  });
});
