import { describe, expect, it } from 'vitest';
import { compileMapping } from './compile-mapping.js';
import type { MappedRecord } from './mapped-record.js';
import type { Mapping } from './mapping.js';
import { rowFate, type RowFate, type RowRules } from './row-fate.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const mapping: Mapping = { file: 'Lead.yaml', object: 'Lead', fields: [{ source: 'Email', target: 'email' }] };
const lead = compileMapping(mapping);
const ticket = compileMapping({ ...mapping, file: 'Ticket__c.yaml', object: 'Ticket__c', belongsTo: 'Contact__c' });
const rules: RowRules = { compiled: lead, projectType: 'email', mapsContacts: true, recordId: LEAD };
const user: MappedRecord = { kind: 'user', email: 'ada@example.com', dataFields: {} };
const failed: MappedRecord = { kind: 'failed', code: 'mapping.type_mismatch', message: 'no' };

describe('rowFate', () => {
  it.each<[string, Record<string, unknown>, MappedRecord, Partial<RowRules>, RowFate]>([
    ['a user', {}, user, {}, { kind: 'user', user: { email: 'ada@example.com', dataFields: {} }, mapped: user }],
    [
      'a user known by the record id',
      {},
      user,
      { projectType: 'user-id' },
      { kind: 'user', user: { userId: LEAD, email: 'ada@example.com', dataFields: {} }, mapped: user },
    ],
    [
      'deleted, whatever it was mapped to',
      { IsDeleted: true },
      failed,
      {},
      { kind: 'deleted', reason: 'salesforce.deleted' },
    ],
    ['merged', { IsDeleted: true, MasterRecordId: LEAD }, user, {}, { kind: 'deleted', reason: 'salesforce.merged' }],
    [
      'converted, whatever it was mapped to',
      { IsConverted: true, ConvertedContactId: CONTACT },
      { kind: 'filtered' },
      {},
      { kind: 'converted', contactId: CONTACT },
    ],
    [
      'converted, where Contacts are not mapped',
      { IsConverted: true, ConvertedContactId: CONTACT },
      { kind: 'filtered' },
      { mapsContacts: false },
      { kind: 'filtered' },
    ],
    ['failed', {}, failed, {}, failed],
    ['without an address', {}, { ...user, email: null }, {}, { kind: 'skipped', reason: 'mapping.no_email' }],
    [
      'belonging',
      { Contact__c: CONTACT },
      user,
      { compiled: ticket },
      { kind: 'belonging', belongsTo: CONTACT, mapped: user },
    ],
    [
      'belonging to nobody',
      { Contact__c: null },
      user,
      { compiled: ticket },
      { kind: 'skipped', reason: 'mapping.belongs_to_nobody' },
    ],
    ['belonging, filtered', { Contact__c: null }, { kind: 'filtered' }, { compiled: ticket }, { kind: 'filtered' }],
  ])('%s', (_, row, mapped, over, fate) => {
    expect(rowFate(row, mapped, { ...rules, ...over })).toEqual(fate);
  });
});
