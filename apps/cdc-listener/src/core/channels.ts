import { mappingSources, type MappingSet } from '@libs/mapping';

/**
 * Objects by the relationship through which a mapping reads them, as far as their changes are followed. Owners are not: an
 * org gives away five objects, and User needs a permission of its own (facts/salesforce.md §1.4, §3.7); name its channel to follow it.
 */
const FOLLOWED_PARENTS: Readonly<Record<string, string>> = { Account: 'Account' };

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

/** The mapped objects and the followed parents that a mapping reads; distinct, in order of the set. */
function readObjects(mappings: MappingSet): string[] {
  const parents = [...mappings.values()]
    .flatMap(mappingSources)
    .flatMap((source) => FOLLOWED_PARENTS[source.split('.')[0] ?? ''] ?? []);
  return [...new Set([...mappings.keys(), ...parents])];
}

/** One channel for each mapped object and each followed parent that a mapping reads; distinct, in order of the set. */
export function defaultChannels(mappings: MappingSet): string[] {
  return readObjects(mappings).map(channelOf);
}

/** What each channel is to tell of: its own object, or on a channel of several every object that a mapping reads. */
export function objectsByChannel(channels: readonly string[], mappings: MappingSet): Map<string, readonly string[]> {
  const read = readObjects(mappings);
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
