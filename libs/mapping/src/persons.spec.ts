import { describe, expect, it } from 'vitest';
import { compileMapping, type CompileOptions } from './compile-mapping.js';
import type { MappedUser } from './mapped-record.js';
import type { Mapping } from './mapping.js';
import { parseMapping } from './parse-mapping.js';

const compiled = (text: string, options?: CompileOptions) =>
  compileMapping(parseMapping('x.yaml', text) as Mapping, options);
const optOut = (text: string, row: Record<string, unknown>, options?: CompileOptions) =>
  (compiled(text, options).apply(row) as MappedUser).optOut;

const LEAD_ID = '00Q4H00000nabD0UAI';
const CONTACT_ID = '0034H00000nabD0QAI';

describe('what a row says of its person', () => {
  const lead = compiled('object: Lead\nfields: { Email: email }');

  it.each([
    ['2026-11-24T08:00:00.000+0000', Date.UTC(2026, 10, 24, 8)],
    ['soon', null],
    [null, null],
    [undefined, null],
  ])('created %s', (CreatedDate, createdMs) => {
    expect(lead.createdMs({ CreatedDate })).toBe(createdMs);
  });

  it.each([
    [{ IsConverted: true, ConvertedContactId: CONTACT_ID }, CONTACT_ID],
    [{ IsConverted: true, ConvertedContactId: CONTACT_ID.slice(0, 15) }, CONTACT_ID],
    [{ IsConverted: false, ConvertedContactId: CONTACT_ID }, null],
    [{ IsConverted: true, ConvertedContactId: null }, null],
    [{}, null],
  ])('converted %j', (row, id) => {
    expect(lead.convertedTo(row)).toBe(id);
  });

  it.each([
    [{ MasterRecordId: LEAD_ID }, LEAD_ID],
    [{ MasterRecordId: null }, null],
    [{}, null],
  ])('merged %j', (row, id) => {
    expect(lead.mergedInto(row)).toBe(id);
  });

  it('belongs to what its lookup points to, through lookups too', () => {
    const order = compiled(
      'object: Item__c\nfields: { Order__r.Contact__r.Email: email }\nidentity: { belongsTo: Order__r.Contact__c }',
    );
    expect(order.belongsTo).toBe('Order__r.Contact__c');
    expect(order.select).toContain('Order__r.Contact__c');
    expect(order.belongsToId({ Order__r: { Contact__c: CONTACT_ID } })).toBe(CONTACT_ID);
    expect(order.belongsToId({ Order__r: null })).toBeNull();
    expect(lead.belongsToId({ Id: LEAD_ID })).toBeNull();
  });
});

describe('consent', () => {
  const all = { allMarketing: true, channelIds: [], messageTypeIds: [] };

  it.each(['Lead', 'Contact'])('of a %s is HasOptedOutOfEmail without a word', (object) => {
    const text = `object: ${object}\nfields: { Email: email }`;
    expect(compiled(text)).toMatchObject({ consentSources: ['HasOptedOutOfEmail'] });
    expect(optOut(text, { HasOptedOutOfEmail: true })).toEqual(all);
    for (const no of [false, null, undefined, 'true']) expect(optOut(text, { HasOptedOutOfEmail: no })).toBeUndefined();
  });

  it.each([
    [
      'where the org does not show it',
      'object: Lead\nfields: { Email: email }',
      { systemFields: new Set(['SystemModstamp']) },
    ],
    ['where it is switched off', 'object: Lead\nfields: { Email: email }\nconsent: none', {}],
    ['of another object', 'object: Person__c\nfields: { Email__c: email }', {}],
  ])('is none %s', (_where, text, options) => {
    expect(compiled(text, options)).toMatchObject({ consentSources: [] });
    expect(compiled(text, options).select).not.toContain('HasOptedOutOfEmail');
    expect(optOut(text, { HasOptedOutOfEmail: true }, options)).toBeUndefined();
  });

  const text = `
object: Contact
fields: { Email: email }
consent:
  HasOptedOutOfEmail: { when: true, unsubscribe: all }
  Newsletter__c: { when: false, channels: [12, 7], messageTypes: [9] }
  Status__c: { when: [Left, Do not contact], channels: [7], messageTypes: [3] }
`;
  it.each([
    [{ HasOptedOutOfEmail: false, Newsletter__c: true, Status__c: 'Active' }, undefined],
    [{ Newsletter__c: null, Status__c: null }, undefined],
    [{ HasOptedOutOfEmail: true }, all],
    [{ Newsletter__c: false }, { allMarketing: false, channelIds: [7, 12], messageTypeIds: [9] }],
    [
      { HasOptedOutOfEmail: true, Newsletter__c: false, Status__c: 'Left' },
      { allMarketing: true, channelIds: [7, 12], messageTypeIds: [3, 9] },
    ],
  ])('of several fields adds up: %j', (row, said) => {
    expect(optOut(text, row)).toEqual(said);
  });
});
