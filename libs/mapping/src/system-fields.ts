import { defaultConsent, personObjects } from './mapping.js';

/** Fields of a record, beside the mapped ones, that say how new it is, whose address it is, and what became of it. */
export const ownSystemFields: readonly string[] = [
  'IsDeleted',
  'SystemModstamp',
  'CreatedDate',
  'IsConverted',
  'ConvertedContactId',
  'MasterRecordId',
];

/** Objects whose records can be merged. Source: facts/salesforce.md §1.5, merge. */
const MERGED_OBJECTS: readonly string[] = ['Lead', 'Contact', 'Account'];

/**
 * Paths of the system fields that can be selected, as far as that is known without describe: every object has them, but a
 * User is never deleted, and an owner may be a queue, which shows no SystemModstamp.
 */
export function assumedSystemFields(object: string, parents: readonly string[]): ReadonlySet<string> {
  const ownedByUsers = ['Account', 'Contact', 'Opportunity'].includes(object);
  const stamped = parents.filter((parent) => parent !== 'Owner' || ownedByUsers);
  return new Set([
    ...(object === 'User' ? [] : ['IsDeleted']),
    'SystemModstamp',
    'CreatedDate',
    ...(object === 'Lead' ? ['IsConverted', 'ConvertedContactId'] : []),
    ...(MERGED_OBJECTS.includes(object) ? ['MasterRecordId'] : []),
    ...(personObjects.includes(object) ? [defaultConsent.source] : []),
    ...stamped.map((parent) => `${parent}.SystemModstamp`),
  ]);
}
