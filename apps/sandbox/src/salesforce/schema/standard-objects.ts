import {
  addressFields,
  auditFields,
  consentFields,
  INDUSTRIES,
  LEAD_SOURCES,
  leadingFields,
  personNameFields,
  RATINGS,
} from './common-fields.js';
import { field, reference, type ObjectSchema } from './types.js';

export const LEAD_STATUSES = [
  'Open - Not Contacted',
  'Working - Contacted',
  'Marketing Qualified',
  'Closed - Converted',
  'Closed - Not Converted',
];

const OWNER = { nillable: false } as const;
const CONVERSION = { createable: false, updateable: false } as const;

/** A score as an admin would define one: a formula over two fields, calculated when read. */
const leadScore = field('Score__c', 'double', {
  label: 'Score',
  precision: 18,
  scale: 0,
  formula: 'CASE(Rating, "Hot", 50, "Warm", 25, 0) + IF(NumberOfEmployees > 500, 25, 0)',
  computed: `CASE "Rating" WHEN 'Hot' THEN 50.0 WHEN 'Warm' THEN 25.0 ELSE 0.0 END
    + CASE WHEN "NumberOfEmployees" > 500 THEN 25.0 ELSE 0.0 END`,
});

/** Fields, types and lengths: facts/salesforce.md §7.1; their order, on which the bitmaps of events depend: sample 05 of §2.3. */
export const leadObject: ObjectSchema = {
  name: 'Lead',
  label: 'Lead',
  labelPlural: 'Leads',
  keyPrefix: '00Q',
  custom: false,
  childRelationshipName: null,
  writable: true,
  fields: [
    ...leadingFields('Lead', { merges: true }),
    ...personNameFields('Lead'),
    field('Title', 'string', { length: 128 }),
    field('Company', 'string', { length: 255, nillable: false }),
    ...addressFields(''),
    field('Phone', 'phone'),
    field('MobilePhone', 'phone'),
    field('Fax', 'phone'),
    field('Email', 'email'),
    field('Website', 'url'),
    field('Description', 'textarea', { length: 32_000 }),
    field('LeadSource', 'picklist', { picklist: LEAD_SOURCES }),
    field('Status', 'picklist', { picklist: LEAD_STATUSES, nillable: false, defaultValue: 'Open - Not Contacted' }),
    field('Industry', 'picklist', { picklist: INDUSTRIES }),
    field('Rating', 'picklist', { picklist: RATINGS }),
    field('AnnualRevenue', 'currency'),
    field('NumberOfEmployees', 'int', { label: 'Employees' }),
    reference('OwnerId', ['Group', 'User'], OWNER),
    field('HasOptedOutOfEmail', 'boolean', { label: 'Email Opt Out' }),
    field('IsConverted', 'boolean', { ...CONVERSION, label: 'Converted' }),
    field('ConvertedDate', 'date', CONVERSION),
    reference('ConvertedAccountId', ['Account'], CONVERSION),
    reference('ConvertedContactId', ['Contact'], CONVERSION),
    reference('ConvertedOpportunityId', ['Opportunity'], CONVERSION),
    field('IsUnreadByOwner', 'boolean', { label: 'Unread By Owner', defaultValue: true }),
    ...auditFields(),
    ...consentFields(),
    field('LastActivityDate', 'date', { createable: false, updateable: false, inEvents: false }),
    leadScore,
  ],
};

export const contactObject: ObjectSchema = {
  name: 'Contact',
  label: 'Contact',
  labelPlural: 'Contacts',
  keyPrefix: '003',
  custom: false,
  childRelationshipName: 'Contacts',
  writable: true,
  fields: [
    ...leadingFields('Contact', { merges: true }),
    reference('AccountId', ['Account'], { cascadeDelete: true }),
    ...personNameFields('Contact'),
    ...addressFields('Other'),
    ...addressFields('Mailing'),
    field('Phone', 'phone'),
    field('Fax', 'phone'),
    field('MobilePhone', 'phone'),
    field('HomePhone', 'phone'),
    field('OtherPhone', 'phone'),
    reference('ReportsToId', ['Contact']),
    field('Email', 'email'),
    field('Title', 'string', { length: 128 }),
    field('Department', 'string', { length: 80 }),
    field('LeadSource', 'picklist', { picklist: LEAD_SOURCES }),
    field('Birthdate', 'date'),
    field('Description', 'textarea', { length: 32_000 }),
    reference('OwnerId', ['User'], OWNER),
    field('HasOptedOutOfEmail', 'boolean', { label: 'Email Opt Out' }),
    ...consentFields(),
    field('IsEmailBounced', 'boolean', {
      computed: '"EmailBouncedDate" IS NOT NULL',
      filterable: false,
      sortable: false,
    }),
    ...auditFields(),
    field('LastActivityDate', 'date', { createable: false, updateable: false, inEvents: false }),
  ],
};

export const accountObject: ObjectSchema = {
  name: 'Account',
  label: 'Account',
  labelPlural: 'Accounts',
  keyPrefix: '001',
  custom: false,
  childRelationshipName: 'ChildAccounts',
  writable: true,
  fields: [
    ...leadingFields('Account', { merges: true }),
    field('Name', 'string', { label: 'Account Name', nillable: false }),
    field('Type', 'picklist', {
      picklist: ['Prospect', 'Customer - Direct', 'Customer - Channel', 'Partner', 'Other'],
    }),
    reference('ParentId', ['Account']),
    ...addressFields('Billing'),
    ...addressFields('Shipping'),
    field('Phone', 'phone'),
    field('Fax', 'phone'),
    field('AccountNumber', 'string', { length: 40 }),
    field('Website', 'url'),
    field('Sic', 'string', { label: 'SIC Code', length: 20 }),
    field('Industry', 'picklist', { picklist: INDUSTRIES }),
    field('AnnualRevenue', 'currency'),
    field('NumberOfEmployees', 'int', { label: 'Employees' }),
    field('Ownership', 'picklist', { picklist: ['Public', 'Private', 'Subsidiary', 'Other'] }),
    field('TickerSymbol', 'string', { length: 20 }),
    field('Description', 'textarea', { length: 32_000 }),
    field('Rating', 'picklist', { picklist: RATINGS }),
    field('Site', 'string', { label: 'Account Site', length: 80 }),
    reference('OwnerId', ['User'], OWNER),
    ...auditFields(),
    field('AccountSource', 'picklist', { picklist: LEAD_SOURCES }),
    field('LastActivityDate', 'date', { createable: false, updateable: false, inEvents: false }),
  ],
};

/** What a conversion makes besides account and contact. Order of the fields: sample 05. */
export const opportunityObject: ObjectSchema = {
  name: 'Opportunity',
  label: 'Opportunity',
  labelPlural: 'Opportunities',
  keyPrefix: '006',
  custom: false,
  childRelationshipName: 'Opportunities',
  writable: true,
  fields: [
    ...leadingFields('Opportunity'),
    reference('AccountId', ['Account'], { cascadeDelete: true }),
    field('IsPrivate', 'boolean', { label: 'Private' }),
    field('Name', 'string', { length: 120, nillable: false }),
    field('Description', 'textarea', { length: 32_000 }),
    field('StageName', 'picklist', {
      label: 'Stage',
      picklist: ['Prospecting', 'Qualification', 'Negotiation/Review', 'Closed Won', 'Closed Lost'],
      nillable: false,
    }),
    field('Amount', 'currency'),
    field('Probability', 'percent', { label: 'Probability (%)' }),
    field('CloseDate', 'date', { nillable: false }),
    field('Type', 'picklist', { picklist: ['Existing Business', 'New Business'] }),
    field('NextStep', 'string'),
    field('LeadSource', 'picklist', { picklist: LEAD_SOURCES }),
    reference('OwnerId', ['User'], OWNER),
    ...auditFields(),
    reference('ContactId', ['Contact']),
  ],
};

/** A custom object with an email of its own, to sync what is neither Lead nor Contact. */
export const registrationObject: ObjectSchema = {
  name: 'Registration__c',
  label: 'Registration',
  labelPlural: 'Registrations',
  keyPrefix: 'a0R',
  custom: true,
  childRelationshipName: 'Registrations__r',
  writable: true,
  fields: [
    ...leadingFields('Registration'),
    reference('OwnerId', ['Group', 'User'], OWNER),
    field('Name', 'string', { label: 'Registration Name', length: 80 }),
    field('Email__c', 'email'),
    field('FirstName__c', 'string', { length: 40 }),
    field('LastName__c', 'string', { length: 80 }),
    field('Status__c', 'picklist', { picklist: ['Registered', 'Attended', 'Cancelled'], defaultValue: 'Registered' }),
    field('Event_Date__c', 'date'),
    field('Seats__c', 'double', { scale: 0 }),
    field('Newsletter__c', 'boolean'),
    reference('Contact__c', ['Contact']),
    ...auditFields(),
  ],
};

/** Users own records. They cannot be deleted, only made inactive. */
export const userObject: ObjectSchema = {
  name: 'User',
  label: 'User',
  labelPlural: 'Users',
  keyPrefix: '005',
  custom: false,
  childRelationshipName: 'Users',
  writable: true,
  fields: [
    field('Id', 'id', { label: 'User ID' }),
    field('Username', 'string', { length: 80, nillable: false }),
    field('LastName', 'string', { length: 80, compound: 'Name', part: 'LastName', nillable: false }),
    field('FirstName', 'string', { length: 40, compound: 'Name', part: 'FirstName' }),
    field('Name', 'string', {
      label: 'Full Name',
      length: 121,
      nillable: false,
      computed: `coalesce("FirstName" || ' ', '') || "LastName"`,
    }),
    field('Alias', 'string', { length: 8, nillable: false }),
    field('Email', 'email', { length: 128, nillable: false }),
    field('Title', 'string', { length: 80 }),
    field('Department', 'string', { length: 80 }),
    field('Phone', 'phone'),
    field('IsActive', 'boolean', { label: 'Active', defaultValue: true }),
    reference('ManagerId', ['User']),
    ...auditFields(),
  ],
};

/** Queues: the other kind of Lead owner. */
export const groupObject: ObjectSchema = {
  name: 'Group',
  label: 'Group',
  labelPlural: 'Groups',
  keyPrefix: '00G',
  custom: false,
  childRelationshipName: null,
  writable: false,
  fields: [
    field('Id', 'id', { label: 'Group ID' }),
    field('Name', 'string', { length: 40, nillable: false }),
    field('DeveloperName', 'string', { length: 80 }),
    field('Email', 'email'),
    field('Type', 'picklist', { length: 40, picklist: ['Queue', 'Regular'], nillable: false }),
    ...auditFields(),
  ],
};

export const standardObjects: readonly ObjectSchema[] = [
  leadObject,
  contactObject,
  accountObject,
  opportunityObject,
  userObject,
  groupObject,
];

/**
 * What a lookup that may point at a User or a Group shows of its owner: the fields of the entity `Name`.
 * Source: Salesforce object reference, Name.
 */
export const NAME_ENTITY_FIELDS = [
  'Id',
  'Name',
  'FirstName',
  'LastName',
  'Alias',
  'Email',
  'IsActive',
  'Phone',
  'Title',
  'Type',
  'Username',
];
