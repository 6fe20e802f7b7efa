import { toRecordId, topics, type DeadLetter } from '@libs/contracts';
import { LogUnavailableError } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ModelLog, ModelOrg } from '../test/model.js';
import { decodePosition, encodePosition } from './core/position.js';
import { Listening, SUBSCRIPTION_CHECK } from './listening.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const idOf = (n: number) => toRecordId(`00Q5f0${String(n).padStart(9, '0')}`) ?? '';
const header = (...numbers: number[]) => ({
  entityName: 'Lead',
  recordIds: numbers.map(idOf),
  changeType: 'UPDATE',
  commitTimestamp: Date.now(),
});

let org: ModelOrg;
let log: ModelLog;
let health: Health;
let metrics: Metrics;
let stops: Array<() => Promise<void>>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(1_764_060_065_000);
  org = new ModelOrg();
  log = new ModelLog();
  health = new Health();
  metrics = createMetrics();
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) await stop();
  vi.useRealTimers();
});

/** Starts a holder on what the last one stored. */
function listen(channels: readonly string[] = [LEADS], logger = createLogger('test', 'silent')) {
  const { log: appends, lease, lose } = log.holder();
  const stopping = new AbortController();
  const signal = AbortSignal.any([lease.signal, stopping.signal]);
  const parts = { log: appends, metrics, health, logger, source: org.source, channels, delayMs: () => 10, pause };
  const done = new Listening(parts, lease, signal).run();
  done.catch(() => undefined);
  const stop = async () => {
    stopping.abort();
    await settle();
    await done;
  };
  stops.push(() => Promise.race([stop().catch(() => undefined), settle()]));
  return { done, stop, lose };
}

/** On the faked timers. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  setTimeout(resolve, ms);
  await promise;
}

/** Lets everything that is due happen. */
async function settle(ms = 20): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

const published = () => log.changes.map(({ recordId }) => recordId);
const check = () => health.report().checks.find(({ name }) => name === SUBSCRIPTION_CHECK);
const counted = async (name: 'listenerHoles' | 'listenerMalformed' | 'listenerReconnects') =>
  (await metrics[name].get()).values.reduce((sum, { value }) => sum + value, 0);

describe('publishing', () => {
  it('publishes one change for each record of each event, then stores the position, at most twice a second', async () => {
    listen();
    await settle();
    expect(log.saves).toBe(1);
    org.commit(LEADS, header(1, 2));
    org.commit(LEADS, header(3));
    await settle();
    expect(published()).toEqual([idOf(1), idOf(2), idOf(3)]);
    expect(log.changes[0]).toMatchObject({ source: 'cdc', lane: 'realtime', recordType: 'Lead', changeType: 'UPDATE' });
    expect(log.appended[0]?.key).toBe(idOf(1));
    expect(log.saves).toBe(2);
    for (let n = 4; n < 8; n += 1) {
      org.commit(LEADS, header(n));
      await settle();
    }
    const last = org.commit(LEADS, header(9));
    await settle();
    expect(log.saves).toBe(2);
    await settle(500);
    expect(log.saves).toBe(3);
    expect(decodePosition(log.cursor ?? '')?.channels[LEADS]?.replayId).toBe(last.replayId);
    await settle(5_000);
    expect(log.saves).toBe(3);
  });

  it('stores the position when it is stopped, and the next holder goes on from there', async () => {
    const first = listen();
    await settle();
    const event = org.commit(LEADS, header(1));
    await settle();
    await first.stop();
    org.commit(LEADS, header(2));
    listen();
    await settle();
    expect(org.asked).toEqual([
      [LEADS, 'new'],
      [LEADS, { after: event.replayId }],
    ]);
    expect(published()).toEqual([idOf(1), idOf(2)]);
  });

  it('moves the position when Salesforce moves on without an event, and only behind the events of before', async () => {
    listen();
    await settle();
    org.commit(LEADS, header(1));
    const mark = org.pass(LEADS);
    log.failing = 3;
    await settle(520);
    expect(decodePosition(log.cursor ?? '')?.channels[LEADS]?.replayId).toBeNull();
    await settle(5_000);
    expect(published()).toEqual([idOf(1)]);
    expect(log.appended.length).toBe(1);
    expect(decodePosition(log.cursor ?? '')?.channels[LEADS]?.replayId).toBe(mark.replayId);
  });

  it('makes dead letters of what is unreadable, and lets the next events flow', async () => {
    listen();
    await settle();
    org.commit(LEADS, undefined);
    org.commit(LEADS, { ...header(1, 2), changeType: 'REPLACE' });
    org.commit(LEADS, header(3));
    await settle();
    expect(published()).toEqual([idOf(3)]);
    const letters = log.appended.filter(({ topic }) => topic === topics.deadLetters);
    expect(letters.map(({ key }) => key)).toEqual([`${LEADS}:100`, idOf(1), idOf(2)]);
    for (const { value } of letters) {
      expect(topics.deadLetters.schema.safeParse(value).success).toBe(true);
      expect(value as DeadLetter).toMatchObject({ stage: 'listener', code: 'listener.malformed_event', offsets: [] });
    }
    expect(await counted('listenerMalformed')).toBe(3);
  });

  it('waits while the log is out, says so, and loses nothing', async () => {
    listen();
    await settle();
    log.failing = 6;
    org.commit(LEADS, header(1));
    await settle(12_000);
    expect(check()).toMatchObject({ ok: false });
    expect(check()?.detail).toContain('the event log has not taken changes for');
    // Invariant 1: not even a second's worth of saving moves the position
    expect(decodePosition(log.cursor ?? '')?.channels[LEADS]?.replayId).toBeNull();
    org.commit(LEADS, header(2));
    await settle(60_000);
    expect(published()).toEqual([idOf(1), idOf(2)]);
    expect(check()?.detail).not.toContain('has not taken changes');
  });

  it('stops without a word when the lease is lost in the middle', async () => {
    const { done, lose } = listen();
    await settle();
    org.commit(LEADS, header(1));
    await settle();
    const before = log.cursor;
    org.commit(LEADS, header(2));
    await settle();
    expect(published()).toEqual([idOf(1), idOf(2)]);
    lose();
    await settle(5_000);
    await done;
    expect(log.cursor).toBe(before);
  });

  it('stops the process for a bug, not before the stream is closed', async () => {
    const { log: appends, lease } = log.holder();
    const bug = new Error('a schema that does not fit');
    const parts = { metrics, health, logger: createLogger('test', 'silent'), source: org.source, channels: [LEADS] };
    const done = new Listening(
      { ...parts, log: { ...appends, append: () => Promise.reject(bug) } },
      lease,
      lease.signal,
    ).run();
    const outcome = done.catch((error: unknown) => error);
    await settle();
    org.commit(LEADS, header(1));
    await settle();
    expect(await outcome).toBe(bug);
    expect(await org.stream.next(1)).toBeNull();
  });
});

describe('beginning', () => {
  it('stores where it begins before it subscribes, and repeats from there if it dies before the first event', async () => {
    listen();
    await settle();
    expect(org.asked).toEqual([[LEADS, 'new']]);
    log.crashAt = { on: 'append', when: 'before', skip: 0 };
    org.commit(LEADS, header(1));
    await settle();
    org.commit(LEADS, header(2));
    listen();
    await settle();
    expect(org.asked.at(-1)).toEqual([LEADS, 'all']);
    expect(published()).toEqual([idOf(1), idOf(2)]);
  });

  it('asks for all retained events when the stream dies before the first, and leaves out those of before it began', async () => {
    org.commit(LEADS, { ...header(1), commitTimestamp: Date.now() - 3_600_000 });
    listen();
    await settle();
    org.stream.fail('unknown-client');
    org.commit(LEADS, header(2));
    await settle();
    expect(org.asked).toEqual([
      [LEADS, 'new'],
      [LEADS, 'all'],
    ]);
    expect(published()).toEqual([idOf(2)]);
  });

  it.each([
    ['garbage', () => 'garbage', 'unreadable'],
    [
      'the position of another org',
      () =>
        encodePosition({
          transport: 'cometd',
          organizationId: '00Dother',
          channels: { [LEADS]: { replayId: '100', commitTimestamp: 1 } },
        }),
      'other org|another org',
    ],
  ])('begins anew, loudly, with %s', async (_what, cursor, words) => {
    log.cursor = cursor();
    org.commit(LEADS, header(1));
    listen();
    await settle();
    expect(org.asked).toEqual([[LEADS, 'new']]);
    expect(await counted('listenerHoles')).toBe(1);
    expect(check()).toMatchObject({ ok: true });
    expect(check()?.detail).toMatch(new RegExp(`changes may be missing, run a backfill: .*(${words})`));
  });

  it('says from when it follows changes only when Salesforce has taken the subscription', async () => {
    const logger = createLogger('test', 'silent');
    const said = vi.spyOn(logger, 'info');
    const follows = () =>
      said.mock.calls.filter(([, text]) => String(text).startsWith('following changes from now on'));
    const { connect } = org.source.client;
    org.source.client.connect = () => Promise.reject(new LogUnavailableError('not yet'));
    listen([LEADS, CONTACTS], logger);
    await settle(2_000);
    org.refusedChannels.add(CONTACTS);
    org.source.client.connect = connect;
    expect(follows()).toEqual([]);
    await settle(1_000);
    expect(follows().map(([about]) => about)).toEqual([{ channel: LEADS }]);
    org.stream.fail('unknown-client');
    await settle(1_000);
    expect(follows()).toHaveLength(1);
  });

  it('says nothing of a hole at a first start', async () => {
    listen();
    await settle();
    expect(await counted('listenerHoles')).toBe(0);
    expect(check()).toEqual({ name: SUBSCRIPTION_CHECK, ok: true, detail: `subscribed to ${LEADS}` });
  });
});

describe('holes', () => {
  it.each([
    ['an overflow', { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }],
    ['a wildcard', { changeType: 'GAP_UPDATE', recordIds: ['00Q*'] }],
  ])('tells of %s, and goes on', async (_what, own) => {
    listen();
    await settle();
    org.commit(LEADS, { ...header(1), ...own });
    org.commit(LEADS, header(2));
    await settle();
    expect(published()).toEqual([idOf(2)]);
    expect(await counted('listenerHoles')).toBe(1);
    expect(check()?.detail).toContain('run a backfill: Lead: changes without record ids');
  });

  it('tells of an expired position once, replays what is retained, and remembers it over a restart', async () => {
    const first = listen();
    await settle();
    org.commit(LEADS, header(1));
    await settle(600);
    await first.stop();
    org.commit(LEADS, header(2));
    org.commit(LEADS, header(3));
    org.retainedFrom = 2;
    const second = listen();
    await settle();
    expect(published()).toEqual([idOf(1), idOf(3)]);
    expect(await counted('listenerHoles')).toBe(1);
    expect(check()?.detail).toContain('position too old');
    await second.stop();
    listen();
    await settle();
    expect(await counted('listenerHoles')).toBe(1);
    expect(published()).toEqual([idOf(1), idOf(3)]);
  });
});

describe('health', () => {
  it('forgives a new client, and tells of one that does not come', async () => {
    listen();
    await settle();
    org.source.client.connect = () => new Promise(() => undefined);
    org.stream.fail('unknown-client');
    await settle(5_000);
    expect(check()?.ok).toBe(true);
    await settle(30_000);
    expect(check()).toMatchObject({ ok: false, detail: expect.stringContaining('unknown-client') as string });
    expect(await counted('listenerReconnects')).toBe(1);
  });

  it('is not ready while a channel is refused, though the others flow', async () => {
    org.refusedChannels.add(CONTACTS);
    listen([LEADS, CONTACTS]);
    await settle();
    org.commit(LEADS, header(1));
    await settle();
    expect(published()).toEqual([idOf(1)]);
    expect(check()).toMatchObject({ ok: false, detail: `${CONTACTS} is refused: 403::Restricted channel` });
  });
});

describe('invariant 1', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('commit' as const),
        channel: fc.constantFrom(LEADS, CONTACTS),
        records: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 20, 600) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('disconnect' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('logOut' as const), times: fc.integer({ min: 1, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('crash' as const),
        on: fc.constantFrom('append' as const, 'save' as const),
        when: fc.constantFrom('before' as const, 'after' as const),
        skip: fc.integer({ min: 0, max: 2 }),
      }),
    },
  );

  it('loses no record of any event committed after the start, whatever dies when', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        org = new ModelOrg();
        log = new ModelLog();
        let current = listen([LEADS, CONTACTS]);
        let crashed = false;
        log.onCrash = () => {
          crashed = true;
        };
        await settle();
        const expected = new Set<string>();
        for (const [index, one] of steps.entries()) {
          if (one.do === 'commit') {
            const numbers = Array.from({ length: one.records }, (_, record) => index * 10 + record);
            for (const n of numbers) expected.add(idOf(n));
            org.commit(one.channel, header(...numbers));
          } else if (one.do === 'wait') await settle(one.ms);
          else if (one.do === 'disconnect') org.stream.fail('unknown-client');
          else if (one.do === 'logOut') log.failing = one.times;
          else if (one.do === 'crash') log.crashAt = { on: one.on, when: one.when, skip: one.skip };
          else if (!crashed) {
            log.crashAt = null;
            await current.stop();
            current = listen([LEADS, CONTACTS]);
          }
          if (crashed) {
            crashed = false;
            current = listen([LEADS, CONTACTS]);
          }
        }
        log.crashAt = null;
        await settle(60_000);
        if (crashed) listen([LEADS, CONTACTS]);
        await settle(60_000);
        expect([...expected].filter((id) => !published().includes(id))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
