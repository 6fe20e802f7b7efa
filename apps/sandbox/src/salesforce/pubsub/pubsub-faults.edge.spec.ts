import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { PubSubProbe, type ProbeCall } from '../testing/pubsub-probe.js';

const LEADS = '/data/LeadChangeEvent';
const CODES = 'sfdc.platform.eventbus.grpc.';

let org: TestOrg;
let probe: PubSubProbe;
afterEach(async () => {
  probe.close();
  await org.close();
});

async function open(): Promise<void> {
  org = await openTestOrg({ pubsub: { port: 0 }, timing: { pubsubKeepaliveMs: 40 } });
  probe = await PubSubProbe.of(org);
}

const fault = (kind: string, more: Partial<Parameters<TestOrg['faults']['add']>[0]> = {}) =>
  org.faults.add({ system: 'salesforce', kind, rate: 1, options: {}, ...more });
const change = () => org.sandbox.records.create('Lead', [{ LastName: 'One', Company: 'Acme' }]);
const arrived = (call: ProbeCall, events: number) => vi.waitFor(() => expect(call.events).toHaveLength(events));
const ended = (call: ProbeCall) => vi.waitFor(() => call.ended ?? expect.fail('the call still runs'));
const running = async () => {
  const call = probe.subscribe({ topicName: LEADS, numRequested: 50 });
  await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.topics).toEqual({ [LEADS]: 1 }));
  return call;
};

describe('faults of the Pub/Sub API', () => {
  it.each([
    ['pubsub-unauthenticated', {}, status.UNAUTHENTICATED, 'service.auth.error'],
    ['pubsub-unavailable', {}, status.UNAVAILABLE, 'service.unavailable'],
    ['pubsub-unavailable', { status: 'INTERNAL' }, status.INTERNAL, 'service.internal.error'],
    ['pubsub-limit', {}, status.RESOURCE_EXHAUSTED, 'subscription.limit.exceeded'],
  ])('%s %j ends a call at its start and in the middle', async (kind, options, code, errorCode) => {
    await open();
    const call = await running();
    fault(kind, { options });
    change();
    expect(await ended(call)).toMatchObject({ code, errorCode: CODES + errorCode });
    expect(await ended(probe.subscribe({ topicName: LEADS, numRequested: 1 }))).toMatchObject({ code });
    expect(call.events).toHaveLength(0);
  });

  it('pubsub-reset cuts the connection', async () => {
    await open();
    const call = await running();
    fault('pubsub-reset', { count: 1 });
    change();
    expect(await ended(call)).toMatchObject({ code: status.UNAVAILABLE, errorCode: '' });
    const again = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 5 });
    await arrived(again, 1);
  });

  it('dropping the streams cuts every connection', async () => {
    await open();
    const call = await running();
    expect(org.sandbox.dropPubSubStreams()).toBe(1);
    expect(await ended(call)).toMatchObject({ code: status.UNAVAILABLE });
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.subscriptions).toBe(0));
  });

  it('pubsub-replay-corrupted refuses a good replay id, and only those', async () => {
    await open();
    change();
    fault('pubsub-replay-corrupted');
    const all = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 5 });
    await arrived(all, 1);
    const replayId = all.events[0]?.replayId;
    const custom = probe.subscribe({ topicName: LEADS, replayPreset: 'CUSTOM', replayId, numRequested: 5 });
    expect(await ended(custom)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      errorCode: `${CODES}subscription.fetch.replayid.corrupted`,
    });
  });

  it('pubsub-silent sends nothing at all while changes exist, and everything once it is gone', async () => {
    await open();
    fault('pubsub-silent', { match: LEADS });
    const call = await running();
    const other = probe.subscribe({ topicName: '/data/ContactChangeEvent', numRequested: 5 });
    change();
    // The other call shows that time for keepalives has passed.
    await vi.waitFor(() => expect(other.responses.length).toBeGreaterThan(2));
    expect(call.responses).toHaveLength(0);
    expect(org.sandbox.stats().events.retained).toBe(1);
    org.faults.clear('salesforce', 'pubsub-silent');
    await arrived(call, 1);
  });

  it('pubsub-duplicate delivers the events of a response twice', async () => {
    await open();
    const call = await running();
    fault('pubsub-duplicate', { count: 1 });
    change();
    await arrived(call, 2);
    change();
    await arrived(call, 3);
    const [first, again, next] = call.replayIds;
    expect(again).toBe(first);
    expect(next).toBeGreaterThan(again ?? 0);
  });

  it('pubsub-rewind begins before the replay id', async () => {
    await open();
    for (let n = 0; n < 5; n += 1) change();
    const all = probe.subscribe({ topicName: LEADS, replayPreset: 'EARLIEST', numRequested: 10 });
    await arrived(all, 5);
    fault('pubsub-rewind', { options: { events: 2 } });
    const replayId = all.events[3]?.replayId;
    const again = probe.subscribe({ topicName: LEADS, replayPreset: 'CUSTOM', replayId, numRequested: 10 });
    await arrived(again, 3);
    expect(again.replayIds).toEqual(all.replayIds.slice(2));
  });

  it('pubsub-schema-unknown hides a schema', async () => {
    await open();
    const { schemaId } = await probe.topic(LEADS);
    fault('pubsub-schema-unknown', { count: 1 });
    await expect(probe.schema(schemaId)).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(probe.schema(schemaId)).resolves.toMatchObject({ schemaId });
  });
});
