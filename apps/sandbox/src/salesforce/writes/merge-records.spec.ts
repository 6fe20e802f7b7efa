import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accountObject, contactObject, leadObject, userObject } from '../schema/standard-objects.js';
import { OrgOnPaper } from '../testing/org-on-paper.js';
import type { ObjectSchema } from '../schema/types.js';
import type { StoredRecord } from '../store/values.js';
import { mergeRecords } from './merge-records.js';

let org: OrgOnPaper;
beforeEach(() => {
  org = new OrgOnPaper();
});
afterEach(() => org.close());

const merge = (object: ObjectSchema, winner: string, losers: string[], values: StoredRecord = {}) =>
  org.writer.transaction(org.author, (transaction) => mergeRecords(transaction, object, winner, losers, values));
const account = (Name: string, ParentId: string | null = null) => org.create(accountObject, { Name, ParentId });

describe('a merge', () => {
  it('deletes the losers without a word on the winner, and updates the winner, in one transaction', () => {
    const [winner = '', ...losers] = ['A', 'B', 'C'].map((LastName) => org.create(contactObject, { LastName }));
    org.events = [];
    merge(contactObject, winner, losers, { Title: 'CEO' });
    // The same deletion of both is one event.
    expect(org.told()).toEqual([
      ['DELETE', 'Contact', losers],
      ['UPDATE', 'Contact', [winner]],
    ]);
    expect(org.events[0]).toMatchObject({ body: {}, changedFields: [] });
    expect(org.events[1]).toMatchObject({ body: { Title: 'CEO' }, changedFields: ['Title', 'LastModifiedDate'] });
    expect(new Set(org.events.map((one) => one.transactionKey)).size).toBe(1);
    for (const loser of losers) {
      expect(org.get(contactObject, loser)).toMatchObject({ IsDeleted: 1, MasterRecordId: winner });
    }
  });

  it('moves children to the winner without an event: only their SystemModstamp shows it', () => {
    const [winner, loser] = [account('Winner'), account('Loser')];
    const child = org.create(contactObject, { LastName: 'Child', AccountId: loser });
    const before = org.get(contactObject, child);
    org.events = [];
    org.now += 60_000;
    merge(accountObject, winner, [loser]);
    expect(org.told()).toEqual([
      ['DELETE', 'Account', [loser]],
      ['UPDATE', 'Account', [winner]],
    ]);
    const after = org.get(contactObject, child);
    expect(after).toMatchObject({ AccountId: winner, IsDeleted: 0, LastModifiedDate: before['LastModifiedDate'] });
    expect(after['SystemModstamp']).toBe(Number(before['SystemModstamp']) + 60_000);
  });

  it('leaves a winner that hung on a loser without a parent', () => {
    const loser = account('Parent');
    const winner = account('Child', loser);
    merge(accountObject, winner, [loser]);
    expect(org.get(accountObject, winner)).toMatchObject({ ParentId: null, IsDeleted: 0 });
  });

  it('is forgotten when the loser is restored', () => {
    const [winner, loser] = [account('Winner'), account('Loser')];
    merge(accountObject, winner, [loser]);
    org.writer.one({ kind: 'undelete', object: accountObject, id: loser }, org.author);
    expect(org.get(accountObject, loser)).toMatchObject({ IsDeleted: 0, MasterRecordId: null });
  });

  it('is refused for too many, for itself, for deleted records and for objects that do not merge', () => {
    const [one = '', two = '', three = '', four = ''] = ['1', '2', '3', '4'].map((Company) =>
      org.create(leadObject, { LastName: 'L', Company }),
    );
    expect(() => merge(leadObject, one, [two, three, four])).toThrow('1 to 2');
    expect(() => merge(leadObject, one, [one])).toThrow('1 to 2');
    expect(() => merge(leadObject, one, [two, two])).toThrow('1 to 2');
    expect(() => merge(leadObject, one, [])).toThrow('1 to 2');
    org.writer.one({ kind: 'delete', object: leadObject, id: four }, org.author);
    expect(() => merge(leadObject, one, [four])).toThrow('entity is deleted');
    expect(() => merge(userObject, org.userId, [org.userId])).toThrow('does not support merge');
    expect(org.get(leadObject, two)['IsDeleted']).toBe(0);
  });
});
