import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  accountObject,
  contactObject,
  groupObject,
  leadObject,
  opportunityObject,
} from '../schema/standard-objects.js';
import { OrgOnPaper } from '../testing/org-on-paper.js';
import { convertLead, type LeadConversion } from './convert-lead.js';

let org: OrgOnPaper;
let leadId: string;
beforeEach(() => {
  org = new OrgOnPaper();
  leadId = org.create(leadObject, {
    FirstName: 'Brenda',
    LastName: 'Mcclure',
    Company: 'Cardinal Inc.',
    Email: 'brenda@cardinal.example.com',
    Title: 'CFO',
    State: 'IL',
    LeadSource: 'Web',
    HasOptedOutOfEmail: true,
  });
  org.events = [];
});
afterEach(() => org.close());

const convert = (asked: Partial<LeadConversion> = {}) =>
  org.writer.transaction(org.author, (transaction) => convertLead(transaction, { leadId, ...asked }));

describe('the conversion of a lead', () => {
  it('makes account, contact and opportunity and closes the lead: four events of one transaction', () => {
    org.now += 60_000;
    const { accountId, contactId, opportunityId } = convert();
    expect(org.told()).toEqual([
      ['CREATE', 'Account', [accountId]],
      ['CREATE', 'Contact', [contactId]],
      ['CREATE', 'Opportunity', [opportunityId]],
      ['UPDATE', 'Lead', [leadId]],
    ]);
    expect(org.events.map((one) => one.sequenceNumber)).toEqual([1, 2, 3, 4]);
    expect(new Set(org.events.map((one) => one.transactionKey)).size).toBe(1);
    expect(org.events[3]?.changedFields).toEqual([
      'Status',
      'IsConverted',
      'ConvertedDate',
      'ConvertedAccountId',
      'ConvertedContactId',
      'ConvertedOpportunityId',
      'LastModifiedDate',
    ]);
    expect(org.get(leadObject, leadId)).toMatchObject({
      Status: 'Closed - Converted',
      IsConverted: 1,
      IsDeleted: 0,
      ConvertedDate: '2026-11-24',
      ConvertedAccountId: accountId,
      ConvertedContactId: contactId,
      ConvertedOpportunityId: opportunityId,
    });
    expect(org.get(accountObject, accountId)).toMatchObject({ Name: 'Cardinal Inc.', BillingState: 'IL' });
    expect(org.get(contactObject, contactId)).toMatchObject({
      AccountId: accountId,
      Email: 'brenda@cardinal.example.com',
      MailingState: 'IL',
      HasOptedOutOfEmail: 1,
    });
    expect(org.get(opportunityObject, String(opportunityId))).toMatchObject({
      Name: 'Cardinal Inc.-',
      CloseDate: '2026-12-31',
      AccountId: accountId,
    });
  });

  it('uses what exists: nothing is told of the account, and the contact gets what it lacks and keeps its consent', () => {
    const accountId = org.create(accountObject, { Name: 'Cardinal' });
    const contactId = org.create(contactObject, { LastName: 'Mcclure', Email: 'b@example.com', AccountId: accountId });
    org.events = [];
    expect(convert({ accountId: accountId.slice(0, 15), contactId, createOpportunity: false })).toEqual({
      leadId,
      accountId,
      contactId,
      opportunityId: null,
    });
    expect(org.told()).toEqual([
      ['UPDATE', 'Contact', [contactId]],
      ['UPDATE', 'Lead', [leadId]],
    ]);
    expect(org.get(contactObject, contactId)).toMatchObject({
      FirstName: 'Brenda',
      Title: 'CFO',
      Email: 'b@example.com',
      HasOptedOutOfEmail: 0,
    });
  });

  it('takes the account of an existing contact, and tells nothing of a contact that lacks nothing', () => {
    const accountId = org.create(accountObject, { Name: 'Cardinal' });
    const filled = { FirstName: 'B', Title: 'CEO', Email: 'b@example.com', MailingState: 'WI', LeadSource: 'Other' };
    const contactId = org.create(contactObject, { LastName: 'M', AccountId: accountId, ...filled });
    org.events = [];
    expect(convert({ contactId, createOpportunity: false }).accountId).toBe(accountId);
    expect(org.told()).toEqual([['UPDATE', 'Lead', [leadId]]]);
  });

  it('gives what a queue owned to whoever converts', () => {
    const [queue = ''] = org.store.idsWhere(groupObject, 'Type', 'Queue');
    leadId = org.create(leadObject, { LastName: 'Q', Company: 'Queue', OwnerId: queue });
    const { accountId, contactId } = convert();
    expect(org.get(accountObject, accountId)['OwnerId']).toBe(org.userId);
    expect(org.get(contactObject, contactId)['OwnerId']).toBe(org.userId);
  });

  it('is refused a second time, for a deleted lead and for an account that is not there, and leaves nothing behind', () => {
    convert();
    org.events = [];
    const accounts = org.store.count(accountObject);
    expect(() => convert()).toThrow('cannot reference converted lead');
    const other = org.create(leadObject, { LastName: 'X', Company: 'X' });
    expect(() => convert({ leadId: other, contactId: '003000000000001AAA' })).toThrow('does not exist');
    org.writer.one({ kind: 'delete', object: leadObject, id: other }, org.author);
    expect(() => convert({ leadId: other })).toThrow('entity is deleted');
    expect(org.store.count(accountObject)).toEqual(accounts);
    expect(org.told().map(([changeType]) => changeType)).toEqual(['CREATE', 'DELETE']);
  });
});
