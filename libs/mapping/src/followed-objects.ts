import { compileMapping } from './compile-mapping.js';
import type { MappingSet } from './mapping.js';

/**
 * Objects by the standard relationships that always lead to them. Channels are chosen before the org can be asked, and an
 * org gives away five objects (facts/salesforce.md §3.7): for parents of other names, custom ones above all, name the channel.
 */
const FOLLOWED_PARENTS: Readonly<Record<string, string>> = {
  Account: 'Account',
  Contact: 'Contact',
  CreatedBy: 'User',
  LastModifiedBy: 'User',
  Lead: 'Lead',
  Owner: 'User',
  ReportsTo: 'Contact',
};

/** Which parents are followed. */
export interface ParentRules {
  /** Users, who own records and show on them. */
  readonly owners: boolean;
}

/**
 * The objects whose change events the mappings need: the mapped ones, and the followed parents that they read, directly or
 * through others; distinct, in order of the set.
 */
export function followedObjects(mappings: MappingSet, { owners }: ParentRules): string[] {
  const relationships = [...mappings.values()].flatMap((mapping) => compileMapping(mapping).parents);
  const parents = relationships.flatMap((path) => FOLLOWED_PARENTS[path.split('.').at(-1) ?? ''] ?? []);
  const followed = parents.filter((object) => owners || object !== 'User');
  return [...new Set([...mappings.keys(), ...followed])];
}
