import { describe, expect, it } from 'vitest';
import { Schema } from '../schema/schema.js';
import { accountObject, leadObject, standardObjects } from '../schema/standard-objects.js';
import type { StoredRecord } from '../store/values.js';
import type { RecordWrite } from './change-event.js';
import { cometdData } from './cometd-event.js';
import { TransactionChanges, type TransactionLimits } from './transaction-changes.js';

const STAMP = Date.parse('2026-11-24T08:41:05Z');
const commit = {
  changeOrigin: 'com/salesforce/api/rest/66.0;client=MyApp',
  transactionKey: '00006948-0ac9-7da3-edb3-ea0e31b2334a',
  commitTimestamp: STAMP,
  commitNumber: '1764060065123456789',
  commitUser: '0055f000005mc66AAA',
};
const empty: StoredRecord = Object.fromEntries(leadObject.fields.map((one) => [one.name, null]));
const before: StoredRecord = {
  ...empty,
  Id: '00Q5f000005bwLFEAY',
  IsDeleted: 0,
  FirstName: 'Ann',
  LastName: 'Kim',
  Name: 'Ann Kim',
  City: 'Berlin',
  Status: 'Open - Not Contacted',
  Phone: '1',
  AnnualRevenue: 119,
  HasOptedOutOfEmail: 0,
  CreatedDate: STAMP,
  LastModifiedDate: STAMP,
  SystemModstamp: STAMP,
  LastModifiedById: '0055f000005mc66AAA',
};
const write = (changeType: RecordWrite['changeType'], after: StoredRecord | null, id = '00Q5f000005bwLFEAY') => ({
  object: leadObject,
  changeType,
  id,
  before: changeType === 'CREATE' ? null : before,
  after,
});
const eventsOf = (writes: readonly RecordWrite[], of: typeof commit, limits?: TransactionLimits) => {
  const changes = new TransactionChanges(limits);
  for (const one of writes) changes.add(one);
  return changes.events(of);
};
const schema = new Schema(standardObjects, () => 0);
const payloads = (writes: RecordWrite[]) =>
  eventsOf(writes, commit).map(
    (event, index) => JSON.parse(JSON.stringify(cometdData(event, 100 + index, schema))) as Record<string, unknown>,
  );

describe('change events', () => {
  it('of a creation carry what is filled, nested, without what is never in events', () => {
    expect(payloads([write('CREATE', before)])).toEqual([
      {
        schema: expect.stringMatching(/^[\w-]{22}$/),
        payload: {
          Name: { FirstName: 'Ann', LastName: 'Kim' },
          Address: { City: 'Berlin' },
          Status: 'Open - Not Contacted',
          Phone: '1',
          AnnualRevenue: 119,
          HasOptedOutOfEmail: false,
          CreatedDate: '2026-11-24T08:41:05.000Z',
          LastModifiedDate: '2026-11-24T08:41:05.000Z',
          LastModifiedById: '0055f000005mc66AAA',
          ChangeEventHeader: {
            commitNumber: Number(commit.commitNumber),
            commitUser: '0055f000005mc66AAA',
            sequenceNumber: 1,
            entityName: 'Lead',
            changeType: 'CREATE',
            changedFields: [],
            changeOrigin: 'com/salesforce/api/rest/66.0;client=MyApp',
            transactionKey: '00006948-0ac9-7da3-edb3-ea0e31b2334a',
            commitTimestamp: STAMP,
            recordIds: ['00Q5f000005bwLFEAY'],
          },
        },
        event: { replayId: 100 },
      },
    ]);
  });

  it('of an update carry changes only, with names of parts and nulls', () => {
    const later = STAMP + 1000;
    const after = {
      ...before,
      FirstName: 'Bea',
      Name: 'Bea Kim',
      City: null,
      Phone: null,
      LastModifiedDate: later,
      SystemModstamp: later,
    };
    const [event] = payloads([write('UPDATE', after)]);
    expect(event?.['payload']).toMatchObject({
      ChangeEventHeader: { changedFields: ['Name.FirstName', 'Address.City', 'Phone', 'LastModifiedDate'] },
    });
    const { ChangeEventHeader: header, ...body } = { ...(event?.['payload'] as Record<string, unknown> | undefined) };
    expect(header).toMatchObject({ changeType: 'UPDATE' });
    expect(body).toEqual({
      Name: { FirstName: 'Bea' },
      Address: { City: null },
      Phone: null,
      LastModifiedDate: '2026-11-24T08:41:06.000Z',
    });
    expect(eventsOf([write('UPDATE', after)], commit)[0]?.nulledFields).toEqual(['City', 'Phone']);
  });

  it('of a deletion have a header only; those of a restoration have everything', () => {
    const [deleted] = payloads([write('DELETE', null)]);
    expect(Object.keys(deleted?.['payload'] ?? {})).toEqual(['ChangeEventHeader']);
    const [restored] = payloads([write('UNDELETE', before)]);
    expect(restored?.['payload']).toMatchObject({ Name: { LastName: 'Kim' }, Status: 'Open - Not Contacted' });
  });

  it('merge the same change of several records, and number the rest', () => {
    const other = '00QVS000005jAeg2AE';
    const done = { ...before, Status: 'Working - Contacted' };
    const events = eventsOf(
      [
        write('UPDATE', done),
        write('UPDATE', { ...done, Phone: '2' }, '00Q5g000000000AAAA'),
        write('UPDATE', done, other),
      ],
      commit,
    );
    expect(events.map((one) => [one.sequenceNumber, one.recordIds])).toEqual([
      [1, ['00Q5f000005bwLFEAY', other]],
      [2, ['00Q5g000000000AAAA']],
    ]);
  });

  it('of several writes to one record are one: the first kind with the last data', () => {
    const events = eventsOf([write('CREATE', before), write('UPDATE', { ...before, Phone: '3' })], commit);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ changeType: 'CREATE', body: { Phone: '3' } });
  });

  it('of several updates of one record show all that changed', () => {
    const first = { ...before, Phone: '3', City: null };
    const second = { ...first, Phone: '4', FirstName: 'Bea' };
    const writes = [write('UPDATE', first), { ...write('UPDATE', second), before: first }];
    expect(eventsOf(writes, commit)).toMatchObject([
      {
        changedFields: ['FirstName', 'City', 'Phone', 'LastModifiedDate'],
        nulledFields: ['City'],
        body: { FirstName: 'Bea', City: null, Phone: '4' },
      },
    ]);
  });

  it('hold so many ids at most', () => {
    const ids = Array.from({ length: 7 }, (_, n) => `00Q5g00000000${n}AAAA`);
    const events = eventsOf(
      ids.map((id) => write('DELETE', null, id)),
      commit,
      { idsPerEvent: 3, changes: 100 },
    );
    expect(events.map((one) => one.recordIds)).toEqual([ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    expect(events.map((one) => one.sequenceNumber)).toEqual([1, 2, 3]);
  });

  it('end with an overflow of each entity after so many changes, an update counting its fields', () => {
    const id = (n: number) => `00Q5g00000000${n}AAAA`;
    const edited = { ...before, Phone: '3', City: null };
    const account = {
      object: accountObject,
      changeType: 'DELETE',
      id: '0015g00000000AAAAA',
      before,
      after: null,
    } as const;
    const events = eventsOf(
      [
        write('CREATE', before, id(1)),
        write('UPDATE', edited, id(2)),
        write('UPDATE', edited, id(3)),
        write('DELETE', null, id(4)),
        account,
      ],
      commit,
      { idsPerEvent: 10, changes: 4 },
    );
    expect(events.map((one) => [one.entity, one.changeType, one.recordIds, one.sequenceNumber])).toEqual([
      ['Lead', 'CREATE', [id(1)], 1],
      ['Lead', 'UPDATE', [id(2)], 2],
      ['Lead', 'GAP_OVERFLOW', ['000000000000000AAA'], 3],
      ['Account', 'GAP_OVERFLOW', ['000000000000000AAA'], 4],
    ]);
    expect(events[2]).toMatchObject({ body: {}, changedFields: [], transactionKey: commit.transactionKey });
  });

  it('have a patch of a long text that changed in part', () => {
    const lines = Array.from({ length: 100 }, (_, n) => `line number ${n} of a long description`);
    const text = lines.join('\n');
    const edited = lines.with(50, 'another line').join('\n');
    const old = { ...before, Description: text };
    const [event] = eventsOf([{ ...write('UPDATE', { ...old, Description: edited }), before: old }], commit);
    expect(event?.diffs).toEqual({
      Description: '--- \n+++ \n@@ -51,1 +51,1 @@\n-line number 50 of a long description\n+another line',
    });
    const [short] = eventsOf([write('UPDATE', { ...before, Description: 'short' })], commit);
    expect(short?.diffs).toBeUndefined();
  });

  it('print numbers in full: commit numbers beyond 2^53 and fractions', () => {
    const [event] = eventsOf([write('CREATE', before)], commit);
    const text = event === undefined ? '' : JSON.stringify(cometdData(event, 1, schema));
    expect(text).toContain('"commitNumber":1764060065123456789,');
    expect(text).toContain('"AnnualRevenue":119.0,');
  });

  it('leave out fields hidden by field-level security', () => {
    const veiled = new Schema(standardObjects, () => 0);
    veiled.setVisible('Lead', 'Phone', false);
    const [event] = eventsOf([write('UPDATE', { ...before, Phone: '4' })], commit);
    const { payload } = cometdData(
      event ??
        (() => {
          throw new Error('no event');
        })(),
      1,
      veiled,
    );
    expect(payload).not.toHaveProperty('Phone');
    expect(payload['ChangeEventHeader']).toMatchObject({ changedFields: ['LastModifiedDate'] });
  });
});
