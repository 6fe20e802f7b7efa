import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ChangeEvent } from '../events/change-event.js';
import { Schema } from '../schema/schema.js';
import { accountObject, contactObject, leadObject, standardObjects, userObject } from '../schema/standard-objects.js';
import { seedPeople } from '../seed/people.js';
import { RecordStore } from '../store/record-store.js';
import { Writer, type WriteRequest } from './writer.js';

const NOW = Date.parse('2026-11-24T08:41:05.250Z');
let store: RecordStore;
let writer: Writer;
let events: ChangeEvent[];
let userId: string;
let now: number;
beforeEach(() => {
  now = NOW;
  store = new RecordStore(new Schema(standardObjects, () => now));
  userId = seedPeople(store, NOW);
  events = [];
  writer = new Writer(
    store,
    () => now,
    (emitted) => events.push(...emitted),
  );
});
afterEach(() => store.close());

const write = (request: WriteRequest, as = userId) => writer.one(request, { userId: as, changeOrigin: '' });
const told = () => events.map(({ changeType, recordIds, sequenceNumber }) => [changeType, recordIds, sequenceNumber]);

describe('the writer', () => {
  it('deletes and restores an account with its contacts, in one transaction each', () => {
    const account = write({ kind: 'create', object: accountObject, input: { Name: 'Acme' } });
    const contacts = ['A', 'B', 'C'].map((LastName) =>
      write({ kind: 'create', object: contactObject, input: { LastName, AccountId: account } }),
    );
    // Deleted on its own before: it stays in the recycle bin when the account comes back.
    write({ kind: 'delete', object: contactObject, id: contacts[2] ?? '' });
    events = [];
    now += 60_000;
    write({ kind: 'delete', object: accountObject, id: account });
    expect(told()).toEqual([
      ['DELETE', [account], 1],
      ['DELETE', contacts.slice(0, 2), 2],
    ]);
    expect(new Set(events.map((one) => one.transactionKey)).size).toBe(1);

    events = [];
    now += 60_000;
    write({ kind: 'undelete', object: accountObject, id: account });
    expect(told().map(([changeType, ids]) => [changeType, ids])).toEqual([
      ['UNDELETE', [account]],
      ['UNDELETE', [contacts[0]]],
      ['UNDELETE', [contacts[1]]],
    ]);
    expect(events[1]?.body).toMatchObject({ LastName: 'A', AccountId: account });
  });

  it('stamps whole seconds and names who wrote, in the row and in the event', () => {
    const id = write({ kind: 'create', object: leadObject, input: { LastName: 'Kim', Company: 'Acme' } });
    const [, owner = ''] = store.idsWhere(userObject, 'CreatedById', userId);
    now += 5_000;
    write({ kind: 'update', object: leadObject, id, input: { Title: 'CEO' } }, owner);
    expect(store.get(leadObject, id)).toMatchObject({
      CreatedDate: NOW - 250,
      CreatedById: userId,
      LastModifiedDate: NOW - 250 + 5_000,
      LastModifiedById: owner,
      SystemModstamp: NOW - 250 + 5_000,
    });
    expect(events[1]).toMatchObject({
      commitTimestamp: NOW - 250 + 5_000,
      commitUser: owner,
      changedFields: ['Title', 'LastModifiedDate', 'LastModifiedById'],
    });
  });

  it('tells an update that changes nothing by its LastModifiedDate', () => {
    const id = write({ kind: 'create', object: leadObject, input: { LastName: 'Kim', Company: 'Acme' } });
    write({ kind: 'update', object: leadObject, id, input: { LastName: 'Kim' } });
    expect(events[1]).toMatchObject({ changeType: 'UPDATE', changedFields: ['LastModifiedDate'], nulledFields: [] });
  });

  it('refuses what the state of a record forbids', () => {
    const id = write({ kind: 'create', object: leadObject, input: { LastName: 'Kim', Company: 'Acme' } });
    expect(() => write({ kind: 'undelete', object: leadObject, id })).toThrow('Entity is not in the recycle bin');
    store.update(leadObject, id, { IsConverted: 1 });
    expect(() => write({ kind: 'update', object: leadObject, id, input: {} })).toThrow(
      'cannot reference converted lead',
    );
    expect(() => write({ kind: 'delete', object: userObject, id: userId })).toThrow('User cannot be deleted');
    write({ kind: 'delete', object: leadObject, id });
    expect(() => write({ kind: 'delete', object: leadObject, id })).toThrow('entity is deleted');
  });

  it('emits nothing for what was rolled back, and what was written otherwise', () => {
    const requests: WriteRequest[] = [
      { kind: 'create', object: leadObject, input: { LastName: 'Kim', Company: 'Acme' } },
      { kind: 'create', object: leadObject, input: {} },
    ];
    const author = { userId, changeOrigin: '' };
    writer.many(requests, author, true);
    expect(events).toEqual([]);
    writer.many(requests, author, false);
    expect(events).toHaveLength(1);
    expect(store.count(leadObject)).toEqual({ live: 1, deleted: 0 });
  });
});
