import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics, groupOf, leaseRoles, topics, type RecordChange, type Status, type Topic } from '@libs/contracts';
import { createEmbeddedLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { createChangeSource } from '@libs/salesforce';
import { startService } from '@libs/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { backfillService } from '../../apps/backfill/src/backfill.module.js';
import { cdcListenerSettings } from '../../apps/cdc-listener/src/cdc-listener.config.js';
import { CdcListenerHandler } from '../../apps/cdc-listener/src/cdc-listener.handler.js';
import { cdcListenerService } from '../../apps/cdc-listener/src/cdc-listener.module.js';
import { fixedChannels } from '../../apps/cdc-listener/test/fixed-channels.js';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { bookOutcomes } from '../support/outcome-maker.js';
import { clientOf, openSandbox } from '../support/sandbox-in-process.js';
import { waitFor } from '../support/wait.js';

/**
 * The recovery ladder (facts/salesforce.md §9), rung by rung: listener and backfill against the sandbox over real sockets,
 * on an embedded log. Every rung ends with every changed record in the log and every hole closed.
 */
const LEADS = '/data/LeadChangeEvent';
const LEAD_ONLY = new Map([[LEADS, ['Lead']]]);
const OBJECTS = ['Lead', 'Contact', 'Account'];
/** Where the real ones wait minutes. */
const TIMINGS = {
  tickMs: 50,
  spacingMs: 300,
  allowanceMs: 100,
  patience: { refusedMs: 300, blindMs: 300 },
  silence: { quietMs: 400, lookMs: 300, confirmMs: 300, mostMs: 2_000 },
};

type Transport = 'cometd' | 'pubsub';

let sandbox: Sandbox;
let org: ReturnType<typeof clientOf>;
let dataDir: string;
let log: EventLog;
let metrics: Metrics;
let names = 0;
const closers: Array<() => Promise<unknown>> = [];

beforeEach(async () => {
  sandbox = await openSandbox();
  sandbox.salesforce.setLimits({ deliveredEventsPerDay: null });
  org = clientOf(sandbox);
  dataDir = mkdtempSync(join(tmpdir(), 'recovery-'));
  log = createEmbeddedLog({ dataDir, partitions: 2, sessionTimeoutMs: 1_000 });
  metrics = createMetrics();
  await log.applyTopics(allTopics);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await log.close();
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const logger = createLogger('test', 'silent');
const settingsOf = (transport: Transport) => ({
  ...org.settings,
  DATA_DIR: dataDir,
  SALESFORCE_STREAMING: transport,
  SALESFORCE_PUBSUB_ENDPOINT: sandbox.urls.pubsub,
  SALESFORCE_PUBSUB_INSECURE: 'true',
});

/** Backfill, and what stands for the services behind it. */
async function startRest(): Promise<void> {
  const settings = loadSettings('backfill', backfillService.settings, settingsOf('cometd'));
  const parts = { log, metrics: createMetrics(), health: new Health(), logger };
  const backfill = await startService(backfillService, settings, parts);
  const outcomes = await bookOutcomes(log);
  closers.push(
    () => backfill.close(),
    () => outcomes.close(),
  );
}

async function listen(transport: Transport, channels: ReadonlyMap<string, readonly string[]> = LEAD_ONLY) {
  const health = new Health();
  const settings = loadSettings('cdc-listener', cdcListenerSettings, settingsOf(transport));
  const source = createChangeSource(settings, { metrics, logger, pubsub: { timings: { settleMs: 50, tickMs: 20 } } });
  const following = fixedChannels(channels);
  const parts = { log, metrics, health, logger, source, following, pollMs: 150, timings: TIMINGS };
  const handler = new CdcListenerHandler({ ...parts, delayMs: () => 20 });
  handler.onApplicationBootstrap();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= handler.beforeApplicationShutdown());
  closers.push(close);
  const detail = () => health.report().checks.find(({ name }) => name === 'subscription')?.detail ?? '';
  await waitFor('the listener', () => /subscribed|polling/.test(detail()));
  return { health, close, detail };
}

async function readAll<T>(topic: Topic<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const records of log.read(topic, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topic, value);
      if (decoded.ok) found.push(decoded.value);
    }
  }
  return found;
}

async function arrive(...ids: readonly string[]): Promise<RecordChange[]> {
  return waitFor(`changes of ${ids.length} records`, async () => {
    const changes = await readAll(topics.changes);
    const there = new Set(changes.map(({ recordId }) => recordId));
    return ids.every((id) => there.has(id)) ? changes : null;
  });
}

/** Waits until every hole that was opened is closed; gives what was opened. */
async function holesClosed(atLeast = 1): Promise<Array<Status['data']>> {
  return waitFor('every hole to be closed', async () => {
    const all = await readAll(topics.status);
    const ids = (type: Status['type']) => new Set(all.filter((one) => one.type === type).map(({ id }) => id));
    const [opened, closed] = [ids('hole-opened'), ids('hole-closed')];
    if (opened.size < atLeast || [...opened].some((id) => !closed.has(id))) return null;
    const open = (await metrics.listenerOpenHoles.get()).values[0]?.value;
    if (open !== 0) return null;
    return all.filter(({ type }) => type === 'hole-opened').map(({ data }) => data);
  });
}

/** A lead, a second after anything before: stamps have whole seconds. */
function create(): string {
  sandbox.clock.advance(2);
  names += 1;
  const [id = ''] = sandbox.salesforce.records.create('Lead', [
    { LastName: `L${names}`, Company: 'C', Email: `l${names}@example.com` },
  ]);
  return id;
}

/** Stores a cursor as the last holder of the lease. */
async function leaveCursor(cursor: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const lease = { group: groupOf('cdc-listener'), role: leaseRoles.indexOf('cdc-listener'), topic: topics.leases };
  const holder = await log.holdLease(lease, async (held) => held.saveCursor(cursor).then(resolve, reject), reject);
  await promise;
  await holder.close();
}

describe.each<Transport>(['cometd', 'pubsub'])('over %s, without losing a change, it survives', (transport) => {
  it('80 hours away', async () => {
    await startRest();
    const first = await listen(transport);
    const before = create();
    await arrive(before);
    await first.close();
    const lost = [create(), create()];
    sandbox.salesforce.records.remove('Lead', [before]);
    sandbox.clock.advance(80 * 3_600);
    org = clientOf(sandbox);
    const retained = create();
    await listen(transport);
    const live = create();
    const changes = await arrive(...lost, retained, live);
    expect(await holesClosed()).toMatchObject([{ object: 'Lead', reason: 'replay-expired' }]);
    // What was deleted meanwhile is read too
    expect(changes.filter(({ recordId }) => recordId === before).map(({ source }) => source)).toContain('catch-up');
  });

  it('a corrupt cursor', async () => {
    await startRest();
    const first = await listen(transport);
    await arrive(create());
    await first.close();
    await leaveCursor('{"channels":');
    const meanwhile = create();
    await listen(transport);
    await arrive(meanwhile, create());
    expect(await holesClosed()).toMatchObject([{ object: 'Lead', reason: 'cursor-lost' }]);
  });

  it('a cursor that is gone', async () => {
    await startRest();
    const [earlier, meanwhile] = [create(), create()];
    const commitTimestamp = sandbox.clock.now() - 3_000;
    const kind = { recordType: 'Lead', changeType: 'CREATE', source: 'cdc', lane: 'realtime' } as const;
    await log.append([{ topic: topics.changes, key: earlier, value: { ...kind, recordId: earlier, commitTimestamp } }]);
    await listen(transport);
    await arrive(meanwhile, create());
    expect(await holesClosed()).toMatchObject([{ object: 'Lead', reason: 'cursor-lost' }]);
  });

  it.each([
    ['an overflow', 'event-overflow', {}, 'overflow'],
    ['a wildcard', 'event-gap', { wildcard: true }, 'wildcard'],
  ])('%s', async (_what, kind, options, reason) => {
    await startRest();
    await listen(transport);
    sandbox.faults.add({ system: 'salesforce', kind, rate: 1, count: 1, options });
    const hidden = create();
    const live = create();
    const changes = await arrive(hidden, live);
    expect(await holesClosed()).toMatchObject([{ object: 'Lead', reason }]);
    expect(changes.find(({ recordId }) => recordId === hidden)).toMatchObject({ source: 'catch-up' });
  });

  it('gap events with ids, like any other', async () => {
    await startRest();
    await listen(transport);
    sandbox.faults.add({ system: 'salesforce', kind: 'event-gap', rate: 1, options: {} });
    const id = create();
    sandbox.salesforce.records.update('Lead', [{ Id: id, Company: 'D' }]);
    sandbox.salesforce.records.remove('Lead', [id]);
    sandbox.salesforce.records.undelete('Lead', [id]);
    const types = () => readAll(topics.changes).then((all) => all.map(({ changeType }) => changeType));
    await waitFor('four gaps', async () => (await types()).length === 4);
    expect(await types()).toEqual(['GAP_CREATE', 'GAP_UPDATE', 'GAP_DELETE', 'GAP_UNDELETE']);
    expect(await readAll(topics.commands)).toEqual([]);
  });

  it('an allowance of events that is used up, and returns when it is back', async () => {
    await startRest();
    const { health, detail } = await listen(transport);
    await arrive(create());
    sandbox.salesforce.setLimits({ deliveredEventsPerDay: 1 });
    const polled = [create(), create()];
    await waitFor('polling', () => detail().startsWith('polling every'));
    polled.push(create());
    await arrive(...polled);
    await waitFor('readiness', () => health.ready);
    sandbox.salesforce.setLimits({ deliveredEventsPerDay: null });
    const between = create();
    await waitFor('events', () => detail().startsWith('subscribed'));
    const live = create();
    const changes = await arrive(between, live);
    expect(await holesClosed()).toMatchObject([{ object: 'Lead', reason: 'allowance' }]);
    expect(changes.find(({ recordId }) => recordId === live)).toMatchObject({ source: 'cdc' });
    const mode = (await metrics.listenerMode.get()).values.map(({ labels, value }) => [labels.mode, value]);
    expect(mode).toEqual([
      ['events', 1],
      ['polling', 0],
    ]);
  });

  it('an overflow of a custom object on a custom channel', async () => {
    await startRest();
    const channel = sandbox.salesforce.defineChannel({ name: 'Own__chn', entities: ['Lead', 'Registration__c'] });
    await listen(transport, new Map([[channel, ['Lead', 'Registration__c']]]));
    const register = (n: number) => sandbox.salesforce.records.create('Registration__c', [{ Name: `R${n}` }])[0] ?? '';
    const live = register(1);
    await arrive(live);
    sandbox.faults.add({ system: 'salesforce', kind: 'event-overflow', rate: 1, count: 1, options: {} });
    const hidden = register(2);
    const lead = create();
    const changes = await arrive(hidden, lead);
    expect(await holesClosed()).toMatchObject([{ object: 'Registration__c', reason: 'overflow' }]);
    const of = (id: string) => changes.find(({ recordId }) => recordId === id);
    expect([of(live), of(hidden)]).toMatchObject([
      { recordType: 'Registration__c', source: 'cdc' },
      { recordType: 'Registration__c', source: 'catch-up' },
    ]);
  });

  it('conversion, merge, cascade and undelete: a change of each record', async () => {
    const { salesforce } = sandbox;
    await listen(transport, new Map([['/data/ChangeEvents', OBJECTS]]));
    const [converted, winner, loser] = [create(), create(), create()];
    await arrive(converted, winner, loser);
    const { accountId, contactId } = salesforce.convertLead({ leadId: converted });
    salesforce.merge('Lead', winner, [loser], { Company: 'Merged' });
    const seen = async (changeType: string) =>
      new Set(
        (await readAll(topics.changes)).filter((one) => one.changeType === changeType).map((one) => one.recordId),
      );
    await waitFor('conversion', async () => (await seen('CREATE')).isSupersetOf(new Set([accountId, contactId])));
    await waitFor('updates', async () => (await seen('UPDATE')).isSupersetOf(new Set([converted, winner])));
    await waitFor('the loser', async () => (await seen('DELETE')).has(loser));
    // The winner once more, behind its loser, whose row names it
    await waitFor('the master', async () => {
      const ids = (await readAll(topics.changes)).filter((one) => one.recordId === winner || one.recordId === loser);
      return ids.findLastIndex((one) => one.recordId === winner) > ids.findIndex((one) => one.recordId === loser);
    });
    salesforce.records.remove('Account', [accountId]);
    await waitFor('the cascade', async () => (await seen('DELETE')).isSupersetOf(new Set([accountId, contactId])));
    salesforce.records.undelete('Account', [accountId]);
    await waitFor('the undelete', async () => (await seen('UNDELETE')).has(accountId));
    expect(await readAll(topics.commands)).toEqual([]);
  });
});

describe('a dead subscription', () => {
  it('that delivers nothing turns unready, is replaced, and its changes are caught up', async () => {
    await startRest();
    const { health, detail } = await listen('cometd');
    await arrive(create());
    sandbox.faults.add({ system: 'salesforce', kind: 'cometd-silent', rate: 1, options: {} });
    const lost = [create(), create()];
    await waitFor('unreadiness', () => !health.ready && detail().includes('does not deliver changes that exist'));
    await arrive(...lost);
    sandbox.faults.clear();
    await arrive(create());
    await waitFor('readiness', () => health.ready);
    const holes = await holesClosed();
    expect(new Set(holes.map(({ reason }) => reason))).toEqual(new Set(['silent']));
    expect((await metrics.listenerSilences.get()).values[0]?.value).toBeGreaterThan(0);
  });
});

describe.each<Transport>(['cometd', 'pubsub'])('noise over %s', (transport) => {
  it('is dropped and counted when no mapped field changed', async () => {
    const health = new Health();
    const settings = loadSettings('cdc-listener', cdcListenerSettings, {
      ...settingsOf(transport),
      SALESFORCE_CHANNELS: LEADS,
    });
    const service = await startService(cdcListenerService, settings, { log, metrics, health, logger });
    closers.push(() => service.close());
    await waitFor('the subscription', () => health.ready);
    const id = create();
    await arrive(id);
    // Until the org has described its objects everything passes
    await waitFor('a dropped change', async () => {
      sandbox.salesforce.records.update('Lead', [{ Id: id, Fax: String((names += 1)) }]);
      return ((await metrics.listenerFiltered.get()).values[0]?.value ?? 0) > 0;
    });
    const [{ labels } = { labels: {} }] = (await metrics.listenerFiltered.get()).values;
    expect(labels).toEqual({ object: 'Lead', reason: 'unmapped' });
    const updates = (changes: readonly RecordChange[]) =>
      changes.filter(({ recordId, changeType }) => recordId === id && changeType === 'UPDATE').length;
    // One channel keeps the order: when the next lead is there, so is what came before it
    const before = updates(await arrive(create()));
    for (const changed of [{ FirstName: 'Mapped' }, { Fax: 'not' }, { City: 'Mapped too' }, { Fax: 'nor this' }])
      sandbox.salesforce.records.update('Lead', [{ Id: id, ...changed }]);
    expect(updates(await arrive(create())) - before).toBe(2);
  });
});
