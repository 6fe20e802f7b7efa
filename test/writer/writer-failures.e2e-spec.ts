import { afterEach, describe, expect, it } from 'vitest';
import { topics } from '@libs/contracts';
import type { Outgoing } from '@libs/event-log';
import { waitFor } from '../support/wait.js';
import { leadId, mostInWindow, Stage, type RunningWriter } from './stage.js';

let stage: Stage;

afterEach(() => stage.close());

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const allCommitted = (deadlineMs = 90_000) =>
  waitFor('every update to be committed', async () => (await stage.uncommitted()) === 0, deadlineMs);

async function gauge(
  writer: RunningWriter,
  name: 'writerPaused' | 'writerPace' | 'writerActive',
): Promise<number | undefined> {
  return (await writer.metrics[name].get()).values[0]?.value;
}

/** Nothing lost, nothing buried, every offset booked, each profile as sent. */
async function expectAllWritten(updates: Awaited<ReturnType<Stage['send']>>): Promise<void> {
  const outcomes = await stage.outcomes();
  expect(new Set(outcomes.filter(({ kind }) => kind === 'written').flatMap(({ offsets }) => offsets)).size).toBe(
    updates.length,
  );
  expect(await stage.deadLetters()).toEqual([]);
  for (const update of updates) expect(stage.profile(update)).toMatchObject(update.dataFields);
}

describe('the writer, when the world fails', () => {
  it.each([
    ['429 with a hint', 'rate-limit-storm', { options: { hints: true, resetSeconds: 1 }, count: 3 }],
    ['429 without a hint', 'rate-limit-storm', { options: { hints: false }, count: 3 }],
    ['500', 'http-500', { count: 3 }],
    ['502 as HTML', 'http-502-html', { count: 3 }],
    ['a broken connection', 'disconnect', { count: 3 }],
    ['a connection broken after the write', 'reset-after-apply', { count: 3 }],
  ])('repeats after %s', async (_, kind, fault) => {
    stage = await new Stage().open();
    stage.fault(kind, fault);
    const updates = await stage.send(
      'backfill',
      times(1_500, () => ({})),
    );
    await stage.startWriter();
    await allCommitted();
    await expectAllWritten(updates);
    expect(stage.requests()).toHaveLength(5);
  });

  it('waits as long as a 429 says, and slows down, for everyone', async () => {
    stage = await new Stage().open();
    stage.fault('rate-limit-storm', { options: { hints: true, resetSeconds: 2 }, count: 1 });
    await stage.send(
      'backfill',
      times(3_000, () => ({})),
    );
    const writer = await stage.startWriter();
    await waitFor('the second request', () => stage.requests().length >= 2);
    const [limited, next] = stage.requests();
    expect((next?.at ?? 0) - (limited?.at ?? 0)).toBeGreaterThanOrEqual(2_000);
    expect(await gauge(writer, 'writerPace')).toBeLessThan(4.2);
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 3_000 });
  });

  it('gets all through a storm of everything', async () => {
    stage = await new Stage().open();
    stage.fault('rate-limit-storm', { rate: 0.3, options: { hints: true, resetSeconds: 0 } });
    stage.fault('http-500', { rate: 0.1 });
    stage.fault('reset-after-apply', { rate: 0.1 });
    stage.fault('missing-lists', { rate: 0.5 });
    const updates = await stage.send(
      'backfill',
      times(6_000, () => ({})),
    );
    await stage.startWriter();
    await allCommitted(120_000);
    await expectAllWritten(updates);
  });

  it('pauses in an outage, says so, probes, and goes on by itself', async () => {
    stage = await new Stage().open();
    stage.fault('http-503-html');
    const updates = await stage.send(
      'backfill',
      times(12_000, () => ({})),
    );
    const writer = await stage.startWriter();
    await waitFor('the pause', async () => (await gauge(writer, 'writerPaused')) === 1);
    expect(writer.health.ready).toBe(false);
    expect(writer.health.report().checks.find(({ name }) => name === 'iterable')?.detail).toMatch(
      /no usable answer \(iterable\.unavailable\)\. Paused since .*probing/,
    );
    const before = stage.requests().length;
    const probes = await waitFor('three probes', () => {
      const later = stage.requests().slice(before);
      return later.length >= 3 ? later : null;
    });
    // At least 0.5, 1 and 2 s apart, where the rate limit alone would have let 17 requests through.
    expect((probes[2]?.at ?? 0) - (probes[0]?.at ?? 0)).toBeGreaterThanOrEqual(2_900);
    stage.faults.clear();
    await allCommitted();
    await expectAllWritten(updates);
    expect([writer.health.ready, await gauge(writer, 'writerPaused')]).toEqual([true, 0]);
  });

  it('pauses when the key is refused, buries nobody, and goes on when it is not', async () => {
    stage = await new Stage().open();
    stage.fault('bad-key');
    const updates = await stage.send(
      'realtime',
      times(20, () => ({})),
    );
    const writer = await stage.startWriter();
    await waitFor('the pause', async () => (await gauge(writer, 'writerPaused')) === 1);
    expect(stage.requests()).toHaveLength(1);
    expect(writer.health.report().checks.find(({ name }) => name === 'iterable')?.detail).toContain(
      'refuses the API key',
    );
    stage.faults.clear();
    await allCommitted();
    await expectAllWritten(updates);
    expect(writer.health.ready).toBe(true);
  });

  it('holds a bounded number of users while it is paused, and reads no further', async () => {
    stage = await new Stage().open();
    stage.fault('bad-key');
    await stage.send(
      'backfill',
      times(25_000, () => ({})),
    );
    const writer = await stage.startWriter();
    const waiting = async () =>
      (await writer.metrics.writerWaiting.get()).values.find(({ labels }) => labels.lane === 'backfill')?.value ?? 0;
    const looks: number[] = [];
    await waitFor('a full lane, looked at twenty times', async () => {
      const users = await waiting();
      if (users >= 9_000) looks.push(users);
      return looks.length >= 20;
    });
    expect(Math.max(...looks)).toBeLessThanOrEqual(10_000);
    stage.faults.clear();
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 25_000 });
  });

  it('writes a newer state instead of one that could not be written', async () => {
    stage = await new Stage().open();
    stage.fault('bad-key');
    const state = (modstampMs: number) => ({
      recordId: leadId(1),
      email: 'ada@example.com',
      version: { modstampMs, fetchedAtMs: 0 },
      dataFields: { State: modstampMs },
    });
    await stage.send('realtime', [state(1)]);
    const writer = await stage.startWriter();
    await waitFor('the pause', async () => (await gauge(writer, 'writerPaused')) === 1);
    await stage.send('realtime', [state(2)]);
    await waitFor('the newer one to be read', async () =>
      (await writer.metrics.writerWaiting.get()).values.some(({ value }) => value === 1),
    );
    stage.faults.clear();
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 1, 'superseded writer.newer_update': 1 });
    expect(stage.profile({ email: 'ada@example.com' })).toMatchObject({ State: 2 });
  });
});

describe('two writers', () => {
  it('take turns: the standby goes on where the active one stopped, inside the limit of both together', async () => {
    stage = await new Stage().open();
    const updates = await stage.send(
      'backfill',
      times(60_000, () => ({})),
    );
    const first = await stage.startWriter();
    await waitFor('the first to be active', async () => (await gauge(first, 'writerActive')) === 1);
    const second = await stage.startWriter({}, await stage.openLog());
    await waitFor('the first half', () => stage.requests().length >= 25);
    expect(await gauge(second, 'writerActive')).toBe(0);
    await first.close();
    await allCommitted();
    expect(await gauge(second, 'writerActive')).toBe(1);
    await expectAllWritten(updates);
    const requests = stage.requests();
    for (const seconds of [10, 12]) expect(mostInWindow(requests, seconds)).toBeLessThanOrEqual(5 * seconds + 1);
    expect(requests.every(({ status }) => status === 200)).toBe(true);
    // A clean stop commits what was written: nothing is sent twice.
    expect(requests.reduce((sum, { users }) => sum + users, 0)).toBe(60_000);
  });

  it('stop cleanly with a slow request on its way: it is finished and committed', async () => {
    stage = await new Stage().open();
    stage.fault('latency', { options: { delayMs: 1_500 } });
    await stage.send(
      'realtime',
      times(10, () => ({})),
    );
    const writer = await stage.startWriter();
    await waitFor('the request', () => stage.requests().length === 1);
    await writer.close();
    expect([await stage.uncommitted(), await stage.tally()]).toEqual([0, { written: 10 }]);
  });

  it('repeat what was answered but not booked when the first dies in between', async () => {
    stage = await new Stage().open();
    const updates = await stage.send(
      'backfill',
      times(2_000, (n) => ({ dataFields: { State: n } })),
    );
    const dying = await stage.openLog();
    // Death between answer and booking: Iterable has the users, and nothing of it reaches the log, neither outcome nor commit.
    const deaf = new Proxy(dying, {
      get: (log, name) => {
        if (name !== 'append') return Reflect.get(log, name).bind(log);
        const isBooking = ({ topic }: Outgoing) => topic.name === topics.outcomes.name;
        return (messages: readonly Outgoing[]) =>
          messages.some(isBooking) ? new Promise(() => {}) : log.append(messages);
      },
    });
    await stage.startWriter({}, deaf);
    await waitFor('both answers', () => stage.sandbox.stats().written === 2_000);
    expect([await stage.tally(), await stage.uncommitted()]).toEqual([{}, 2_000]);
    await dying.close();
    stage.writers.length = 0; // dead: nobody closes it
    await stage.startWriter({}, await stage.openLog());
    await allCommitted();
    await expectAllWritten(updates);
    expect([await stage.tally(), stage.sandbox.stats().written]).toEqual([{ written: 2_000 }, 4_000]);
  });
});
