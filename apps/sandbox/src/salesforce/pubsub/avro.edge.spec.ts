import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { field, reference, type ObjectSchema } from '../schema/types.js';
import { auditFields, leadingFields } from '../schema/common-fields.js';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { PubSubProbe, type ProbeCall } from '../testing/pubsub-probe.js';

const booking: ObjectSchema = {
  name: 'Booking__c',
  label: 'Booking',
  labelPlural: 'Bookings',
  keyPrefix: 'a01',
  custom: true,
  childRelationshipName: null,
  writable: true,
  fields: [
    ...leadingFields('Booking'),
    field('Name', 'string', { length: 80 }),
    field('Day__c', 'date'),
    field('Price__c', 'currency'),
    field('Seats__c', 'int'),
    reference('Contact__c', ['Contact']),
    ...auditFields(),
  ],
};

type Header = Readonly<Record<string, unknown>> & { readonly changedFields: string[]; readonly nulledFields: string[] };
type Decoded = Readonly<Record<string, unknown>> & { readonly ChangeEventHeader: Header };

let org: TestOrg;
let probe: PubSubProbe;
let call: ProbeCall;
beforeEach(async () => {
  org = await openTestOrg({ pubsub: { port: 0 }, objects: [booking] });
  probe = await PubSubProbe.of(org);
});
afterEach(async () => {
  probe.close();
  await org.close();
});

async function subscribe(topicName: string): Promise<void> {
  call = probe.subscribe({ topicName, replayPreset: 'EARLIEST', numRequested: 100 });
  await vi.waitFor(() => expect(org.sandbox.stats().pubsub?.topics).toEqual({ [topicName]: 1 }));
}

/** All events once there are so many, decoded by the schema that each names. */
async function decoded(count: number): Promise<Decoded[]> {
  await vi.waitFor(() => expect(call.events).toHaveLength(count));
  return Promise.all(call.events.map(async ({ event }) => (await probe.decode(event)) as Decoded));
}

const person = { LastName: 'Byron', FirstName: 'Ada', Company: 'Engines', City: 'London', AnnualRevenue: 12 };

describe('events in Avro', () => {
  it('carry every field on creation, with dates as milliseconds and longs above 2^53 exact', async () => {
    await subscribe('/data/LeadChangeEvent');
    const [id = ''] = org.sandbox.records.create('Lead', [person], { client: 'Spec' });
    const [created] = await decoded(1);
    const stored = org.sandbox.records.get('Lead', id);
    const stamp = BigInt(Number(stored?.['CreatedDate']));
    expect(created).toMatchObject({
      Name: { Salutation: null, FirstName: 'Ada', LastName: 'Byron' },
      Address: { Street: null, City: 'London', Latitude: null, GeocodeAccuracy: null },
      Company: 'Engines',
      Email: null,
      AnnualRevenue: 12,
      IsConverted: false,
      ConvertedDate: null,
      CreatedDate: stamp,
      Score__c: 0,
    });
    const header = created?.ChangeEventHeader;
    expect(header).toMatchObject({
      entityName: 'Lead',
      recordIds: [id],
      changeType: 'CREATE',
      changeOrigin: 'com/salesforce/api/rest/68.0;client=Spec',
      sequenceNumber: 1,
      commitTimestamp: stamp,
      changedFields: [],
      nulledFields: [],
      diffFields: [],
    });
    // A number would have rounded it: 19 digits.
    const commitNumber = header?.['commitNumber'] as bigint;
    expect(commitNumber).toBe(stamp * 1_000_000n + 1n);
    expect(BigInt(Number(commitNumber))).not.toBe(commitNumber);
  });

  it('carry on an update the changed fields, null for the others, and bitmaps', async () => {
    await subscribe('/data/LeadChangeEvent');
    const [id = ''] = org.sandbox.records.create('Lead', [person]);
    org.sandbox.records.update('Lead', [{ Id: id, Status: 'Working - Contacted', FirstName: null, City: 'Bath' }]);
    const [, updated] = await decoded(2);
    expect(updated).toMatchObject({
      Status: 'Working - Contacted',
      Name: null,
      Address: { City: 'Bath', Street: null },
      Company: null,
      CreatedDate: null,
    });
    expect(updated?.ChangeEventHeader).toMatchObject({
      // Status is 12, LastModifiedDate 27; FirstName is part 1 of Name (1), City part 1 of Address (4).
      changedFields: ['0x08001000', '1-0x02', '4-0x02'],
      nulledFields: ['1-0x02'],
    });
  });

  it('carry a patch of a long text that changed in part', async () => {
    await subscribe('/data/LeadChangeEvent');
    const lines = Array.from({ length: 100 }, (_, n) => `line number ${n} of a long description`);
    const [id = ''] = org.sandbox.records.create('Lead', [{ ...person, Description: lines.join('\n') }]);
    org.sandbox.records.update('Lead', [{ Id: id, Description: lines.with(0, 'new').join('\n') }]);
    const [created, updated] = await decoded(2);
    expect(created?.['Description']).toBe(lines.join('\n'));
    expect(updated?.['Description']).toBe(`--- \n+++ \n@@ -1,1 +1,1 @@\n-${lines[0]}\n+new`);
    // Description is bit 10.
    expect(updated?.ChangeEventHeader).toMatchObject({ diffFields: ['0x0400'], changedFields: ['0x08000400'] });
  });

  it('have only a header on deletion and for gaps, and are full on undeletion', async () => {
    await subscribe('/data/LeadChangeEvent');
    const [id = ''] = org.sandbox.records.create('Lead', [person]);
    org.sandbox.records.remove('Lead', [id]);
    org.sandbox.records.undelete('Lead', [id]);
    org.sandbox.emit({ entity: 'Lead', changeType: 'GAP_UPDATE', recordIds: ['00Q*'] });
    org.sandbox.emit({ entity: 'Lead', changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] });
    const [, deleted, undeleted, gap, overflow] = await decoded(5);
    for (const bare of [deleted, gap, overflow]) {
      const { ChangeEventHeader: _, ...fields } = bare ?? { ChangeEventHeader: null };
      expect(Object.values(fields).every((one) => one === null)).toBe(true);
    }
    expect(undeleted).toMatchObject({ Company: 'Engines', ChangeEventHeader: { changeType: 'UNDELETE' } });
    expect(gap?.ChangeEventHeader).toMatchObject({ changeType: 'GAP_UPDATE', recordIds: ['00Q*'] });
    expect(overflow?.ChangeEventHeader).toMatchObject({ recordIds: ['000000000000000AAA'], changedFields: [] });
  });

  it('of several entities come in one topic, each with its own schema', async () => {
    await subscribe('/data/ChangeEvents');
    org.sandbox.records.create('Account', [{ Name: 'Engines' }]);
    org.sandbox.records.create('Contact', [{ LastName: 'Byron', Birthdate: '1815-12-10' }]);
    org.sandbox.records.create('Booking__c', [{ Name: 'B-1', Day__c: '2026-11-24', Price__c: 10, Seats__c: 2 }]);
    const events = await decoded(3);
    expect(new Set(call.events.map(({ event }) => event.schemaId)).size).toBe(3);
    expect(events.map((one) => one.ChangeEventHeader['entityName'])).toEqual(['Account', 'Contact', 'Booking__c']);
    expect(events[1]).toMatchObject({ Birthdate: BigInt(Date.UTC(1815, 11, 10)), Name: { LastName: 'Byron' } });
    expect(events[2]).toMatchObject({ Day__c: BigInt(Date.UTC(2026, 10, 24)), Price__c: 10, Seats__c: 2 });
  });

  it('of a custom object have a topic of their own and a custom channel', async () => {
    const { schemaId } = await probe.topic('/data/Booking__ChangeEvent');
    expect(JSON.parse((await probe.schema(schemaId)).schemaJson)).toMatchObject({ name: 'Booking__ChangeEvent' });
    await subscribe('/data/Booking__ChangeEvent');
    org.sandbox.records.create('Booking__c', [{ Name: 'B-2' }]);
    const [created] = await decoded(1);
    expect(created?.ChangeEventHeader['entityName']).toBe('Booking__c');
  });

  it('leave out a field that the subscriber may not see, and its bit', async () => {
    org.sandbox.setFieldVisible('Lead', 'Company', false);
    await subscribe('/data/LeadChangeEvent');
    const [id = ''] = org.sandbox.records.create('Contact', [{ LastName: 'x' }]);
    expect(id).not.toBe('');
    org.sandbox.emit({
      entity: 'Lead',
      changeType: 'UPDATE',
      recordIds: ['00Q5f000005bwLFEAY'],
      changedFields: ['Company', 'Status'],
      body: { Company: 'Secret', Status: 'New' },
    });
    const [event] = await decoded(1);
    expect(event).not.toHaveProperty('Company');
    // One field before it is gone: Status has moved from bit 12 to bit 11.
    expect(event?.ChangeEventHeader.changedFields).toEqual(['0x0800']);
  });
});
