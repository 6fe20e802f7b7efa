import { parseMapping, type Mapping, type MappingSet } from '@libs/mapping';
import { describe, expect, it } from 'vitest';
import { relevantFields, soqlNames, touchesMapping, type DescribedObject, type Relevant } from './touches-mapping.js';

const field = (name: string, own: Partial<DescribedObject['fields'][number]> = {}) => ({
  name,
  type: 'string',
  calculated: false,
  relationshipName: null,
  referenceTo: [],
  ...own,
});
const lookup = (name: string, relationshipName: string, ...referenceTo: string[]) =>
  field(name, { type: 'reference', relationshipName, referenceTo });

const person = ['Id', 'FirstName', 'LastName', 'Name', 'Email', 'IsDeleted', 'SystemModstamp', 'LastModifiedDate'].map(
  (name) => field(name),
);
const described = new Map<string, DescribedObject>(
  [
    {
      name: 'Lead',
      fields: [
        ...person,
        field('City'),
        field('Status'),
        field('Score__c', { calculated: true }),
        lookup('OwnerId', 'Owner', 'Group', 'User'),
      ],
    },
    {
      name: 'Contact',
      fields: [...person, field('MailingCity'), field('MailingState'), lookup('AccountId', 'Account', 'Account')],
    },
    { name: 'Account', fields: [field('Id'), field('Name'), field('Rank__c'), lookup('OwnerId', 'Owner', 'User')] },
    { name: 'User', fields: [field('Id'), field('Email'), field('Name')] },
    { name: 'Group', fields: [field('Id'), field('Name')] },
  ].map((object) => [object.name, object]),
);

const mappings = (of: Record<string, readonly string[]>): MappingSet =>
  new Map(
    Object.entries(of).map(([object, sources]) => {
      const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
      return [object, parseMapping(`${object}.yaml`, [`object: ${object}`, 'fields:', ...lines].join('\n')) as Mapping];
    }),
  );

function relevant(of: Record<string, readonly string[]>): ReadonlyMap<string, Relevant> {
  const found = relevantFields(mappings(of), described);
  if ('missing' in found) throw new Error(`not described: ${found.missing.join(', ')}`);
  return found;
}

describe('soqlNames', () => {
  it.each([
    ['Status', 'Status'],
    ['Name.FirstName', 'FirstName'],
    ['Name.FirstName', 'Name'],
    ['Name', 'LastName'],
    ['BillingAddress.Street', 'BillingStreet'],
    ['BillingAddress.Street', 'BillingAddress'],
    ['MailingAddress.PostalCode', 'MailingPostalCode'],
    ['MailingAddress.State', 'MailingStateCode'],
    ['MailingAddress.CountryCode', 'MailingCountry'],
    ['Address.City', 'City'],
    ['Address', 'City'],
    ['OtherAddress', 'OtherLatitude'],
    ['Place__c.Latitude', 'Place__Latitude__s'],
    ['Place__c', 'Place__Longitude__s'],
  ])('%s is %s', (changed, name) => {
    expect(soqlNames(changed)).toContain(name);
  });

  it.each([
    ['Name.FirstName', 'LastName'],
    ['BillingAddress.Street', 'Street'],
    ['BillingAddress.City', 'ShippingCity'],
  ])('%s is not %s', (changed, name) => {
    expect(soqlNames(changed)).not.toContain(name);
  });
});

describe('touchesMapping', () => {
  it.each<[string, Record<string, string[]>, string, string[], boolean]>([
    ['a mapped field', { Lead: ['Email'] }, 'Lead', ['Email', 'LastModifiedDate'], true],
    ['no mapped field', { Lead: ['Email'] }, 'Lead', ['Status', 'LastModifiedDate'], false],
    ['a mapped part of the name', { Lead: ['FirstName'] }, 'Lead', ['Name.FirstName'], true],
    ['another part of the name', { Lead: ['FirstName'] }, 'Lead', ['Name.LastName'], false],
    ['a part of the mapped name', { Lead: ['Name'] }, 'Lead', ['Name.LastName'], true],
    ["a Lead's city", { Lead: ['City'] }, 'Lead', ['Address.City'], true],
    ["a Contact's city", { Contact: ['MailingCity'] }, 'Contact', ['MailingAddress.City'], true],
    ["a Contact's other state name", { Contact: ['MailingState'] }, 'Contact', ['MailingAddress.StateCode'], true],
    ['unknown fields', { Lead: ['Email'] }, 'Lead', [], true],
    ['another owner', { Lead: ['Owner.Email'] }, 'Lead', ['OwnerId'], true],
    ['another account', { Contact: ['Account.Name'] }, 'Contact', ['AccountId'], true],
    ["an account's mapped field", { Contact: ['Account.Name'] }, 'Account', ['Name'], true],
    ["an account's other field", { Contact: ['Account.Name'] }, 'Account', ['Rank__c'], false],
    ["an account's other owner, read through it", { Contact: ['Account.Owner.Email'] }, 'Account', ['OwnerId'], true],
    ["an owner's email", { Contact: ['Account.Owner.Email'] }, 'User', ['Email'], true],
    ["an owner's name", { Contact: ['Account.Owner.Email'] }, 'User', ['Name'], false],
    ['anything, with a formula mapped', { Lead: ['Email', 'Score__c'] }, 'Lead', ['Status'], true],
    ['anything, with a field that events leave out', { Lead: ['LastModifiedDate'] }, 'Lead', ['Status'], true],
    ['anything, with the stamp itself mapped', { Lead: ['SystemModstamp'] }, 'Lead', ['Status'], true],
    ['anything, with a field that the org hides', { Lead: ['Email', 'Hidden__c'] }, 'Lead', ['Status'], true],
    ['anything, through a lookup that the org hides', { Lead: ['Partner__r.Name'] }, 'Lead', ['Status'], true],
    ['only the id mapped', { Lead: ['Id'] }, 'Lead', ['Status'], false],
    ['an object that nobody reads', { Lead: ['Email'] }, 'Opportunity', ['Name'], false],
  ])('%s', (_what, of, object, changedFields, expected) => {
    expect(touchesMapping({ object, changedFields }, relevant(of))).toBe(expected);
  });
});

describe('relevantFields', () => {
  it('asks for the objects that it needs, parents after their children', () => {
    const set = mappings({ Contact: ['Account.Owner.Email'] });
    const known = new Map<string, DescribedObject>();
    const asked: string[][] = [];
    for (;;) {
      const found = relevantFields(set, known);
      if (!('missing' in found)) break;
      asked.push([...found.missing]);
      for (const name of found.missing) known.set(name, described.get(name) ?? { name, fields: [] });
    }
    expect(asked).toEqual([['Contact'], ['Account'], ['User']]);
  });
});
