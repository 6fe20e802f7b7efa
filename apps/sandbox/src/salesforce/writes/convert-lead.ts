import { SalesforceError } from '../errors.js';
import type { ObjectSchema } from '../schema/types.js';
import type { StoredRecord } from '../store/values.js';
import type { Transaction } from './transaction.js';

/** What is asked when a lead is converted. Ids may have 15 or 18 characters. */
export interface LeadConversion {
  readonly leadId: string;
  /** An account to use instead of a new one. */
  readonly accountId?: string | undefined;
  /** A contact to use instead of a new one; its account is used too. */
  readonly contactId?: string | undefined;
  /** Default true. */
  readonly createOpportunity?: boolean | undefined;
}

export interface ConvertedLead {
  readonly leadId: string;
  readonly accountId: string;
  readonly contactId: string;
  readonly opportunityId: string | null;
}

const CONVERTED_STATUS = 'Closed - Converted';
const ADDRESS = ['Street', 'City', 'State', 'PostalCode', 'Country'];

/**
 * Converts a lead as Salesforce does: account, contact and opportunity are created, or filled in where they exist and are
 * blank, and the lead is closed; one transaction, in this order. Source: facts/salesforce.md §1.7.
 */
export function convertLead(transaction: Transaction, asked: LeadConversion): ConvertedLead {
  const object = (name: string) => objectNamed(transaction, name);
  const lead = transaction.alive(object('Lead'), asked.leadId);
  if (lead['IsConverted'] === 1) {
    throw new SalesforceError(400, 'CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
  }
  const contact = asked.contactId === undefined ? null : transaction.alive(object('Contact'), asked.contactId);
  const knownAccount = asked.accountId ?? contact?.['AccountId'] ?? null;
  const ownerId = ownerOf(transaction, lead);
  const accountId =
    knownAccount === null
      ? transaction.create(object('Account'), accountOf(lead, ownerId))
      : String(transaction.alive(object('Account'), String(knownAccount))['Id']);
  const wanted = { ...contactOf(lead), AccountId: accountId };
  const contactId =
    contact === null
      ? transaction.create(object('Contact'), { ...wanted, ...consentOf(lead), OwnerId: ownerId })
      : fillIn(transaction, object('Contact'), contact, wanted);
  const opportunityId =
    asked.createOpportunity === false
      ? null
      : transaction.create(object('Opportunity'), {
          ...opportunityOf(transaction, lead),
          AccountId: accountId,
          OwnerId: ownerId,
        });
  const leadId = transaction.update(object('Lead'), lead, {
    Status: CONVERTED_STATUS,
    IsConverted: 1,
    ConvertedDate: dateOf(transaction.second),
    ConvertedAccountId: accountId,
    ConvertedContactId: contactId,
    ConvertedOpportunityId: opportunityId,
  });
  return { leadId, accountId, contactId, opportunityId };
}

/** The object's schema. Throws when this org does not have it. */
function objectNamed(transaction: Transaction, name: string): ObjectSchema {
  const object = transaction.store.schema.object(name);
  if (object === null) throw new SalesforceError(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`);
  return object;
}

/** A queue cannot own what comes of a lead: whoever converts it does then. */
function ownerOf({ author, store }: Transaction, lead: StoredRecord): string {
  const ownerId = String(lead['OwnerId']);
  return store.schema.objectOfId(ownerId)?.name === 'User' ? ownerId : author.userId;
}

function accountOf(lead: StoredRecord, ownerId: string): StoredRecord {
  return {
    ...copied(lead, ['Phone', 'Fax', 'Website', 'Industry', 'AnnualRevenue', 'NumberOfEmployees', 'Rating']),
    ...addressOf(lead, 'Billing'),
    Name: lead['Company'] ?? null,
    AccountSource: lead['LeadSource'] ?? null,
    OwnerId: ownerId,
  };
}

function contactOf(lead: StoredRecord): StoredRecord {
  const same = ['Salutation', 'FirstName', 'LastName', 'Title', 'Email', 'Phone', 'MobilePhone', 'Fax', 'LeadSource'];
  return { ...copied(lead, [...same, 'Description']), ...addressOf(lead, 'Mailing') };
}

/** A new contact takes over what the lead consented to; an existing one keeps its own. Source: §8, trap 26. */
function consentOf(lead: StoredRecord): StoredRecord {
  return copied(lead, ['HasOptedOutOfEmail', 'HasOptedOutOfFax', 'DoNotCall']);
}

function opportunityOf({ second }: Transaction, lead: StoredRecord): StoredRecord {
  const today = new Date(second);
  const quarterEnd = Date.UTC(today.getUTCFullYear(), 3 * (Math.floor(today.getUTCMonth() / 3) + 1), 0);
  return {
    Name: `${lead['Company']}-`,
    StageName: 'Prospecting',
    Probability: 10,
    CloseDate: dateOf(quarterEnd),
    LeadSource: lead['LeadSource'] ?? null,
  };
}

/** Writes only into blank fields. Without one there is nothing to write, and no event. */
function fillIn(transaction: Transaction, object: ObjectSchema, record: StoredRecord, wanted: StoredRecord): string {
  const blank = Object.entries(wanted).filter(([name, value]) => value !== null && record[name] === null);
  return blank.length === 0 ? String(record['Id']) : transaction.update(object, record, Object.fromEntries(blank));
}

function addressOf(lead: StoredRecord, prefix: string): StoredRecord {
  return Object.fromEntries(ADDRESS.map((part) => [prefix + part, lead[part] ?? null]));
}

function copied(record: StoredRecord, names: readonly string[]): StoredRecord {
  return Object.fromEntries(names.map((name) => [name, record[name] ?? null]));
}

const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);
