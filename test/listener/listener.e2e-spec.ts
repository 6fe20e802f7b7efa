import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, readTextFiles } from '@libs/config';
import {
  allTopics,
  backfillStart,
  topics,
  type Command,
  type MappingApplied,
  type RecordChange,
} from '@libs/contracts';
import { createEmbeddedLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { createChangeSource } from '@libs/salesforce';
import { readMappingSet, startService, versionsOf } from '@libs/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cdcListenerSettings } from '../../apps/cdc-listener/src/cdc-listener.config.js';
import { CdcListenerHandler } from '../../apps/cdc-listener/src/cdc-listener.handler.js';
import { cdcListenerService } from '../../apps/cdc-listener/src/cdc-listener.module.js';
import { fixedChannels } from '../../apps/cdc-listener/test/fixed-channels.js';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { clientOf, openSandbox } from '../support/sandbox-in-process.js';
import { waitFor } from '../support/wait.js';

/** The listener against the sandbox over real HTTP, on an embedded log of its own. */
const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const SESSION_TIMEOUT_MS = 1_000;

let sandbox: Sandbox;
let org: ReturnType<typeof clientOf>;
let dataDir: string;
let log: EventLog;
let metrics: Metrics;
const closers: Array<() => Promise<void>> = [];

beforeEach(async () => {
  sandbox = await openSandbox();
  org = clientOf(sandbox);
  dataDir = mkdtempSync(join(tmpdir(), 'listener-'));
  log = openLog();
  metrics = createMetrics();
  await log.applyTopics(allTopics);
});
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
  await log.close();
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
});

function openLog(): EventLog {
  return createEmbeddedLog({ dataDir, partitions: 2, sessionTimeoutMs: SESSION_TIMEOUT_MS });
}

const settings = () =>
  loadSettings('cdc-listener', cdcListenerSettings, { ...org.settings, SALESFORCE_CHANNELS: LEADS, DATA_DIR: dataDir });

/** A listener that does not wait minutes where the real one would. */
async function listen({ own = log, until = 'subscribed' } = {}): Promise<{
  health: Health;
  close: () => Promise<void>;
}> {
  const health = new Health();
  const logger = createLogger('test', 'silent');
  const source = createChangeSource(settings(), { metrics, logger });
  const channels = new Map([[LEADS, ['Lead']]]);
  const timings = { tickMs: 100, allowanceMs: 200, patience: { refusedMs: 500, blindMs: 500 } };
  const following = fixedChannels(channels);
  const parts = { log: own, metrics, health, logger, source, following, pollMs: 200, delayMs: () => 20, timings };
  const handler = new CdcListenerHandler(parts);
  handler.onApplicationBootstrap();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= handler.beforeApplicationShutdown());
  closers.push(close);
  await waitFor(until, () => detailOf(health).includes(until));
  return { health, close };
}

const checkOf = (health: Health, check: string) =>
  health.report().checks.find(({ name }) => name === check)?.detail ?? '';
const detailOf = (health: Health) => checkOf(health, 'subscription');

async function changes(): Promise<RecordChange[]> {
  const found: RecordChange[] = [];
  for await (const records of log.read(topics.changes, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.changes, value);
      if (decoded.ok) found.push(decoded.value);
    }
  }
  return found;
}

async function commands(): Promise<Command[]> {
  const found: Command[] = [];
  for await (const records of log.read(topics.commands, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.commands, value);
      if (decoded.ok) found.push(decoded.value);
    }
  }
  return found;
}

const create = (name: string) =>
  org.createRecord('Lead', { LastName: name, Company: 'C', Email: `${name}@example.com` });

async function arrives(...ids: readonly string[]): Promise<void> {
  await waitFor('the changes', async () => {
    const there = new Set((await changes()).map(({ recordId }) => recordId));
    return ids.every((id) => there.has(id));
  });
}

const reconnects = async () =>
  Object.fromEntries(
    (await metrics.listenerReconnects.get()).values.map(({ labels, value }) => [labels.reason, value]),
  );

describe('the listener on the sandbox', () => {
  it('publishes what was written through REST, as a service with its doors', async () => {
    const health = new Health();
    const logger = createLogger('test', 'silent');
    const service = await startService(cdcListenerService, settings(), { log, metrics, health, logger });
    closers.push(() => service.close());
    await waitFor('the subscription', () => detailOf(health).startsWith('subscribed'));
    const id = await create('first');
    await org.updateRecord('Lead', id, { Company: 'D' });
    await waitFor('two changes', async () => (await changes()).length === 2);
    const [created, updated] = await changes();
    expect(created).toMatchObject({
      recordType: 'Lead',
      recordId: id,
      changeType: 'CREATE',
      source: 'cdc',
      lane: 'realtime',
    });
    expect(updated).toMatchObject({ recordType: 'Lead', recordId: id, changeType: 'UPDATE' });
    expect(Math.abs((created?.commitTimestamp ?? 0) - Date.now())).toBeLessThan(60_000);
    expect((await metrics.listenerChanges.get()).values[0]?.value).toBe(2);
    expect((await metrics.listenerActive.get()).values[0]?.value).toBe(1);
  });

  it('follows an object from the moment that its mapping file comes, without a new start, and lets it go only when the mapper has', async () => {
    const mappings = join(dataDir, 'mappings');
    mkdirSync(mappings);
    const map = (object: string) =>
      writeFileSync(join(mappings, `${object}.yaml`), `object: ${object}\nfields:\n  Email: email\n`);
    const mapperGoesBy = async (...objects: string[]) => {
      const all = versionsOf(readMappingSet(readTextFiles(mappings, ['.yaml']), mappings));
      const versions = Object.fromEntries(objects.map((object) => [object, all[object] ?? 'of before']));
      const data = { versions, changed: objects, cause: 'edit' } satisfies MappingApplied;
      const value = { id: 'mapping', type: 'mapping-applied' as const, data, time: Date.now(), by: 'mapper' };
      await log.append([{ topic: topics.status, key: 'mapping', value }]);
    };
    map('Lead');
    await mapperGoesBy('Lead');
    const own = { ...org.settings, DATA_DIR: dataDir, MAPPINGS_DIR: mappings };
    const health = new Health();
    const logger = createLogger('test', 'silent');
    const service = await startService(cdcListenerService, loadSettings('cdc-listener', cdcListenerSettings, own), {
      log,
      metrics,
      health,
      logger,
    });
    closers.push(() => service.close());
    const subscribedTo = (...channels: string[]) =>
      waitFor(`a subscription to ${channels.join(' and ')}`, () => {
        return detailOf(health).startsWith(`subscribed to ${channels.join(', ')}`) && health.ready;
      });
    await subscribedTo(LEADS);
    const before = await create('before');
    await arrives(before);

    map('Contact');
    await subscribedTo(CONTACTS, LEADS);
    const contact = await org.createRecord('Contact', { LastName: 'New', Email: 'new@example.com' });
    const lead = await create('after');
    await arrives(contact, lead);
    expect((await changes()).filter(({ recordId }) => recordId === before)).toHaveLength(1);
    expect(await commands()).toEqual([]); // no hole: it went on from where it stood

    await mapperGoesBy('Lead', 'Contact');
    rmSync(join(mappings, 'Contact.yaml'));
    await waitFor('the edit', () => !checkOf(health, 'mappings').includes('Contact'));
    const still = await org.createRecord('Contact', { LastName: 'Still', Email: 'still@example.com' });
    await arrives(still);
    await mapperGoesBy('Lead');
    await waitFor('the channel to be given up', () => detailOf(health) === `subscribed to ${LEADS}`);
    await arrives(await create('last'));
  });

  it.each([
    ['cometd-unknown-client', 'unknown-client'],
    ['cometd-402', 'unknown-client'],
    ['session-expired', 'session'],
    ['cometd-401', 'session'],
    ['cometd-busy-as-401', 'busy'],
    ['cometd-daily-limit', 'limit'],
    ['cometd-http-503-html', 'transport'],
    ['cometd-http-401-json', 'session'],
    ['cometd-cut-body', 'transport'],
    ['disconnect', 'transport'],
  ])('survives %s and loses nothing', async (kind, reason) => {
    await listen();
    const before = await create('before');
    await arrives(before);
    // Strikes the next connect, whose answer is to carry the next event
    const options = kind === 'disconnect' ? { when: 'after' } : {};
    sandbox.faults.add({ system: 'salesforce', kind, rate: 1, count: 1, match: '/cometd', options });
    const during = [await create('during1'), await create('during2')];
    await arrives(...during);
    await waitFor('a new client', async () => (await reconnects())[reason] === 1);
    const after = await create('after');
    await arrives(after);
  });

  it.each([
    ['cometd-handshake-denied', 'busy'],
    ['cometd-too-many', 'busy'],
    ['cometd-daily-limit', 'limit'],
    ['oauth-error', 'access'],
    ['http-503-html', 'transport'],
  ])('comes up through %s at its start', async (kind, reason) => {
    sandbox.faults.add({ system: 'salesforce', kind, rate: 1, count: 3, options: {} });
    await listen();
    expect((await reconnects())[reason]).toBe(3);
    await arrives(await create('after'));
  });

  it('takes duplicates as they come', async () => {
    await listen();
    await arrives(await create('before'));
    sandbox.faults.add({ system: 'salesforce', kind: 'cometd-duplicate', rate: 1, count: 1, options: {} });
    const id = await create('after');
    await arrives(id);
    expect(await reconnects()).toEqual({});
  });

  it('resumes behind its last event after a stop', async () => {
    const first = await listen();
    const before = await create('before');
    await arrives(before);
    await first.close();
    const meanwhile = [await create('one'), await create('two')];
    await listen();
    await arrives(...meanwhile);
    const ids = (await changes()).map(({ recordId }) => recordId);
    expect(ids.toSorted()).toEqual([before, ...meanwhile].toSorted());
  });

  it('orders a catch-up from before its last change when it was away for 80 hours, and follows new events', async () => {
    const first = await listen();
    await arrives(await create('before'));
    const [before] = await changes();
    await first.close();
    await create('lost');
    sandbox.clock.advance(80 * 3_600);
    org = clientOf(sandbox);
    await create('retained');
    const { health } = await listen();
    await waitFor('the catch-up', async () => (await commands()).length === 1);
    await arrives(await create('new'));
    const [catchUp] = (await commands()).map(({ data }) => backfillStart.parse(data));
    expect(catchUp).toMatchObject({ object: 'Lead', hole: { reason: 'replay-expired' } });
    // A commit has whole seconds, the start of the listener has not: the later of both counts
    const fromMs = catchUp?.hole?.fromMs ?? 0;
    expect(fromMs - (before?.commitTimestamp ?? 0)).toBeLessThan(1_000);
    expect(Date.parse(catchUp?.since ?? '')).toBe(fromMs - 600_000);
    await waitFor('the hole', () => detailOf(health).includes('catching up changes that may be missing: Lead since'));
    expect((await metrics.listenerHoles.get()).values).toEqual([{ labels: { reason: 'replay-expired' }, value: 1 }]);
    expect(await changes()).toHaveLength(2);
  });

  it('is not ready while its channel is refused, and says why', async () => {
    sandbox.faults.add({ system: 'salesforce', kind: 'cometd-create-denied', rate: 1, options: {} });
    const { health } = await listen({ until: 'denied_by_security_policy' });
    expect(health.ready).toBe(false);
  });

  it('has one listener at a time, and the other takes over', async () => {
    const first = await listen();
    const otherLog = openLog();
    closers.push(() => otherLog.close());
    const second = await listen({ own: otherLog, until: 'standing by' });
    expect(detailOf(first.health)).toContain('subscribed');
    expect(detailOf(second.health)).toContain('standing by');
    await arrives(await create('before'));
    await first.close();
    const meanwhile = await create('meanwhile');
    await waitFor('the takeover', () => detailOf(second.health).startsWith('subscribed'));
    await arrives(meanwhile, await create('after'));
  });
});
