import { followedObjects, type MappingSet, type ParentRules } from '@libs/mapping';

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

/** One channel for each mapped object and each followed parent that a mapping reads; distinct, in order of the set. */
export function defaultChannels(mappings: MappingSet, rules: ParentRules): string[] {
  return followedObjects(mappings, rules).map(channelOf);
}

/** What each channel is to tell of: its own object, or on a channel of several every object that a mapping reads. */
export function objectsByChannel(
  channels: readonly string[],
  mappings: MappingSet,
  rules: ParentRules,
): Map<string, readonly string[]> {
  const read = followedObjects(mappings, rules);
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
