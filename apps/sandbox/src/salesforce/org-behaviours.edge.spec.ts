import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { registrationObject } from './schema/standard-objects.js';
import { CometdSubscriber } from './testing/cometd-subscriber.js';
import { PubSubProbe } from './testing/pubsub-probe.js';
import { openTestOrg, type TestOrg } from './testing/test-org.js';

let org: TestOrg;
const closers: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await org.close();
});

async function open(options: Parameters<typeof openTestOrg>[0] = {}): Promise<void> {
  org = await openTestOrg({ pubsub: { port: 0 }, objects: [registrationObject], ...options });
}

async function cometd(...channels: string[]): Promise<CometdSubscriber> {
  const subscriber = await CometdSubscriber.on(org, ...channels);
  closers.push(() => subscriber.close());
  return subscriber;
}

async function pubsub(topicName: string) {
  const probe = await PubSubProbe.of(org);
  closers.push(() => probe.close());
  const call = probe.subscribe({ topicName, replayPreset: 'EARLIEST', numRequested: 100 });
  return { probe, call };
}

const lead = (LastName: string) => org.sandbox.records.create('Lead', [{ LastName, Company: 'Acme' }])[0] ?? '';
const fresh = async () => ({ authorization: `Bearer ${await org.token()}` });
const soon = { timeout: 10_000 };

describe('the org, as subscribers see it', () => {
  it('converts a lead: the same four events in both transports', async () => {
    await open();
    const id = lead('Mcclure');
    const subscriber = await cometd('/data/ChangeEvents');
    const { probe, call } = await pubsub('/data/ChangeEvents');
    const { accountId, contactId, opportunityId } = org.sandbox.convertLead({ leadId: id }, { client: 'Spec' });
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(5), soon);
    await vi.waitFor(() => expect(call.events).toHaveLength(5), soon);
    expect(subscriber.told().slice(1)).toEqual([
      ['CREATE', 'Account', [accountId]],
      ['CREATE', 'Contact', [contactId]],
      ['CREATE', 'Opportunity', [opportunityId]],
      ['UPDATE', 'Lead', [id]],
    ]);
    expect(subscriber.events.map((one) => one.event.replayId)).toEqual(call.replayIds);
    const [quartet, { payload: closing }] = [subscriber.events.slice(1), subscriber.events.at(-1) ?? { payload: null }];
    const keys = quartet.map(({ payload }) => payload.ChangeEventHeader['transactionKey']);
    expect(new Set(keys).size).toBe(1);
    expect(closing).toMatchObject({ IsConverted: true, ConvertedContactId: contactId });
    const last = call.events.at(-1)?.event;
    const decoded = last && (await probe.decode(last));
    expect(decoded).toMatchObject({
      ConvertedContactId: contactId,
      ConvertedDate: BigInt(Date.parse(String(closing?.['ConvertedDate']))),
      ChangeEventHeader: {
        // Status, IsConverted, ConvertedDate, account, contact, opportunity, LastModifiedDate: the documented bitmap.
        changedFields: [expect.stringMatching(/^0x0[08]F81000$/)],
        changeOrigin: 'com/salesforce/api/rest/68.0;client=Spec',
        sequenceNumber: 4,
      },
    });
  });

  it('merges: DELETE and UPDATE, and queryAll knows the master', async () => {
    await open();
    const [winner, loser] = [lead('Winner'), lead('Loser')];
    const subscriber = await cometd('/data/LeadChangeEvent');
    org.sandbox.merge('Lead', winner, [loser], { Title: 'CEO' });
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(4), soon);
    expect(subscriber.told().slice(2)).toEqual([
      ['DELETE', 'Lead', [loser]],
      ['UPDATE', 'Lead', [winner]],
    ]);
    expect(Object.keys(subscriber.events[2]?.payload ?? {})).toEqual(['ChangeEventHeader']);
    const soql = `SELECT Id, MasterRecordId, IsDeleted FROM Lead WHERE Id = '${loser}'`;
    const { body } = await org.call('GET', `/queryAll?q=${encodeURIComponent(soql)}`);
    expect(body).toMatchObject({ records: [{ Id: loser, MasterRecordId: winner, IsDeleted: true }] });
    expect((await org.query(soql)).totalSize).toBe(0);
  });

  it('emits gaps and overflows in both transports as they are', async () => {
    await open();
    const ids = [lead('A'), lead('B')];
    const gaps = [
      { changeType: 'GAP_CREATE', recordIds: ids },
      { changeType: 'GAP_DELETE', recordIds: ids.slice(1) },
      { changeType: 'GAP_UPDATE', recordIds: ['00Q*'] },
      { changeType: 'GAP_UNDELETE', recordIds: ids },
      { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] },
    ] as const;
    for (const gap of gaps) org.sandbox.emit({ entity: 'Lead', ...gap });
    const subscriber = await cometd('/data/LeadChangeEvent');
    const { probe, call } = await pubsub('/data/LeadChangeEvent');
    const expected = gaps.map(({ changeType, recordIds }) => [changeType, 'Lead', recordIds]);
    await vi.waitFor(() => expect(subscriber.told().slice(2)).toEqual(expected), soon);
    await vi.waitFor(() => expect(call.events).toHaveLength(7), soon);
    const headers = await Promise.all(
      call.events.slice(2).map(async ({ event }) => (await probe.decode(event))['ChangeEventHeader']),
    );
    expect(headers).toMatchObject(gaps);
  });

  it('overflows a transaction that changes too much, and merges what is alike', async () => {
    await open({ transactions: { changes: 40, idsPerEvent: 30 } });
    await org.sandbox.seed({ leads: 100 });
    const subscriber = await cometd('/data/LeadChangeEvent');
    org.sandbox.massChange({ object: 'Lead', kind: 'update', count: 100, set: { Title: 'Boss' } });
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(3), soon);
    expect(subscriber.told().map(([changeType, , ids]) => [changeType, (ids as string[]).length])).toEqual([
      ['UPDATE', 30],
      ['UPDATE', 10],
      ['GAP_OVERFLOW', 1],
    ]);
    expect((await org.query("SELECT COUNT() FROM Lead WHERE Title = 'Boss'")).totalSize).toBe(100);
  });

  it('deletes an account with its contacts, and tells nothing of a hard delete', async () => {
    await open();
    const [account = ''] = org.sandbox.records.create('Account', [{ Name: 'Acme' }]);
    const contacts = org.sandbox.records.create('Contact', [
      { LastName: 'A', AccountId: account },
      { LastName: 'B', AccountId: account },
    ]);
    const subscriber = await cometd('/data/IterableSync__chn');
    org.sandbox.records.remove('Account', [account]);
    org.sandbox.records.purge('Contact', contacts.slice(0, 1));
    org.sandbox.records.undelete('Account', [account]);
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(7), soon);
    expect(subscriber.told().slice(3)).toEqual([
      ['DELETE', 'Account', [account]],
      ['DELETE', 'Contact', contacts],
      ['UNDELETE', 'Account', [account]],
      ['UNDELETE', 'Contact', contacts.slice(1)],
    ]);
  });

  it('tells who changed a record, and by which client', async () => {
    await open();
    const [, other = ''] = (await org.query('SELECT Id FROM User ORDER BY CreatedDate, Id')).records.map((one) =>
      String(one['Id']),
    );
    const subscriber = await cometd('/data/LeadChangeEvent');
    const [id = ''] = org.sandbox.records.create('Lead', [{ LastName: 'A', Company: 'A' }], { client: 'Loader' });
    org.sandbox.records.update('Lead', [{ Id: id, Title: 'B' }], { userId: other });
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(2), soon);
    const headers = subscriber.events.map((one) => one.payload.ChangeEventHeader);
    expect(headers[0]).toMatchObject({ changeOrigin: 'com/salesforce/api/rest/68.0;client=Loader' });
    expect(headers[0]?.['commitUser']).not.toBe(other);
    expect(headers[1]).toMatchObject({ changeOrigin: '', commitUser: other });
    expect(headers[1]?.['changedFields']).toEqual(['Title', 'LastModifiedDate', 'LastModifiedById']);
    expect(() => org.sandbox.records.create('Lead', [], { userId: '005000000000000AAA' })).toThrow('no user');
  });

  it('serves a custom object by its own channel and by a channel that is defined later', async () => {
    await open();
    expect(org.sandbox.defineChannel({ name: 'Later__chn', entities: ['Registration__c', 'Lead'] })).toBe(
      '/data/Later__chn',
    );
    expect(() => org.sandbox.defineChannel({ name: 'Later', entities: ['Lead'] })).toThrow('must end in __chn');
    expect(() => org.sandbox.defineChannel({ name: 'L__chn', entities: ['Foo'] })).toThrow('no known object');
    const subscriber = await cometd('/data/Registration__ChangeEvent', '/data/Later__chn');
    const { call } = await pubsub('/data/Later__chn');
    const [id] = org.sandbox.records.create('Registration__c', [{ Name: 'R-1', Email__c: 'ada@example.com' }]);
    const leadId = lead('A');
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(3), soon);
    await vi.waitFor(() => expect(call.events).toHaveLength(2), soon);
    const told = (channel: string) => subscriber.told(subscriber.byChannel.get(channel));
    expect(told('/data/Later__chn')).toEqual([
      ['CREATE', 'Registration__c', [id]],
      ['CREATE', 'Lead', [leadId]],
    ]);
    expect(told('/data/Registration__ChangeEvent')).toEqual([['CREATE', 'Registration__c', [id]]]);
  });
});

describe('faults of the event bus', () => {
  it('turn changes into gaps and transactions into overflows, for all subscribers', async () => {
    await open();
    const [id = ''] = org.sandbox.records.create('Lead', [{ LastName: 'A', Company: 'A' }]);
    const subscriber = await cometd('/data/LeadChangeEvent');
    const { call } = await pubsub('/data/LeadChangeEvent');
    org.faults.add({ system: 'salesforce', kind: 'event-gap', rate: 1, count: 1, options: {} });
    org.sandbox.records.update('Lead', [{ Id: id, Title: 'B' }]);
    org.faults.add({ system: 'salesforce', kind: 'event-overflow', rate: 1, count: 1, options: {} });
    org.sandbox.records.update('Lead', [{ Id: id, Title: 'C' }]);
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(3), soon);
    await vi.waitFor(() => expect(call.events).toHaveLength(3), soon);
    expect(subscriber.told().slice(1)).toEqual([
      ['GAP_UPDATE', 'Lead', [id]],
      ['GAP_OVERFLOW', 'Lead', ['000000000000000AAA']],
    ]);
  });

  it('keep everything back from CometD while the log grows, and show it in the figures', async () => {
    await open();
    const subscriber = await cometd('/data/LeadChangeEvent');
    const { call } = await pubsub('/data/LeadChangeEvent');
    org.faults.add({ system: 'salesforce', kind: 'cometd-silent', rate: 1, options: {} });
    for (let n = 0; n < 3; n += 1) lead(`L${n}`);
    await vi.waitFor(() => expect(call.events).toHaveLength(3), soon);
    expect(subscriber.events).toHaveLength(0);
    expect(org.sandbox.stats()).toMatchObject({
      events: { retained: 3 },
      cometd: { clients: 1, delivered: 0 },
      pubsub: { delivered: 3 },
    });
    org.faults.clear('salesforce', 'cometd-silent');
    lead('L3');
    await vi.waitFor(() => expect(subscriber.events).toHaveLength(4), soon);
  });
});

describe('the allowance of delivered events', () => {
  it('can be queried by hour', async () => {
    await open();
    lead('A');
    const { call } = await pubsub('/data/LeadChangeEvent');
    await vi.waitFor(() => expect(call.events).toHaveLength(1), soon);
    const soql =
      "SELECT Name, StartDate, EndDate, Value FROM PlatformEventUsageMetric WHERE Name = 'CHANGE_EVENTS_DELIVERED'";
    const hour = { Name: 'CHANGE_EVENTS_DELIVERED', Value: 1 };
    expect((await org.query(soql)).records).toMatchObject([hour]);
    expect((await org.query(soql)).records).toMatchObject([hour]);
    org.clock.advance(25 * 3_600);
    expect(
      (await org.call('GET', `/query?q=${encodeURIComponent(soql)}`, undefined, await fresh())).body,
    ).toMatchObject({
      totalSize: 0,
    });
  });

  it('is one for all subscribers of both transports, and can be lifted', async () => {
    await open({ limits: { deliveredEventsPerDay: 6 } });
    const subscriber = await cometd('/data/LeadChangeEvent');
    const { call } = await pubsub('/data/LeadChangeEvent');
    await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.subscriptions).toBe(1));
    for (let n = 0; n < 3; n += 1) lead(`L${n}`);
    await vi.waitFor(() => expect([subscriber.events.length, call.events.length]).toEqual([3, 3]), soon);
    expect(await org.call('GET', '/limits')).toMatchObject({
      body: { DailyDeliveredPlatformEvents: { Max: 6, Remaining: 0 } },
    });
    lead('One too many');
    await vi.waitFor(() => expect(call.ended?.code).toBe(status.RESOURCE_EXHAUSTED), soon);
    await vi.waitFor(() => expect(org.sandbox.stats().cometd.clients).toBe(0), soon);
    org.sandbox.setLimits({ deliveredEventsPerDay: null });
    const again = await pubsub('/data/LeadChangeEvent');
    await vi.waitFor(() => expect(again.call.events).toHaveLength(4), soon);
  });
});
