import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { toRecordId, updateTopics, type Lane, type UserUpdate } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { IterableApi } from '@libs/iterable';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { IdentityStore } from './identity-store.js';
import { FakeIterable, FakeLog, type FakeClaim } from './writer.fakes.js';
import { Writer } from './writer.js';

const SESSION_TIMEOUT_MS = 10_000;
const leadId = (n: number) => toRecordId(`00Q5f00000${String(n).padStart(5, '0')}`) ?? '';

let dataDir: string;
let log: FakeLog;
let iterable: FakeIterable;
let writer: Writer;
let claims: Record<Lane, FakeClaim>;
let health: Health;
const next: Record<Lane, number> = { realtime: 0, backfill: 0 };

function claimOf(lane: Lane): FakeClaim {
  const lost = new AbortController();
  return {
    topic: updateTopics[lane].name,
    partition: 0,
    signal: lost.signal,
    heartbeatMs: 0,
    heartbeatAgeMs(this: FakeClaim) {
      return this.heartbeatMs;
    },
    commit: (offset) => {
      log.commits.push(offset);
      return Promise.resolve();
    },
    lose: () => lost.abort(),
  };
}

/** An update of the n-th Lead, whose email is `<n>@x.io` unless said otherwise. */
function update(n: number, modstampMs = 1, email = `${n}@x.io`): UserUpdate {
  return {
    kind: 'update',
    recordType: 'Lead',
    recordId: leadId(n),
    offsets: [`0:${n}`],
    jobIds: [],
    commitTimestamp: 0,
    version: { modstampMs, fetchedAtMs: 0 },
    email,
    dataFields: { State: modstampMs },
  };
}

function deliver(lane: Lane, ...updates: readonly UserUpdate[]): Promise<void> {
  const topic = updateTopics[lane].name;
  const records = updates.map((value) => ({
    topic,
    partition: 0,
    offset: next[lane]++,
    key: value.recordId,
    headers: {},
    timestampMs: 0,
    value,
  }));
  return writer.take({ topic, partition: 0, records, nextOffset: next[lane], claim: claims[lane] }, lane);
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(async () => {
  vi.useFakeTimers();
  dataDir = mkdtempSync(join(tmpdir(), 'writer-'));
  Object.assign(next, { realtime: 0, backfill: 0 });
  log = new FakeLog();
  iterable = new FakeIterable();
  claims = { realtime: claimOf('realtime'), backfill: claimOf('backfill') };
  health = new Health();
  writer = new Writer(
    {
      log: log as unknown as EventLog,
      client: iterable as unknown as IterableApi,
      store: IdentityStore.open({ dataDir, source: 'test' }),
      metrics: createMetrics(),
      health,
      logger: createLogger('test', 'silent'),
    },
    {
      policy: { projectType: 'email', onDelete: 'ignore', onOptOut: 'unsubscribe', settleMs: 60_000 },
      requestsPerSecond: 5,
      usersPerRequest: 3,
      dryRun: false,
      newFields: 'project',
      seedFieldTypes: true,
      deadLetterStop: { percent: 25, windowMs: 60_000 },
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
    },
  );
  writer.start();
});

afterEach(async () => {
  for (const call of iterable.calls) call.ok();
  writer.stopTaking();
  const finished = writer.finish();
  await vi.runAllTimersAsync();
  await finished;
  vi.useRealTimers();
  rmSync(dataDir, { recursive: true, force: true });
});

const begin = async () => {
  writer.assigned(Object.values(claims));
  await pass(1_500);
};

describe('the writer becomes active', () => {
  it('and sends nothing in the first second, the last of the one before it', async () => {
    writer.assigned(Object.values(claims));
    await deliver('realtime', update(1));
    await pass(1_000);
    expect(iterable.sent).toEqual([]);
    await pass(300);
    expect(iterable.sent).toEqual(['1']);
  });

  it('and sends nothing before it knows what the one before it wrote', async () => {
    let readAll = () => {};
    log.readGate = new Promise((resolve) => (readAll = resolve));
    writer.assigned(Object.values(claims));
    await deliver('realtime', update(1));
    await pass(8_000);
    expect(iterable.sent).toEqual([]);
    readAll();
    await pass(300);
    expect(iterable.sent).toEqual(['1']);
  });
});

describe('the active writer', () => {
  beforeEach(begin);

  it('has one request in flight a user, and lets others pass', async () => {
    await deliver('realtime', update(1, 1));
    await pass(300);
    await deliver('realtime', update(1, 2), update(2));
    await pass(2_000);
    expect(iterable.sent).toEqual(['1', '2']);
    iterable.calls[0]?.ok();
    await pass(300);
    expect(iterable.sent).toEqual(['1', '2', '1']);
    expect(iterable.calls.at(-1)?.states).toEqual([2]);
  });

  it('keeps two records of one profile in requests of their own, one after the other', async () => {
    await deliver('realtime', update(1, 1, 'same@x.io'), update(2, 1, 'Same@X.io'), update(3));
    await pass(2_000);
    expect(iterable.sent).toEqual(['same 3']);
    iterable.calls[0]?.ok();
    await pass(300);
    expect(iterable.sent).toEqual(['same 3', 'same']);
  });

  it('does not send an older state after a newer one is written, nor both of two that wait', async () => {
    await deliver('realtime', update(1, 5));
    await pass(300);
    await deliver('backfill', update(1, 4));
    iterable.calls[0]?.ok();
    await pass(5_000);
    expect(iterable.sent).toEqual(['1']);
    expect(log.outcomes()).toEqual(['written', 'superseded']);
  });

  it('commits only what is booked, in order, and books only after the answer', async () => {
    await deliver('realtime', update(1));
    await pass(300);
    await deliver('realtime', update(2));
    await pass(300);
    expect([iterable.sent, log.outcomes(), log.commits]).toEqual([['1', '2'], [], []]);
    iterable.calls[1]?.ok();
    await pass(1_000);
    expect([log.outcomes(), log.commits]).toEqual([['written'], []]); // the first is still on its way
    iterable.calls[0]?.ok();
    await pass(1_000);
    expect([log.outcomes(), log.commits]).toEqual([['written', 'written'], [2]]);
  });

  it('waits for the log: no commit before its outcome is durable, not ready meanwhile', async () => {
    await deliver('realtime', update(1));
    await pass(300);
    log.failures = 3;
    iterable.calls[0]?.ok();
    await pass(1);
    expect([log.commits, health.ready]).toEqual([[], false]);
    await pass(60_000);
    expect([log.outcomes(), log.commits, health.ready]).toEqual([['written'], [1], true]);
  });

  it('sends nothing while its heartbeat is older than a session', async () => {
    claims.backfill.heartbeatMs = SESSION_TIMEOUT_MS;
    await deliver('realtime', update(1));
    await pass(5_000);
    expect(iterable.sent).toEqual([]);
    claims.backfill.heartbeatMs = 20;
    await pass(200);
    expect(iterable.sent).toEqual(['1']);
  });

  it('drops everything of a lost partition: breaks off, books and commits nothing', async () => {
    await deliver('backfill', update(1), update(2), update(3), update(4));
    await pass(50);
    expect(iterable.sent).toEqual(['1 2 3']);
    claims.realtime.lose();
    claims.backfill.lose();
    iterable.calls[0]?.ok();
    await pass(10_000);
    expect(iterable.calls.map(({ aborted }) => aborted)).toEqual([true]);
    expect([iterable.sent, log.outcomes(), log.commits]).toEqual([['1 2 3'], [], []]);
  });

  it('begins again with the next claims, after a second', async () => {
    await deliver('backfill', update(1), update(2), update(3));
    await pass(250);
    claims.realtime.lose();
    claims.backfill.lose();
    claims = { realtime: claimOf('realtime'), backfill: claimOf('backfill') };
    writer.assigned(Object.values(claims));
    next.backfill = 0;
    await deliver('backfill', update(1), update(2), update(3));
    await pass(1_000);
    expect(iterable.sent).toEqual(['1 2 3']);
    await pass(300);
    expect(iterable.sent).toEqual(['1 2 3', '1 2 3']);
  });

  it('lets a backfill request fill up while more are coming', async () => {
    await deliver('backfill', update(1));
    await pass(60);
    await deliver('backfill', update(2));
    await pass(60);
    expect(iterable.sent).toEqual([]);
    await pass(300);
    expect(iterable.sent).toEqual(['1 2']);
  });

  it('lets real-time users go at once, and a backfill ride along', async () => {
    await deliver('backfill', update(1));
    await deliver('realtime', update(9));
    await pass(1);
    expect(iterable.sent).toEqual(['9 1']);
  });

  it('gets on with a backfill however often real-time users come', async () => {
    const waiting = Array.from({ length: 40 }, (_, n) => update(n));
    await deliver('backfill', ...waiting);
    for (let n = 100; n < 140; n += 1) {
      await deliver('realtime', update(n));
      await pass(100);
      for (const call of iterable.calls) call.ok();
    }
    const sent = iterable.sent.join(' ').split(' ');
    expect(sent.filter((name) => Number(name) < 100).length).toBeGreaterThan(20);
    // Nobody of the backfill is in front of a real-time user
    for (const users of iterable.sent) {
      const names = users.split(' ').map(Number);
      expect(names.toSorted((x, y) => Number(y >= 100) - Number(x >= 100))).toEqual(names);
    }
  });

  it('lets no crowd go after a moment in which the log was slow, and chooses real-time users late', async () => {
    let release = () => {};
    log.appendGate = new Promise((resolve) => (release = resolve));
    await deliver('backfill', ...Array.from({ length: 90 }, (_, n) => update(n)));
    await pass(3_000);
    expect(iterable.calls).toHaveLength(0);
    await deliver('realtime', update(500));
    release();
    await pass(250);
    expect(iterable.sent[1]).toContain('500');
    expect(iterable.calls.length).toBeLessThanOrEqual(3);
    await pass(1_000);
    expect(iterable.calls.length).toBeLessThanOrEqual(8);
  });

  it('leaves room for real-time users when every backfill request hangs', async () => {
    await deliver('backfill', ...Array.from({ length: 90 }, (_, n) => update(n)));
    await pass(20_000);
    expect(iterable.calls).toHaveLength(16);
    await deliver('realtime', update(500));
    await pass(300);
    expect(iterable.sent.at(-1)).toBe('500');
  });

  it('converts values that Iterable refuses for their type, and sends the request again as a whole', async () => {
    await deliver('backfill', update(1), update(2), update(3));
    await pass(1);
    iterable.calls[0]?.answer(400, {
      code: 'RequestFieldsTypesMismatched',
      params: { validationErrors: { State: { expectedType: 'string' } } },
    });
    await pass(500);
    expect(iterable.sent).toEqual(['1 2 3', '1 2 3']);
    expect(iterable.calls[1]?.states).toEqual(['1', '1', '1']);
    iterable.calls[1]?.ok();
    await pass(1);
    expect(log.outcomes()).toEqual(['written', 'written', 'written']);
  });

  it('stops a lane in which too much would die, kills nobody of it until told to, and lets the other lane go on', async () => {
    const answerAll = () => {
      for (const [index, { emails }] of iterable.calls.entries()) {
        const bad = emails.filter((email) => Number(email) < 500).map((email) => `${email}@x.io`);
        iterable.calls[index]?.answer(200, {
          successCount: emails.length - bad.length,
          failCount: bad.length,
          failedUpdates: { invalidEmails: bad },
        });
      }
    };
    await deliver('backfill', ...Array.from({ length: 300 }, (_, n) => update(n)), update(501));
    for (let second = 0; second < 120; second += 1) {
      await pass(1_000);
      answerAll();
    }
    expect(health.report().checks.find(({ name }) => name === 'dead-letters')).toMatchObject({ ok: false });
    expect(log.outcomes().filter((kind) => kind === 'dead')).toHaveLength(99);
    const sent = iterable.calls.length;
    await deliver('realtime', update(500));
    await pass(1_000);
    answerAll();
    await pass(1_000);
    expect(iterable.sent.slice(sent)).toEqual(['500']);

    log.command({ id: 'c1', type: 'dead-letters.continue', data: { minutes: 10 } });
    for (let second = 0; second < 120; second += 1) {
      await pass(1_000);
      answerAll();
    }
    expect(log.outcomes().filter((kind) => kind === 'dead')).toHaveLength(300);
    expect(log.outcomes().filter((kind) => kind === 'written')).toHaveLength(2);
    expect(log.commits.at(-1)).toBe(301);
  });

  it('holds up no newer state of a record with what it holds of it in a lane that is stopped', async () => {
    await deliver('backfill', ...Array.from({ length: 150 }, (_, n) => update(n)));
    for (let second = 0; second < 30; second += 1) {
      await pass(1_000);
      for (const { emails, answer } of iterable.calls) {
        const invalidEmails = emails.map((email) => `${email}@x.io`);
        answer(200, { successCount: 0, failCount: emails.length, failedUpdates: { invalidEmails } });
      }
    }
    expect(log.outcomes().filter((kind) => kind === 'dead')).toHaveLength(99);
    const sent = iterable.sent.length;
    // Its request was refused when 99 were dead: it is held
    await deliver('realtime', update(99, 2));
    await pass(1_000);
    expect(iterable.sent.slice(sent)).toEqual(['99']);
    iterable.calls.at(-1)?.ok();
    await pass(1_000);
    expect(log.outcomes().slice(99)).toEqual(['superseded', 'written']);
  });

  it('lets nobody ride along who makes the request too large', async () => {
    const large = (n: number, bytes: number): UserUpdate => ({
      ...update(n),
      dataFields: { Text: 'x'.repeat(bytes) },
    });
    await deliver('backfill', large(1, 3_000_000));
    await deliver('realtime', large(9, 2_000_000));
    await pass(1);
    expect(iterable.sent).toEqual(['9']);
    await pass(1_500);
    expect(iterable.sent).toEqual(['9', '1']);
  });

  it('stops at once where a request is ready and may not leave', async () => {
    await deliver('backfill', update(1), update(2), update(3));
    await pass(1);
    let release = () => {};
    log.appendGate = new Promise((resolve) => (release = resolve));
    await deliver('realtime', update(9));
    await pass(250); // chosen, and written down slowly
    iterable.calls[0]?.answer(429, { code: 'RateLimitExceeded', params: { rateLimitReset: 60 } });
    await pass(1);
    release();
    await pass(1);
    writer.stopTaking();
    let stopped = false;
    const finished = writer.finish().then(() => (stopped = true));
    await pass(100);
    expect([stopped, iterable.sent]).toEqual([true, ['1 2 3']]);
    await finished;
  });

  it('stops: what is on its way is finished and committed, what waits is left', async () => {
    await deliver('backfill', ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => update(n)));
    await pass(1);
    expect(iterable.sent).toEqual(['1 2 3', '4 5 6']);
    writer.stopTaking();
    const finished = writer.finish();
    await pass(500);
    for (const call of iterable.calls) call.ok();
    await finished;
    expect([iterable.sent, log.outcomes(), log.commits]).toEqual([
      ['1 2 3', '4 5 6'],
      ['written', 'written', 'written', 'written', 'written', 'written'],
      [6],
    ]);
  });
});
