import type { ObjectSchema } from '../schema/types.js';
import { UnknownNameError } from '../errors.js';
import type { CustomChannel } from '../options.js';

/** `/data/LeadChangeEvent`, or `/data/My__ChangeEvent` for `My__c`. Source: facts/salesforce.md §1.4. */
export function entityChannel(object: ObjectSchema): string {
  return object.custom ? `/data/${object.name.replace(/__c$/, '')}__ChangeEvent` : `/data/${object.name}ChangeEvent`;
}

/**
 * Every channel of the org and the entities whose events it carries: one for each selected entity, `/data/ChangeEvents`
 * with all of them, and the custom ones. Throws when a custom channel has a bad name or names an unknown entity.
 */
export function channelsOf(
  objects: readonly ObjectSchema[],
  selected: readonly string[],
  custom: readonly CustomChannel[],
): Map<string, readonly string[]> {
  const channels = new Map<string, readonly string[]>([['/data/ChangeEvents', selected]]);
  const known = new Map(objects.map((one) => [one.name, one]));
  for (const name of selected) {
    const object = known.get(name);
    if (object === undefined) throw new Error(`no object ${name} to select for change events`);
    channels.set(entityChannel(object), [name]);
  }
  for (const [name, entities] of customChannels(objects, custom)) channels.set(name, entities);
  return channels;
}

/** Full names and members of custom channels. Throws on a bad name and on an unknown entity. */
export function customChannels(
  objects: readonly ObjectSchema[],
  custom: readonly CustomChannel[],
): Array<[name: string, entities: readonly string[]]> {
  return custom.map(({ name, entities }) => {
    if (!/^\w+__chn$/.test(name)) throw new UnknownNameError(`custom channel ${name} must end in __chn`);
    const unknown = entities.find((one) => !objects.some((object) => object.name === one));
    if (unknown !== undefined) throw new UnknownNameError(`custom channel ${name} names no known object: ${unknown}`);
    return [`/data/${name}`, entities];
  });
}
