import { topics, type DeadLetter } from '@libs/contracts';
import { LogUnavailableError } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { describe, expect, it, vi } from 'vitest';
import { changeOf, CONTACTS, header, idOf, LEADS, pause, settle, useStage } from '../test/stage.js';
import { decodePosition, encodePosition } from './core/position.js';
import { Listening } from './listening.js';
import { SUBSCRIPTION_CHECK } from './subscription-report.js';

const stage = useStage();

const positionOf = (own: object) =>
  encodePosition({
    transport: 'cometd',
    organizationId: stage.org.organizationId,
    channels: { [LEADS]: { replayId: '100', commitTimestamp: 1_000 } },
    ...own,
  });
describe('publishing', () => {
  it('publishes one change for each record of each event, then stores the position, at most twice a second', async () => {
    stage.listen();
    await settle();
    expect(stage.log.saves).toBe(1);
    stage.org.commit(LEADS, header(1, 2));
    stage.org.commit(LEADS, header(3));
    await settle();
    expect(stage.published).toEqual([idOf(1), idOf(2), idOf(3)]);
    expect(stage.log.changes[0]).toMatchObject({
      source: 'cdc',
      lane: 'realtime',
      recordType: 'Lead',
      changeType: 'UPDATE',
    });
    expect(stage.log.appended[0]?.key).toBe(idOf(1));
    expect(stage.log.saves).toBe(2);
    for (let n = 4; n < 8; n += 1) {
      stage.org.commit(LEADS, header(n));
      await settle();
    }
    const last = stage.org.commit(LEADS, header(9));
    await settle();
    expect(stage.log.saves).toBe(2);
    await settle(500);
    expect(stage.log.saves).toBe(3);
    expect(decodePosition(stage.log.cursor ?? '')?.channels[LEADS]?.replayId).toBe(last.replayId);
    await settle(5_000);
    expect(stage.log.saves).toBe(3);
  });

  it('stores the position when it is stopped, and the next holder goes on from there', async () => {
    const first = stage.listen();
    await settle();
    const event = stage.org.commit(LEADS, header(1));
    await settle();
    await first.stop();
    stage.org.commit(LEADS, header(2));
    stage.listen();
    await settle();
    expect(stage.org.asked).toEqual([
      [LEADS, 'new'],
      [LEADS, { after: event.replayId }],
    ]);
    expect(stage.published).toEqual([idOf(1), idOf(2)]);
  });

  it('moves the position when Salesforce moves on without an event, and only behind the events of before', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    const mark = stage.org.pass(LEADS);
    stage.log.failing = 3;
    await settle(520);
    expect(decodePosition(stage.log.cursor ?? '')?.channels[LEADS]?.replayId).toBeNull();
    await settle(5_000);
    expect(stage.published).toEqual([idOf(1)]);
    expect(stage.log.appended.length).toBe(1);
    expect(decodePosition(stage.log.cursor ?? '')?.channels[LEADS]?.replayId).toBe(mark.replayId);
  });

  it('drops what the filter says, counts each record of it, and moves the position behind it', async () => {
    const verdict = ({ changedFields }: { changedFields: readonly string[] }) =>
      changedFields.includes('Status') ? ('unmapped' as const) : null;
    const filter = { verdict, run: async () => undefined };
    stage.listen([LEADS], { filter });
    await settle();
    stage.org.commit(LEADS, { ...header(1, 2), changedFields: ['Status'] });
    stage.org.commit(LEADS, header(3));
    const last = stage.org.commit(LEADS, { ...header(4), changedFields: ['Status'] });
    await settle(600);
    expect(stage.published).toEqual([idOf(3)]);
    expect((await stage.metrics.listenerFiltered.get()).values).toEqual([
      { labels: { object: 'Lead', reason: 'unmapped' }, value: 3 },
    ]);
    expect(decodePosition(stage.log.cursor ?? '')?.channels[LEADS]?.replayId).toBe(last.replayId);
  });

  it('makes dead letters of what is unreadable, and lets the next events flow', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, undefined);
    stage.org.commit(LEADS, { ...header(1, 2), changeType: 'REPLACE' });
    stage.org.commit(LEADS, header(3));
    await settle();
    expect(stage.published).toEqual([idOf(3)]);
    const letters = stage.log.appended.filter(({ topic }) => topic === topics.deadLetters);
    expect(letters.map(({ key }) => key)).toEqual([`${LEADS}:100`, idOf(1), idOf(2)]);
    for (const { value } of letters) {
      expect(topics.deadLetters.schema.safeParse(value).success).toBe(true);
      expect(value as DeadLetter).toMatchObject({ stage: 'listener', code: 'listener.malformed_event', offsets: [] });
    }
    expect(await stage.counted('listenerMalformed')).toBe(3);
  });

  it('waits while the log is out, says so, and loses nothing', async () => {
    stage.listen();
    await settle();
    stage.log.failing = 6;
    stage.org.commit(LEADS, header(1));
    await settle(12_000);
    expect(stage.check).toMatchObject({ ok: false });
    expect(stage.check?.detail).toContain('the event log has not taken changes for');
    // Invariant 1: not even a second's worth of saving moves the position
    expect(decodePosition(stage.log.cursor ?? '')?.channels[LEADS]?.replayId).toBeNull();
    stage.org.commit(LEADS, header(2));
    await settle(60_000);
    expect(stage.published).toEqual([idOf(1), idOf(2)]);
    expect(stage.check?.detail).not.toContain('has not taken changes');
  });

  it('stops without a word when the lease is lost in the middle', async () => {
    const { done, lose } = stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    await settle();
    const before = stage.log.cursor;
    stage.org.commit(LEADS, header(2));
    await settle();
    lose();
    await settle();
    await done;
    expect(stage.log.cursor).toBe(before);
  });

  it('stops the process for a bug, not before the stream is closed', async () => {
    const { log, lease } = stage.log.holder();
    const { metrics, health, org } = stage;
    const bug = new Error('a schema that does not fit');
    const channels = new Map([[LEADS, ['Lead']]]);
    const logger = createLogger('test', 'silent');
    const parts = { metrics, health, logger, source: org.source, channels, pollMs: 60_000, pause };
    const failing = { ...log, append: () => Promise.reject(bug) };
    const done = new Listening({ ...parts, log: failing }, lease, lease.signal).run();
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
    stage.listen();
    await settle();
    expect(stage.org.asked).toEqual([[LEADS, 'new']]);
    stage.log.crashAt = { on: 'append', when: 'before', skip: 0 };
    stage.org.commit(LEADS, header(1));
    await settle();
    stage.org.commit(LEADS, header(2));
    stage.listen();
    await settle();
    expect(stage.org.asked.at(-1)).toEqual([LEADS, 'all']);
    expect(stage.published).toEqual([idOf(1), idOf(2)]);
  });

  it('asks for all retained events when the stream dies before the first, and leaves out those of before it began', async () => {
    stage.org.commit(LEADS, { ...header(1), commitTimestamp: Date.now() - 3_600_000 });
    stage.listen();
    await settle();
    stage.org.stream.fail('unknown-client');
    stage.org.commit(LEADS, header(2));
    await settle();
    expect(stage.org.asked).toEqual([
      [LEADS, 'new'],
      [LEADS, 'all'],
    ]);
    expect(stage.published).toEqual([idOf(2)]);
  });

  it.each([
    ['garbage', () => 'garbage', 'cursor-lost', () => Date.now() - 7_200_000],
    ['nothing, though it published changes', () => null, 'cursor-lost', () => Date.now() - 7_200_000],
    ['the position of another org', () => positionOf({ organizationId: '00Dother' }), 'org-changed', () => 1_000],
    ['the position of another transport', () => positionOf({ transport: 'pubsub' }), 'transport-changed', () => 1_000],
  ])('goes on with new events and orders a catch-up, with %s', async (_what, cursor, reason, from) => {
    stage.log.cursor = cursor();
    stage.log.append(changeOf(1, Date.now() - 9_000_000), changeOf(2, from()), changeOf(3, Date.now(), 'backfill'));
    const fromMs = from();
    stage.org.commit(LEADS, header(4));
    stage.listen();
    await settle(1_500);
    expect(stage.org.asked).toEqual([[LEADS, 'new']]);
    expect(stage.told('hole-opened')).toMatchObject([{ data: { object: 'Lead', reason, fromMs } }]);
    expect(stage.catchUps).toMatchObject([{ object: 'Lead', hole: { reason, fromMs } }]);
    expect(await stage.counted('listenerHoles')).toBe(1);
    expect(stage.check).toMatchObject({ ok: true });
    expect(stage.check?.detail).toContain(`catching up changes that may be missing: Lead since `);
  });

  it('takes it that nothing was published since the log began, with garbage and no change of ours in the log', async () => {
    stage.log.cursor = 'garbage';
    const week = 7 * 24 * 3_600_000;
    const fromMs = Date.now() - week;
    stage.listen();
    await settle();
    expect(stage.catchUps).toMatchObject([{ hole: { reason: 'cursor-lost', fromMs } }]);
  });

  it('says from when it follows changes only when Salesforce has taken the subscription', async () => {
    const logger = createLogger('test', 'silent');
    const said = vi.spyOn(logger, 'info');
    const follows = () =>
      said.mock.calls.filter(([, text]) => String(text).startsWith('following changes from now on'));
    const { connect } = stage.org.source.client;
    stage.org.source.client.connect = () => Promise.reject(new LogUnavailableError('not yet'));
    stage.listen([LEADS, CONTACTS], { logger });
    await settle(2_000);
    stage.org.refusedChannels.add(CONTACTS);
    stage.org.source.client.connect = connect;
    expect(follows()).toEqual([]);
    await settle(1_000);
    expect(follows().map(([about]) => about)).toEqual([{ channel: LEADS }]);
    stage.org.stream.fail('unknown-client');
    await settle(1_000);
    expect(follows()).toHaveLength(1);
  });

  it('says nothing of a hole at a first start', async () => {
    stage.listen();
    await settle();
    expect(await stage.counted('listenerHoles')).toBe(0);
    expect(stage.check).toEqual({ name: SUBSCRIPTION_CHECK, ok: true, detail: `subscribed to ${LEADS}` });
  });
});

describe('health', () => {
  it('forgives a new client, and tells of one that does not come', async () => {
    stage.listen();
    await settle();
    stage.org.source.client.connect = () => new Promise(() => undefined);
    stage.org.stream.fail('unknown-client');
    await settle(5_000);
    expect(stage.check?.ok).toBe(true);
    await settle(30_000);
    expect(stage.check).toMatchObject({ ok: false, detail: expect.stringContaining('unknown-client') as string });
    expect(await stage.counted('listenerReconnects')).toBe(1);
  });

  it('is not ready while a channel is refused, though the others flow', async () => {
    stage.org.refusedChannels.add(CONTACTS);
    stage.listen([LEADS, CONTACTS]);
    await settle();
    stage.org.commit(LEADS, header(1));
    await settle();
    expect(stage.published).toEqual([idOf(1)]);
    expect(stage.check).toMatchObject({ ok: false, detail: `${CONTACTS} is refused: 403::Restricted channel` });
  });
});
