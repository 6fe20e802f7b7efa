import { field, reference, type FieldOptions, type FieldSchema } from './types.js';

const SYSTEM: FieldOptions = { createable: false, updateable: false };

/** The name of a Lead, Contact or User: composed, read only, sent in events as a compound. */
export function personNameFields(object: 'Lead' | 'Contact'): FieldSchema[] {
  return [
    field('LastName', 'string', { length: 80, compound: 'Name', part: 'LastName', nillable: false }),
    field('FirstName', 'string', { length: 40, compound: 'Name', part: 'FirstName' }),
    field('Salutation', 'picklist', {
      length: 40,
      compound: 'Name',
      part: 'Salutation',
      picklist: ['Mr.', 'Ms.', 'Mrs.', 'Dr.', 'Prof.', 'Mx.'],
    }),
    field('Name', 'string', {
      label: object === 'Lead' ? 'Full Name' : 'Name',
      length: 121,
      nillable: false,
      computed: `coalesce("FirstName" || ' ', '') || "LastName"`,
    }),
  ];
}

/** The five parts of an address and the compound that holds them; `prefix` is '' on Lead. */
export function addressFields(prefix: string): FieldSchema[] {
  const compound = `${prefix}Address`;
  const part = (name: string, type: 'string' | 'textarea', length: number) =>
    field(`${prefix}${name}`, type, { length, compound, part: name });
  return [
    part('Street', 'textarea', 255),
    part('City', 'string', 40),
    part('State', 'string', 80),
    part('PostalCode', 'string', 20),
    part('Country', 'string', 80),
    field(compound, 'address', { inEvents: false }),
  ];
}

/** Consent and bounce fields of Lead and Contact; `HasOptedOutOfEmail` stands apart from them. */
export function consentFields(): FieldSchema[] {
  return [
    field('HasOptedOutOfFax', 'boolean', { label: 'Fax Opt Out' }),
    field('DoNotCall', 'boolean'),
    field('EmailBouncedReason', 'string', { createable: false }),
    field('EmailBouncedDate', 'datetime', { createable: false }),
  ];
}

/** First fields of every object. */
export function leadingFields(object: string, options: { merges?: boolean } = {}): FieldSchema[] {
  return [
    field('Id', 'id', { label: `${object} ID` }),
    field('IsDeleted', 'boolean', { ...SYSTEM, label: 'Deleted', inEvents: false }),
    ...(options.merges === true ? [reference('MasterRecordId', [object], { ...SYSTEM, inEvents: false })] : []),
  ];
}

/** Last fields of every object: owner, and who wrote when. `SystemModstamp` moves on every write and is never in events. */
export function auditFields(): FieldSchema[] {
  const user: FieldOptions = { ...SYSTEM, nillable: false };
  return [
    field('CreatedDate', 'datetime', { ...user }),
    reference('CreatedById', ['User'], user),
    field('LastModifiedDate', 'datetime', { ...user }),
    reference('LastModifiedById', ['User'], user),
    field('SystemModstamp', 'datetime', { ...user, label: 'System Modstamp', inEvents: false }),
  ];
}

export const INDUSTRIES = [
  'Agriculture',
  'Banking',
  'Biotechnology',
  'Chemicals',
  'Communications',
  'Construction',
  'Consulting',
  'Education',
  'Electronics',
  'Energy',
  'Engineering',
  'Finance',
  'Food & Beverage',
  'Healthcare',
  'Hospitality',
  'Insurance',
  'Manufacturing',
  'Media',
  'Not For Profit',
  'Retail',
  'Technology',
  'Telecommunications',
  'Transportation',
  'Utilities',
];

export const LEAD_SOURCES = [
  'Web',
  'Phone Inquiry',
  'Partner Referral',
  'Purchased List',
  'Paid Search',
  'Event',
  'Other',
];

export const RATINGS = ['Hot', 'Warm', 'Cold'];
