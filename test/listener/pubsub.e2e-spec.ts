import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { loadSettings } from '@libs/config';
import { allTopics, backfillStart, topics, type BackfillStart, type RecordChange } from '@libs/contracts';
import { createEmbeddedLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { createChangeSource, type ChannelEvent, type StreamObserver } from '@libs/salesforce';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cdcListenerSettings } from '../../apps/cdc-listener/src/cdc-listener.config.js';
import { CdcListenerHandler } from '../../apps/cdc-listener/src/cdc-listener.handler.js';
import { fixedChannels } from '../../apps/cdc-listener/test/fixed-channels.js';
import { selfSigned } from '../../apps/sandbox/src/salesforce/testing/certificate.js';
import { createSandbox, type Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { sandboxSettings } from '../../apps/sandbox/src/sandbox.config.js';
import { connectSandbox } from '../support/sandbox.js';
import { waitFor } from '../support/wait.js';

// Read by grpc-js when it is loaded: it would take the place of the certificates that Node trusts
vi.hoisted(() => delete process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH']);

/** The listener over the Pub/Sub API of the sandbox, on an embedded log of its own. */
const LEADS = '/data/LeadChangeEvent';

let sandbox: Sandbox;
let org: ReturnType<typeof connectSandbox>;
let dataDir: string;
let log: EventLog;
let metrics: Metrics;
const closers: Array<() => Promise<void>> = [];

beforeEach(async () => {
  await openSandbox();
  dataDir = mkdtempSync(join(tmpdir(), 'pubsub-'));
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

async function openSandbox(own: Readonly<Record<string, string>> = {}): Promise<void> {
  const doors = ['SALESFORCE', 'PUBSUB', 'ITERABLE', 'ADMIN'].map((door) => [`SANDBOX_${door}_PORT`, '0']);
  sandbox = await createSandbox(loadSettings('sandbox', sandboxSettings, { ...Object.fromEntries(doors), ...own }));
  org = connect();
}

function connect(): ReturnType<typeof connectSandbox> {
  const { salesforce: salesforceUrl, iterable: iterableUrl, admin: adminUrl } = sandbox.urls;
  return connectSandbox({ salesforceUrl, iterableUrl, adminUrl });
}

function source(streaming: 'pubsub' | 'cometd' = 'pubsub', own: Readonly<Record<string, string>> = {}) {
  const settings = loadSettings('cdc-listener', cdcListenerSettings, {
    ...org.settings,
    DATA_DIR: dataDir,
    SALESFORCE_STREAMING: streaming,
    SALESFORCE_PUBSUB_ENDPOINT: sandbox.urls.pubsub,
    SALESFORCE_PUBSUB_INSECURE: 'true',
    ...own,
  });
  const timings = { settleMs: 50, tickMs: 20, silenceMs: 1_500 };
  const schemaRetries = { delaysMs: [10, 20], forgetMs: 60_000 };
  return createChangeSource(settings, {
    metrics,
    logger: createLogger('test', 'silent'),
    pubsub: { timings, schemaRetries },
  });
}

const detailOf = (health: Health) => health.report().checks.find(({ name }) => name === 'subscription')?.detail ?? '';

/** A listener that does not wait minutes where the real one would. */
async function listen(own = source(), channels: readonly string[] = [LEADS], until = 'subscribed to') {
  const health = new Health();
  const logger = createLogger('test', 'silent');
  const objectsOf = new Map(channels.map((channel) => [channel, [channel === LEADS ? 'Lead' : channel]]));
  const timings = { tickMs: 100, allowanceMs: 200, patience: { refusedMs: 500, blindMs: 500 } };
  const following = fixedChannels(objectsOf);
  const parts = { log, metrics, health, logger, source: own, following, pollMs: 200, timings };
  const handler = new CdcListenerHandler({ ...parts, delayMs: () => 20 });
  handler.onApplicationBootstrap();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= handler.beforeApplicationShutdown());
  closers.push(close);
  await waitFor(until, () => detailOf(health).includes(until));
  return { health, close };
}

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

async function catchUps(): Promise<BackfillStart[]> {
  const found: BackfillStart[] = [];
  for await (const records of log.read(topics.commands, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.commands, value);
      if (decoded.ok) found.push(backfillStart.parse(decoded.value.data));
    }
  }
  return found;
}

const create = (name: string) =>
  org.createRecord('Lead', { LastName: name, Company: 'C', Email: `${name}@example.com` });

async function arrive(...ids: readonly string[]): Promise<void> {
  await waitFor('the changes', async () => {
    const there = new Set((await changes()).map(({ recordId }) => recordId));
    return ids.every((id) => there.has(id));
  });
}

const reconnects = async () =>
  Object.fromEntries(
    (await metrics.listenerReconnects.get()).values.map(({ labels, value }) => [labels.reason, value]),
  );

describe('events over the Pub/Sub API', () => {
  it('say the same as those over CometD, changed fields by name', async () => {
    const received: Record<string, ChannelEvent[]> = {};
    for (const transport of ['cometd', 'pubsub'] as const) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const observer: StreamObserver = {
        position: () => 'all',
        onSubscribed: () => resolve(),
        onRefused: (channel, refusal, detail) => {
          throw new Error(`${channel}: ${refusal} ${detail}`);
        },
        onAlive: () => undefined,
      };
      const stream = await source(transport).open([LEADS], observer);
      closers.push(() => stream.close());
      await promise;
      if (transport === 'cometd') {
        const id = await create('first');
        await org.updateRecord('Lead', id, { FirstName: 'Ann', City: 'Bern', Status: 'Working - Contacted' });
        await org.updateRecord('Lead', id, { Phone: '1', Street: null });
      }
      const events: ChannelEvent[] = (received[transport] = []);
      while (events.length < 3) events.push(...((await stream.next(10)) ?? []));
    }
    const essence = (events: readonly ChannelEvent[] = []) =>
      events.map(({ header }) => {
        const {
          commitNumber: _,
          nulledFields: _2,
          diffFields: _3,
          changedFields,
          ...rest
        } = header as Record<string, unknown>;
        return { ...rest, changedFields: (changedFields as string[]).toSorted() };
      });
    expect(essence(received.pubsub)).toEqual(essence(received.cometd));
    expect(essence(received.pubsub)[1]).toMatchObject({
      changedFields: expect.arrayContaining(['Address.City', 'Name.FirstName', 'Status']),
    });
  });
});

describe('the listener over the Pub/Sub API', () => {
  it.each(['/data/ChangeEvents', '/data/IterableSync__chn'])('reads several objects from %s', async (channel) => {
    await listen(source(), [channel]);
    const lead = await create('lead');
    const contact = await org.createRecord('Contact', { LastName: 'contact' });
    const account = await org.createRecord('Account', { Name: 'account' });
    await arrive(lead, contact, account);
    expect((await changes()).map(({ recordType }) => recordType).toSorted()).toEqual(['Account', 'Contact', 'Lead']);
  });

  it.each([
    ['pubsub-unauthenticated', {}, 'session'],
    ['pubsub-unavailable', {}, 'transport'],
    ['pubsub-unavailable', { status: 'INTERNAL' }, 'transport'],
    ['pubsub-limit', {}, 'limit'],
    ['pubsub-reset', {}, 'transport'],
  ])('survives %s %j and loses nothing', async (kind, options, reason) => {
    await listen();
    await arrive(await create('before'));
    sandbox.faults.add({ system: 'salesforce', kind, rate: 1, count: 1, match: 'Subscribe', options });
    const during = [await create('during1'), await create('during2')];
    await arrive(...during);
    expect(await reconnects()).toEqual({ [reason]: 1 });
    await arrive(await create('after'));
  });

  it('speaks TLS, and only to a server that it trusts', async () => {
    await sandbox.close();
    const { key, certificate } = selfSigned();
    await openSandbox({ SANDBOX_PUBSUB_CERTIFICATE: certificate, SANDBOX_PUBSUB_KEY: key });
    const trusted = getCACertificates('default');
    closers.push(async () => setDefaultCACertificates(trusted));
    const encrypted = source('pubsub', { SALESFORCE_PUBSUB_INSECURE: 'false' });
    const { health } = await listen(encrypted, [LEADS], 'self-signed certificate');
    expect(health.ready).toBe(false);
    setDefaultCACertificates([...trusted, certificate]);
    await waitFor('the subscription', () => detailOf(health).startsWith('subscribed to'));
    await arrive(await create('one'));
  });

  it('survives a schema that is found late', async () => {
    await listen();
    sandbox.faults.add({ system: 'salesforce', kind: 'pubsub-schema-unknown', rate: 1, count: 2, options: {} });
    await arrive(await create('first'));
    expect((await metrics.listenerMalformed.get()).values[0]?.value).toBe(0);
    expect(await reconnects()).toEqual({});
  });

  it('opens a hole for events whose schema is not to be had, and goes on', async () => {
    await listen();
    sandbox.faults.add({ system: 'salesforce', kind: 'pubsub-schema-unknown', rate: 1, options: {} });
    await create('unreadable');
    await waitFor('the hole', async () => {
      const { values } = await metrics.listenerHoles.get();
      return values.some(({ labels, value }) => labels.reason === 'unreadable' && value > 0);
    });
    expect((await metrics.listenerMalformed.get()).values[0]?.value).toBe(1);
    expect(await reconnects()).toEqual({});
  });

  it('notices a subscription that says nothing any more, and mends it', async () => {
    await listen();
    await arrive(await create('before'));
    sandbox.faults.add({ system: 'salesforce', kind: 'pubsub-silent', rate: 1, options: {} });
    const during = await create('during');
    await waitFor('the silence to be noticed', async () => ((await reconnects()).silent ?? 0) > 0);
    sandbox.faults.clear();
    await arrive(during, await create('after'));
  });

  it('takes duplicates as they come', async () => {
    await listen();
    await arrive(await create('before'));
    sandbox.faults.add({ system: 'salesforce', kind: 'pubsub-duplicate', rate: 1, count: 1, options: {} });
    await arrive(await create('after'));
    expect(await reconnects()).toEqual({});
  });

  it('goes on behind its last event after a stop', async () => {
    const first = await listen();
    const before = await create('before');
    await arrive(before);
    await first.close();
    const meanwhile = [await create('one'), await create('two')];
    await listen();
    await arrive(...meanwhile);
    expect((await changes()).map(({ recordId }) => recordId).toSorted()).toEqual([before, ...meanwhile].toSorted());
  });

  it('orders a catch-up behind the position of CometD', async () => {
    const first = await listen(source('cometd'));
    await arrive(await create('before'));
    await first.close();
    await listen();
    await waitFor('the catch-up', async () => (await catchUps()).length > 0);
    expect(await catchUps()).toMatchObject([{ object: 'Lead', hole: { reason: 'transport-changed' } }]);
    await arrive(await create('after'));
  });

  it('orders a catch-up when it was away for 80 hours', async () => {
    const first = await listen();
    await arrive(await create('before'));
    await first.close();
    await create('lost');
    sandbox.clock.advance(80 * 3_600);
    org = connect();
    await listen();
    await waitFor('the catch-up', async () => (await catchUps()).length > 0);
    expect(await catchUps()).toMatchObject([{ object: 'Lead', hole: { reason: 'replay-expired' } }]);
    await arrive(await create('after'));
  });
});
