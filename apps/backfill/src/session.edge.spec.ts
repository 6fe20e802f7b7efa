import { afterEach, describe, expect, it } from 'vitest';
import { topics } from '@libs/contracts';
import { SalesforceQueryError, SalesforceUnavailableError } from '@libs/salesforce';
import { begin, closeAll, cursorsOf, drain, end, FakeOrg, newLog, published, statuses, toId } from '../test/stage.js';
import { MAX_WAITING_IDS } from './room.js';

afterEach(closeAll);

const start = (id: string, data: Record<string, unknown> = { object: 'Lead' }) => ({
  id,
  type: 'backfill.start',
  data,
});

describe('Session', () => {
  it('reads every row once, in pages, and completes when each has its outcome', async () => {
    const [log, org] = [await newLog(), new FakeOrg(4_500)];
    await drain(log, ({ recordId }) =>
      recordId.endsWith('7EAA') ? { kind: 'skipped', reason: 'mapping.no_email' } : { kind: 'written' },
    );
    const { session } = begin(log, org);
    await session.command(start('job'));
    await end(log, 'job').toBe('completed');
    const ids = await published(log);
    expect(ids).toHaveLength(4_500);
    expect(new Set(ids).size).toBe(4_500);
    expect((await statuses(log, 'job')).at(-1)?.data).toMatchObject({
      queried: 4_500,
      enqueued: 4_500,
      written: 4_050,
      skipped: 450,
      dead: 0,
      reasons: { 'mapping.no_email': 450 },
      summary: 'completed, 4050 written, 450 skipped, 0 dead',
    });
    expect(org.queries).toHaveLength(4); // a count and three pages
  });

  it('goes on when Salesforce gives smaller pages than asked for', async () => {
    const [log, org] = [await newLog(), new FakeOrg(1_100, { pageCap: 300 })];
    await drain(log, () => ({ kind: 'written' }));
    await begin(log, org).session.command(start('job'));
    await end(log, 'job').toBe('completed');
    expect(new Set(await published(log)).size).toBe(1_100);
  });

  it('has at most ten thousand ids waiting in the first topic', async () => {
    const [log, org] = [await newLog(), new FakeOrg(14_000)];
    const { session } = begin(log, org);
    await session.command(start('job'));
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    const asked = org.queries.length;
    await drain(log, () => ({ kind: 'written' }));
    await end(log, 'job').toBe('completed');
    expect(asked).toBe(1 + MAX_WAITING_IDS / 2_000 + 2); // the count, what was published, what waits for room, one page ahead
    expect((await published(log)).length).toBe(14_000);
  });

  it('goes on from the last durable page after its end, with another owner', async () => {
    const [log, org] = [await newLog(), new FakeOrg(14_000)];
    const first = begin(log, org);
    await first.session.command(start('job'));
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    first.end();
    await drain(log, () => ({ kind: 'written' }));
    begin(log, org);
    await end(log, 'job').toBe('completed');
    expect(new Set(await published(log)).size).toBe(14_000);
    expect((await statuses(log, 'job')).at(-1)?.data).toMatchObject({
      queried: 14_000,
      enqueued: 14_000,
      written: 14_000,
    });
  });

  it('completes a job of no rows with zero, and does the work of one id once', async () => {
    const [log, org] = [await newLog(), new FakeOrg(0)];
    const { session } = begin(log, org);
    await session.command(start('job', { object: 'Lead', where: "Status = 'none'" }));
    await end(log, 'job').toBe('completed');
    await session.command(start('job'));
    const all = await statuses(log, 'job');
    expect(all.map(({ type, data }) => [type, data['duplicate'] ?? data['summary']])).toEqual([
      ['accepted', undefined],
      ['completed', 'completed, 0 written, 0 skipped, 0 dead'],
      ['accepted', true],
    ]);
  });

  it('refuses with the reason: of ours, of the parser, of the org', async () => {
    const [log, org] = [await newLog(), new FakeOrg(5)];
    const { session } = begin(log, org);
    await session.command(start('unmapped', { object: 'Case' }));
    await session.command(start('unparsed', { object: 'Lead', where: "Name = 'x' LIMIT 1" }));
    org.failNext.push(new SalesforceQueryError("No such column 'Nope__c' on entity 'Lead'", 'INVALID_FIELD'));
    await session.command(start('unknown field', { object: 'Lead', where: 'Nope__c = null' }));
    for (const [id, reason] of [
      ['unmapped', 'Case has no mapping file'],
      ['unparsed', 'data.where: '],
      ['unknown field', "No such column 'Nope__c'"],
    ] as const) {
      const [answer] = await statuses(log, id);
      expect(answer?.type).toBe('rejected');
      expect(answer?.data['reason']).toContain(reason);
    }
    expect(await published(log)).toEqual([]);
  });

  it('waits out a Salesforce that is down, says so, and loses no page', async () => {
    const [log, org] = [await newLog(), new FakeOrg(3_000)];
    await drain(log, () => ({ kind: 'written' }));
    const { session, health } = begin(log, org);
    await session.command(start('job'));
    org.failNext.push(new SalesforceUnavailableError('HTTP 503'), new SalesforceUnavailableError('HTTP 503'));
    await end(log, 'job').toBe('completed');
    expect(new Set(await published(log)).size).toBe(3_000);
    expect(health.ready).toBe(true);
  });

  it('lets the catch-up of a hole go before an ordinary job, deleted rows included, and closes the hole', async () => {
    const [log, org] = [await newLog(), new FakeOrg(14_000)];
    const { session } = begin(log, org);
    await session.command(start('ordinary'));
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    const hole = { reason: 'overflow', fromMs: 1_000_000 };
    await session.command(start('catch-up', { object: 'Account', since: '1970-01-01T00:10:00Z', hole }));
    await drain(log, () => ({ kind: 'written' }));
    await end(log, 'catch-up').toBe('hole-closed');
    await end(log, 'ordinary').toBe('completed');
    const catchUp = org.queries.filter((soql) => soql.includes('FROM Account'));
    expect(catchUp[0]).toBe('SELECT COUNT() FROM Account WHERE SystemModstamp >= 1970-01-01T00:10:00Z');
    expect(catchUp[1]).toBe(
      'SELECT Id,SystemModstamp FROM Account WHERE SystemModstamp >= 1970-01-01T00:10:00Z ORDER BY SystemModstamp,Id LIMIT 2000',
    );
    expect(org.withDeleted).toEqual(catchUp);
    const ends = (await Promise.all(['catch-up', 'ordinary'].map((id) => statuses(log, id)))).map(
      (all) => all.find(({ type }) => type === 'completed')?.time ?? 0,
    );
    expect(ends[0]).toBeLessThanOrEqual(ends[1] ?? 0);
    expect((await statuses(log, 'catch-up')).at(-1)?.data).toEqual({ object: 'Account', ...hole });
  });

  it('reads who shows changed records before ordinary jobs, and labels them so', async () => {
    const [log, org] = [await newLog(), new FakeOrg(14_000)];
    const { session } = begin(log, org);
    await session.command(start('ordinary'));
    await expect.poll(async () => (await published(log)).length, { timeout: 20_000 }).toBe(MAX_WAITING_IDS);
    const ids = ['0015f00002JUX1JAAX', '0015f00002JUZPcAAP'];
    await session.command(start('f', { object: 'Contact', fanOut: { from: 'Account', through: 'AccountId', ids } }));
    await drain(log, ({ source }) => (source === 'fan-out' ? { kind: 'superseded' } : { kind: 'written' }));
    await end(log, 'ordinary').toBe('completed');
    const [accepted, ...rest] = await statuses(log, 'f');
    expect(accepted).toMatchObject({
      type: 'accepted',
      data: { object: 'Contact', fanOut: { from: 'Account', through: 'AccountId', records: 2 }, total: 14_000 },
    });
    expect(JSON.stringify(accepted)).not.toContain(ids[0]);
    expect(rest.at(-1)).toMatchObject({ type: 'completed', data: { superseded: 14_000, written: 0 } });
    const asked = org.queries.filter((soql) => soql.includes('FROM Contact'));
    expect(asked[0]).toBe(`SELECT COUNT() FROM Contact WHERE AccountId IN ('${ids[0]}','${ids[1]}')`);
    expect(asked[2]).toContain(`(AccountId IN ('${ids[0]}','${ids[1]}')) AND (CreatedDate > `);
    const completed = async (id: string) => (await statuses(log, id)).find(({ type }) => type === 'completed')?.time;
    expect(await completed('f')).toBeLessThanOrEqual((await completed('ordinary')) ?? 0);
  });

  it('forgets a job that ended long ago, and does the work of a recent one once', async () => {
    const [log, org] = [await newLog(), new FakeOrg(0)];
    const first = begin(log, org);
    await first.session.command(start('recent'));
    await end(log, 'recent').toBe('completed');
    const [{ value } = { value: null }] = await cursorsOf(log, 'recent');
    const old = { ...JSON.parse(value ?? '{}'), jobId: 'old', state: 'completed', startedAt: 1 };
    await log.append([{ topic: topics.cursors, key: 'old', value: old }]);
    first.end();
    const second = begin(log, org);
    await second.session.command(start('recent'));
    await second.session.command(start('old'));
    const answers = async (id: string) => (await statuses(log, id)).map(({ type, data }) => [type, data['duplicate']]);
    expect((await answers('recent')).at(-1)).toEqual(['accepted', true]);
    expect(await answers('old')).toContainEqual(['accepted', undefined]);
    expect((await cursorsOf(log, 'old')).map(({ value: one }) => one === null)).toContain(true);
  });

  it('takes a list of ids of mixed types', async () => {
    const [log, org] = [await newLog(), new FakeOrg(0)];
    await drain(log, () => ({ kind: 'written' }));
    const ids = [toId(1), '0035f00002EztxDAAR', toId(1)];
    await begin(log, org).session.command(start('job', { ids }));
    await end(log, 'job').toBe('completed');
    expect((await published(log)).toSorted()).toEqual(['0035f00002EztxDAAR', toId(1)]);
    expect(org.queries).toEqual([]);
  });
});
