import { compileMapping, type MappingSet } from '@libs/mapping';

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

const OBJECT_CHANNEL = /^\/data\/(\w+?)(__)?ChangeEvent$/;

/** Channel of one object: `/data/LeadChangeEvent`, `/data/Invoice__ChangeEvent` for `Invoice__c`. */
export function channelOf(object: string): string {
  return `/data/${object.endsWith('__c') ? object.slice(0, -1) : object}ChangeEvent`;
}

/** The object of a channel of one; `null` for `/data/ChangeEvents` and custom channels, whose events name theirs. */
function objectOf(channel: string): string | null {
  const [, name, custom] = OBJECT_CHANNEL.exec(channel) ?? [];
  if (name === undefined) return null;
  return custom === undefined ? name : `${name}__c`;
}

/** The mapped objects and the followed parents that a mapping reads, directly or through others; distinct, in order of the set. */
function readObjects(mappings: MappingSet, { owners }: ParentRules): string[] {
  const relationships = [...mappings.values()].flatMap((mapping) => compileMapping(mapping).parents);
  const parents = relationships.flatMap((path) => FOLLOWED_PARENTS[path.split('.').at(-1) ?? ''] ?? []);
  const followed = parents.filter((object) => owners || object !== 'User');
  return [...new Set([...mappings.keys(), ...followed])];
}

/** One channel for each mapped object and each followed parent that a mapping reads; distinct, in order of the set. */
export function defaultChannels(mappings: MappingSet, rules: ParentRules): string[] {
  return readObjects(mappings, rules).map(channelOf);
}

/** What each channel is to tell of: its own object, or on a channel of several every object that a mapping reads. */
export function objectsByChannel(
  channels: readonly string[],
  mappings: MappingSet,
  rules: ParentRules,
): Map<string, readonly string[]> {
  const read = readObjects(mappings, rules);
  return new Map(
    channels.map((channel) => {
      const own = objectOf(channel);
      return [channel, own === null ? read : [own]];
    }),
  );
}

/** Are they the same channels, telling of the same objects? */
export function sameChannels(
  a: ReadonlyMap<string, readonly string[]>,
  b: ReadonlyMap<string, readonly string[]>,
): boolean {
  const text = (channels: ReadonlyMap<string, readonly string[]>) =>
    [...channels]
      .map(([channel, objects]) => [channel, ...objects.toSorted()].join(' '))
      .toSorted()
      .join('\n');
  return text(a) === text(b);
}
