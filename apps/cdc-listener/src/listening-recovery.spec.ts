import { topics, type Command } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { header, idOf, LEADS, NO_IDS, settle, statusOf, useStage } from '../test/stage.js';
import { decodePosition } from './core/position.js';

const stage = useStage();

describe('holes', () => {
  it.each([
    ['overflow', { changeType: 'GAP_OVERFLOW', recordIds: NO_IDS }],
    ['wildcard', { changeType: 'GAP_UPDATE', recordIds: ['00Q*'] }],
  ])('orders a catch-up since before an %s, and goes on', async (reason, own) => {
    stage.listen();
    await settle();
    const fromMs = Date.now();
    stage.org.commit(LEADS, { ...header(1), ...own });
    stage.org.commit(LEADS, header(2));
    await settle(1_500);
    expect(stage.published).toEqual([idOf(2)]);
    expect(stage.catchUps).toEqual([
      {
        object: 'Lead',
        since: new Date(fromMs - 600_000).toISOString(),
        hole: { reason, fromMs, toMs: expect.any(Number) as number },
      },
    ]);
    expect(await stage.counted('listenerHoles')).toBe(1);
    const [opened] = stage.told('hole-opened');
    expect(opened?.id).toBe(stage.log.valuesOf<Command>(topics.commands)[0]?.id);
    expect(await stage.counted('listenerOpenHoles')).toBe(1);
    stage.log.append(statusOf({ ...opened!, type: 'hole-closed', by: 'backfill' }));
    await settle(1_500);
    expect(await stage.counted('listenerOpenHoles')).toBe(0);
    expect(stage.check?.detail).toBe(`subscribed to ${LEADS}`);
  });

  it('orders a catch-up of all of a channel when an event cannot be read', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    const fromMs = Date.now();
    await settle(2_000);
    stage.org.commit(LEADS, undefined);
    await settle(1_500);
    expect(stage.catchUps).toMatchObject([{ object: 'Lead', hole: { reason: 'unreadable', fromMs } }]);
  });

  it('orders nothing for an overflow of an object that nobody reads', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, { ...header(1), entityName: 'Opportunity', changeType: 'GAP_OVERFLOW' });
    await settle(1_500);
    expect(stage.catchUps).toEqual([]);
  });

  it('gathers many overflows to few catch-ups', async () => {
    stage.listen();
    await settle();
    for (let n = 0; n < 120; n += 1) {
      stage.org.commit(LEADS, { ...header(1), changeType: 'GAP_OVERFLOW', recordIds: NO_IDS });
      await settle(1_000);
    }
    await settle(200_000);
    const ordered = stage.catchUps;
    expect(ordered.length).toBeLessThanOrEqual(3);
    const last = ordered.at(-1);
    expect(last?.hole?.toMs).toBeGreaterThan((ordered[0]?.hole?.toMs ?? 0) + 100_000);
  });

  it('tells of an expired position once, follows new events, and remembers it over a restart', async () => {
    const first = stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    const durable = Date.now();
    await settle(600);
    await first.stop();
    stage.org.commit(LEADS, header(2));
    stage.org.commit(LEADS, header(3));
    stage.org.retainedFrom = 2;
    const second = stage.listen();
    await settle(1_500);
    stage.org.commit(LEADS, header(4));
    await settle();
    expect(stage.org.asked.slice(1)).toEqual([
      [LEADS, { after: '100' }],
      [LEADS, 'new'],
    ]);
    expect(stage.published).toEqual([idOf(1), idOf(4)]);
    expect(stage.catchUps).toMatchObject([{ object: 'Lead', hole: { reason: 'replay-expired', fromMs: durable } }]);
    await second.stop();
    stage.listen();
    await settle(1_500);
    expect(stage.catchUps).toHaveLength(1);
    expect(stage.published).toEqual([idOf(1), idOf(4)]);
  });

  it('says of a catch-up that was refused that it needs a person', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, { ...header(1), changeType: 'GAP_OVERFLOW' });
    await settle(1_500);
    const [opened] = stage.told('hole-opened');
    stage.log.append(statusOf({ ...opened!, type: 'rejected', data: { reason: 'hidden' } }));
    await settle(1_500);
    expect(stage.check?.detail).toContain('(overflow), given up: hidden');
  });
});

describe('a silent stream', () => {
  it('is not ready within two minutes, makes a new client, and orders a catch-up since what was delivered', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    const delivered = Date.now();
    await settle(1_000);
    stage.org.silentChannels.add(LEADS);
    stage.org.write('Lead', idOf(2), Date.now());
    stage.org.commit(LEADS, header(2));
    let waited = 0;
    while (stage.check?.ok !== false && waited < 200_000) {
      await settle(1_000);
      waited += 1_000;
    }
    expect(waited).toBeLessThanOrEqual(120_000);
    stage.org.silentChannels.clear();
    await settle(5_000);
    expect(stage.org.asked.at(-1)).toEqual([LEADS, 'new']);
    expect(await stage.counted('listenerSilences')).toBe(1);
    expect(stage.catchUps).toMatchObject([{ object: 'Lead', hole: { reason: 'silent', fromMs: delivered } }]);
    stage.org.commit(LEADS, header(3));
    await settle(1_500);
    expect(stage.check).toMatchObject({ ok: true });
    expect(stage.published).toEqual([idOf(1), idOf(3)]);
  });

  it('is left alone while the org is quiet, at a query a minute', async () => {
    stage.org.write('Lead', idOf(1), Date.now());
    stage.listen();
    await settle(600_000);
    expect(stage.check).toMatchObject({ ok: true });
    expect(await stage.counted('listenerReconnects')).toBe(0);
    expect(stage.org.queries.length).toBeLessThanOrEqual(10);
    expect(stage.org.queries.length).toBeGreaterThan(5);
  });

  it('is not asked about while events flow', async () => {
    stage.listen();
    for (let n = 0; n < 20; n += 1) {
      stage.org.commit(LEADS, header(n));
      await settle(30_000);
    }
    expect(stage.org.queries).toEqual([]);
  });
});

describe('the allowance of events', () => {
  const patience = { refusedMs: 300_000, blindMs: 900_000 };

  it('polls when it is used up, and returns to events without losing a change', async () => {
    stage.listen();
    await settle();
    stage.org.commit(LEADS, header(1));
    await settle(1_000);
    const began = Date.now();
    stage.org.allowance = 0;
    stage.org.stream.fail('limit');
    stage.org.commit(LEADS, header(2));
    stage.org.write('Lead', idOf(2), Date.now());
    await settle(2_000);
    expect(stage.check).toMatchObject({ ok: true, detail: expect.stringContaining('polling every 60 s') as string });
    expect(stage.catchUps).toMatchObject([{ object: 'Lead', hole: { reason: 'allowance' } }]);
    expect(stage.catchUps[0]?.hole?.fromMs).toBeLessThan(began);
    stage.org.write('Lead', idOf(3), Date.now());
    await settle(61_000);
    expect(stage.published.filter((id) => id === idOf(3))).toHaveLength(1);
    expect(stage.log.changes.at(-1)).toMatchObject({ source: 'catch-up', lane: 'realtime' });
    expect(stage.org.streams).toHaveLength(1);

    stage.org.allowance = 50;
    stage.org.write('Lead', idOf(4), Date.now());
    await settle(400_000);
    expect(stage.org.streams).toHaveLength(2);
    expect(stage.org.asked.at(-1)).toEqual([LEADS, 'new']);
    expect(stage.check?.detail).toContain(`subscribed to ${LEADS}`);
    stage.org.commit(LEADS, header(5));
    await settle(2_000);
    expect(new Set(stage.published)).toEqual(new Set([1, 2, 3, 4, 5].map(idOf)));
    const queries = stage.org.queries.length;
    await settle(50_000);
    expect(stage.org.queries).toHaveLength(queries);
    expect(decodePosition(stage.log.cursor ?? '')?.polled).toBeUndefined();
  });

  it('begins to poll before it is used up', async () => {
    stage.listen();
    await settle();
    stage.org.allowance = 4;
    await settle(130_000);
    expect(stage.check?.detail).toContain('polling every 60 s');
    expect(stage.org.stream.closed).toBe(true);
  });

  it('goes on polling after a crash, from where it was', async () => {
    const first = stage.listen([LEADS], { timings: { patience } });
    await settle();
    stage.org.allowance = 0;
    stage.org.stream.fail('limit');
    await settle(5_000);
    await first.stop();
    stage.org.write('Lead', idOf(7), Date.now());
    stage.listen();
    await settle(1_000);
    expect(stage.org.streams).toHaveLength(1);
    expect(stage.published).toEqual([idOf(7)]);
    expect(stage.catchUps).toHaveLength(1);
  });

  it('tries events again after a while when the org does not tell what is left', async () => {
    stage.org.allowance = null;
    stage.listen();
    await settle();
    stage.org.stream.fail('limit');
    await settle(800_000);
    expect(stage.org.streams).toHaveLength(1);
    await settle(200_000);
    expect(stage.org.streams).toHaveLength(2);
    expect(stage.check?.detail).toContain('subscribed to');
  });
});
