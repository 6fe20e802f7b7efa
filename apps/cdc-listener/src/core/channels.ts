import type { MappingSet } from '@libs/mapping';

/**
 * Objects by the relationship through which a mapping reads them, as far as their changes are followed. Owners are not: an
 * org gives away five objects, and User needs a permission of its own (facts/salesforce.md §1.4, §3.7); name its channel to follow it.
 */
const FOLLOWED_PARENTS: Readonly<Record<string, string>> = { Account: 'Account' };

/** Channel of one object: `/data/LeadChangeEvent`, `/data/Invoice__ChangeEvent` for `Invoice__c`. */
export function channelOf(object: string): string {
  return `/data/${object.endsWith('__c') ? object.slice(0, -1) : object}ChangeEvent`;
}

/** One channel for each mapped object and each followed parent that a mapping reads; distinct, in order of the set. */
export function defaultChannels(mappings: MappingSet): string[] {
  const objects = [...mappings.keys()];
  const parents = [...mappings.values()].flatMap(({ fields }) =>
    fields.flatMap(({ source }) => FOLLOWED_PARENTS[source.split('.')[0] ?? ''] ?? []),
  );
  return [...new Set([...objects, ...parents])].map(channelOf);
}
