import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { PubSubProbe, type ProbeCall } from '../testing/pubsub-probe.js';
import { replayIdBytes } from './replay-id.js';

const LEADS = '/data/LeadChangeEvent';
const CODES = 'sfdc.platform.eventbus.grpc.';

let org: TestOrg;
let probes: PubSubProbe[] = [];
afterEach(async () => {
  for (const probe of probes.splice(0)) probe.close();
  await org.close();
});

async function open(options: Parameters<typeof openTestOrg>[0] = {}): Promise<PubSubProbe> {
  org = await openTestOrg({ pubsub: { port: 0 }, ...options });
  return probeOf();
}

async function probeOf(changes: Record<string, string> = {}): Promise<PubSubProbe> {
  const probe = await PubSubProbe.of(org, changes);
  probes.push(probe);
  return probe;
}

const lead = (n: number) => ({ LastName: `Lead ${n}`, Company: 'Acme', Email: `lead${n}@example.com` });
const leads = (count: number) =>
  Array.from({ length: count }, (_, n) => org.sandbox.records.create('Lead', [lead(n)])[0] ?? '');
const arrived = (call: ProbeCall, events: number) => vi.waitFor(() => expect(call.events).toHaveLength(events));
const ended = async (call: ProbeCall) => vi.waitFor(() => call.ended ?? expect.fail('the call still runs'));

describe('topics and schemas', () => {
  it('tells an entity topic and its Avro schema, the same id each time', async () => {
    const probe = await open();
    const topic = await probe.topic(LEADS);
    expect(topic).toMatchObject({ topicName: LEADS, canPublish: false, canSubscribe: true });
    expect(topic.schemaId).toMatch(/^[\w-]{22}$/);
    expect((await probe.topic(LEADS)).schemaId).toBe(topic.schemaId);
    const schema = JSON.parse((await probe.schema(topic.schemaId)).schemaJson) as {
      name: string;
      fields: Array<{ name: string; type: unknown }>;
    };
    expect(schema.name).toBe('LeadChangeEvent');
    expect(schema.fields[0]?.name).toBe('ChangeEventHeader');
    expect(schema.fields[12]).toEqual({ name: 'Status', type: ['null', 'string'], default: null });
    expect(schema.fields.map((one) => one.name)).not.toContain('SystemModstamp');
  });

  it('gives a topic of several entities no schema of its own', async () => {
    const probe = await open();
    expect(await probe.topic('/data/ChangeEvents')).toMatchObject({ canSubscribe: true, schemaId: '' });
  });

  it('knows the old schema after a field was hidden, and a new id for the new one', async () => {
    const probe = await open();
    const before = await probe.topic(LEADS);
    org.sandbox.setFieldVisible('Lead', 'Rating', false);
    const after = await probe.topic(LEADS);
    expect(after.schemaId).not.toBe(before.schemaId);
    expect((await probe.schema(before.schemaId)).schemaJson).toContain('"Rating"');
    expect((await probe.schema(after.schemaId)).schemaJson).not.toContain('"Rating"');
  });

  it.each([
    ['an unknown topic', (probe: PubSubProbe) => probe.topic('/data/NobodyChangeEvent'), 'subscription.topic.notfound'],
    ['an unknown schema', (probe: PubSubProbe) => probe.schema('AAAAAAAAAAAAAAAAAAAAAA'), 'schema.notfound'],
  ])('refuses %s', async (_, ask, errorCode) => {
    await expect(ask(await open())).rejects.toMatchObject({
      code: status.NOT_FOUND,
      errorCode: CODES + errorCode,
      rpcId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    });
  });
});

describe('who may call', () => {
  it.each([
    ['a wrong token', { accesstoken: '00D!wrong' }],
    ['no token', { accesstoken: '' }],
    ['another org', { tenantid: '00D000000000001' }],
    ['no instance', { instanceurl: '' }],
  ])('refuses %s, on every RPC', async (_, changes) => {
    await open();
    const probe = await probeOf(changes);
    const refusal = { code: status.UNAUTHENTICATED, errorCode: `${CODES}service.auth.error` };
    await expect(probe.topic(LEADS)).rejects.toMatchObject(refusal);
    await expect(probe.schema('x')).rejects.toMatchObject(refusal);
    expect(await ended(probe.subscribe({ topicName: LEADS, numRequested: 1 }))).toMatchObject(refusal);
  });

  it('takes the org id in both lengths, and refuses a call without headers', async () => {
    const probe = await open();
    await expect(probe.topic(LEADS)).resolves.toBeDefined();
    const { organization_id: tenantid } = (await org.call('GET', '/services/oauth2/userinfo')).body as {
      organization_id: string;
    };
    expect(tenantid).toHaveLength(18);
    await expect((await probeOf({ tenantid })).topic(LEADS)).resolves.toBeDefined();
    const bare = new PubSubProbe(org.pubsub, new Metadata());
    probes.push(bare);
    await expect(bare.topic(LEADS)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
  });

  it('leaves a running call alone when its token ends, refuses new ones, and takes a new token in the call', async () => {
    const probe = await open();
    const call = probe.subscribe({ topicName: LEADS, numRequested: 10 });
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.topics).toEqual({ [LEADS]: 1 }));
    org.sandbox.revokeTokens();
    leads(1);
    await arrived(call, 1);
    await expect(probe.topic(LEADS)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    call.request({ numRequested: 1, authRefresh: await org.token() });
    leads(1);
    await arrived(call, 2);
    call.request({ numRequested: 1, authRefresh: 'stale' });
    expect(await ended(call)).toMatchObject({
      code: status.UNAUTHENTICATED,
      errorCode: `${CODES}service.auth.refresh.invalid`,
    });
  });

  it('has no managed subscriptions', async () => {
    const probe = await open();
    const stream = probe.open('ManagedSubscribe');
    const code = await new Promise((resolve) => stream.on('error', (error) => resolve(Reflect.get(error, 'code'))));
    expect(code).toBe(status.UNIMPLEMENTED);
  });
});

describe('credit', () => {
  it('sends no more than was asked for, tells what is left, and goes on with more credit', async () => {
    const probe = await open();
    const call = probe.subscribe({ topicName: LEADS, numRequested: 3 });
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.subscriptions).toBe(1));
    leads(5);
    await arrived(call, 3);
    expect(call.responses.at(-1)?.pendingNumRequested).toBe(0);
    call.request({ numRequested: 10 });
    await arrived(call, 5);
    expect(call.responses.at(-1)?.pendingNumRequested).toBe(8);
    expect(call.responses.at(-1)?.latestReplayId).toEqual(call.events.at(-1)?.replayId);
    expect(new Set(call.responses.map((one) => one.rpcId)).size).toBe(1);
  });

  it('counts 100 outstanding at most, over several requests too', async () => {
    const probe = await open();
    leads(130);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 5_000 });
    await arrived(call, 100);
    expect(call.responses.map((one) => one.pendingNumRequested)).toEqual([0]);
    call.request({ numRequested: 90 });
    await arrived(call, 130);
    expect(call.responses.at(-1)?.pendingNumRequested).toBe(60);
    call.request({ numRequested: 90 });
    // Answered on the same connection, after the request above was read.
    await probe.topic(LEADS);
    leads(1);
    await arrived(call, 131);
    expect(call.responses.at(-1)?.pendingNumRequested).toBe(99);
  });

  it.each([0, -1])('refuses a request for %i', async (numRequested) => {
    const probe = await open();
    const refusal = {
      code: status.INVALID_ARGUMENT,
      errorCode: `${CODES}subscription.fetch.requested.events.invalid`,
    };
    expect(await ended(probe.subscribe({ topicName: LEADS, numRequested }))).toMatchObject(refusal);
    const later = probe.subscribe({ topicName: LEADS, numRequested: 1 });
    later.request({ topicName: LEADS, numRequested });
    expect(await ended(later)).toMatchObject(refusal);
  });

  it('ends a call some time after its credit is used up, without an error', async () => {
    const probe = await open({ timing: { pubsubNoCreditMs: 60 } });
    leads(1);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 1 });
    expect(await ended(call)).toMatchObject({ code: status.OK });
    expect(call.events).toHaveLength(1);
    expect(org.sandbox.stats().pubsub).toMatchObject({ subscriptions: 0, delivered: 1 });
  });

  it('closes a response before it outgrows what clients take', async () => {
    const probe = await open();
    const Description = 'x'.repeat(32_000);
    for (let n = 0; n < 100; n += 1) org.sandbox.records.create('Lead', [{ ...lead(n), Description }]);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 100 });
    await arrived(call, 100);
    const sizes = call.responses.map((one) => one.events.reduce((sum, { event }) => sum + event.payload.length, 0));
    expect(sizes).toHaveLength(7);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500_000);
  });
});

describe('places', () => {
  it('begins with new events, with all, or after a replay id', async () => {
    const probe = await open();
    leads(3);
    const all = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 100 });
    await arrived(all, 3);
    const custom = probe.subscribe({
      topicName: LEADS,
      replayPreset: 'CUSTOM',
      replayId: all.events[0]?.replayId,
      numRequested: 100,
    });
    const latest = probe.subscribe({ topicName: LEADS, numRequested: 100 });
    await arrived(custom, 2);
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.subscriptions).toBe(3));
    leads(1);
    await arrived(latest, 1);
    await arrived(custom, 3);
    expect(custom.replayIds).toEqual(all.replayIds.slice(1));
    expect(latest.replayIds).toEqual(all.replayIds.slice(3));
    expect(custom.events.map((one) => one.event.id)).toEqual(all.events.slice(1).map((one) => one.event.id));
  });

  it('reads topic and place from the first request only', async () => {
    const probe = await open();
    leads(2);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 2 });
    await arrived(call, 2);
    call.request({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 2 });
    leads(1);
    await arrived(call, 3);
    expect(new Set(call.replayIds).size).toBe(3);
    call.request({ topicName: '/data/ContactChangeEvent', numRequested: 1 });
    expect(await ended(call)).toMatchObject({ code: status.INVALID_ARGUMENT });
  });

  it.each([
    ['one that was never given', replayIdBytes(7), 'corrupted'],
    ['one of another form', Buffer.from('next'), 'validation.failed'],
    ['none', Buffer.alloc(0), 'validation.failed'],
  ])('refuses a replay id: %s', async (_, replayId, errorCode) => {
    const probe = await open();
    leads(1);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'CUSTOM', replayId, numRequested: 1 });
    expect(await ended(call)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      errorCode: `${CODES}subscription.fetch.replayid.${errorCode}`,
    });
  });

  it('refuses a replay id after 72 hours of the clock, and a topic that does not exist', async () => {
    const probe = await open();
    leads(1);
    const call = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 1 });
    await arrived(call, 1);
    const replayId = call.events[0]?.replayId;
    org.clock.advance(80 * 3_600);
    const late = await probeOf();
    const refused = late.subscribe({ topicName: LEADS, replayPreset: 'CUSTOM', replayId, numRequested: 1 });
    expect(await ended(refused)).toMatchObject({ errorCode: `${CODES}subscription.fetch.replayid.corrupted` });
    const nowhere = late.subscribe({ topicName: '/data/leadChangeEvent', numRequested: 1 });
    expect(await ended(nowhere)).toMatchObject({ code: status.NOT_FOUND });
  });

  it('keeps a silent call alive with empty responses whose replay ids advance and can be resumed from', async () => {
    const probe = await open({ timing: { pubsubKeepaliveMs: 30 } });
    leads(1);
    const call = probe.subscribe({ topicName: '/data/ContactChangeEvent', numRequested: 5 });
    await vi.waitFor(() => expect(call.responses.length).toBeGreaterThanOrEqual(3));
    const places = call.responses.map((one) => Number(one.latestReplayId.readBigUInt64BE()));
    expect(call.responses.every((one) => one.events.length === 0 && one.pendingNumRequested === 5)).toBe(true);
    expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b));
    org.sandbox.records.create('Contact', [{ LastName: 'Late' }]);
    const resumed = probe.subscribe({
      topicName: '/data/ContactChangeEvent',
      replayPreset: 'CUSTOM',
      replayId: replayIdBytes(places[0] ?? 0),
      numRequested: 5,
    });
    await arrived(resumed, 1);
  });
});

describe('the daily allowance', () => {
  it('counts each delivery and ends the call when it is used up', async () => {
    const probe = await open({ limits: { deliveredEventsPerDay: 5 } });
    const call = probe.subscribe({ topicName: LEADS, numRequested: 100 });
    const other = probe.subscribe({ topicName: LEADS, numRequested: 2 });
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.topics).toEqual({ [LEADS]: 2 }));
    leads(4);
    const limit = { code: status.RESOURCE_EXHAUSTED, errorCode: `${CODES}subscription.limit.exceeded` };
    expect(await ended(call)).toMatchObject(limit);
    expect(call.events.length + other.events.length).toBe(5);
    expect(await ended(probe.subscribe({ topicName: LEADS, numRequested: 1 }))).toMatchObject(limit);
    const { body } = await org.call('GET', '/limits');
    expect(body).toMatchObject({ DailyDeliveredPlatformEvents: { Max: 5, Remaining: 0 } });

    org.clock.advance(25 * 3_600);
    const next = (await probeOf()).subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 100 });
    await arrived(next, 4);
  });
});
