import { compileMapping, mappingSources, type MappingSet } from '@libs/mapping';

/** What describe says of an object, as far as it is read here. */
export interface DescribedObject {
  readonly name: string;
  readonly fields: ReadonlyArray<{
    readonly name: string;
    readonly type: string;
    readonly calculated: boolean;
    readonly relationshipName: string | null;
    readonly referenceTo: readonly string[];
  }>;
}

/**
 * The fields of an object whose change matters to some mapping, by their names in SOQL; `all`: something is read that events
 * cannot show, so that no change may be dropped.
 */
export type Relevant = ReadonlySet<string> | 'all';

/**
 * Never in the changed fields of an event, or not each time that they change. Source: facts/salesforce.md §1.5, §1.7.
 */
const UNSHOWN: ReadonlySet<string> = new Set([
  'SystemModstamp',
  'LastModifiedDate',
  'LastActivityDate',
  'LastViewedDate',
  'LastReferencedDate',
  'PhotoUrl',
]);
/** Never change, or with an event of another type than UPDATE. */
const CONSTANT: ReadonlySet<string> = new Set(['Id', 'IsDeleted', 'CreatedDate', 'CreatedById']);
const NAME_PARTS = ['FirstName', 'LastName', 'MiddleName', 'Salutation', 'Suffix'];
const ADDRESS_PARTS = ['Street', 'City', 'State', 'StateCode', 'PostalCode', 'Country', 'CountryCode'];
const PLACE_PARTS = ['Latitude', 'Longitude', 'GeocodeAccuracy'];

/**
 * The SOQL names that a changed field of an event stands for: `Name.FirstName` is FirstName and a part of Name,
 * `BillingAddress.Street` is BillingStreet and a part of BillingAddress, `Address.City` of a Lead is City.
 */
export function soqlNames(changed: string): string[] {
  const [whole = '', part] = changed.split('.');
  if (part === undefined) return [whole, ...partsOf(whole)];
  return [whole, ...componentNames(whole, part)];
}

/** A compound field that is named as a whole: any of its parts may have changed. */
function partsOf(whole: string): string[] {
  if (whole === 'Name') return NAME_PARTS;
  if (whole.endsWith('Address'))
    return [...ADDRESS_PARTS, ...PLACE_PARTS].flatMap((part) => componentNames(whole, part));
  if (whole.endsWith('__c')) return PLACE_PARTS.flatMap((part) => componentNames(whole, part));
  return [];
}

function componentNames(whole: string, part: string): string[] {
  if (whole.endsWith('__c')) return [`${whole.slice(0, -1)}${part}__s`];
  if (!whole.endsWith('Address')) return [part];
  const before = whole.slice(0, -'Address'.length);
  // A state or country of a picklist is one value with two names, of which an event may show either
  const twin = /^(State|Country)(Code)?$/.exec(part);
  const names = twin === null ? [part] : [twin[1] ?? '', `${twin[1]}Code`];
  return names.map((name) => `${before}${name}`);
}

/**
 * May this UPDATE change what some mapping reads? `true` whenever that cannot be told: without changed fields, for an object
 * that is not described, for one of whose fields events do not show every change. An object that no mapping reads is never
 * touched.
 */
export function touchesMapping(
  { object, changedFields }: { readonly object: string; readonly changedFields: readonly string[] },
  relevant: ReadonlyMap<string, Relevant>,
): boolean {
  if (changedFields.length === 0) return true;
  const fields = relevant.get(object);
  if (fields === undefined) return false;
  if (fields === 'all') return true;
  return changedFields.flatMap(soqlNames).some((name) => fields.has(name));
}

/**
 * Which fields matter, of the mapped objects and of every parent on the way of their paths: a path through a lookup is
 * touched by the lookup's own field on this side, and by the rest of the path on the other.
 *
 * Output: the answer; or, while objects are not described, the names of those to describe next, for another call with them.
 */
export function relevantFields(
  mappings: MappingSet,
  described: ReadonlyMap<string, DescribedObject>,
): ReadonlyMap<string, Relevant> | { readonly missing: readonly string[] } {
  const found = new Map<string, Set<string> | 'all'>();
  const missing = new Set<string>();

  const walk = (object: string, path: readonly string[]): void => {
    const fields = found.get(object) ?? new Set();
    found.set(object, fields);
    const shape = described.get(object);
    if (shape === undefined) return void missing.add(object);
    const [first = '', ...rest] = path;
    if (rest.length === 0 && CONSTANT.has(first)) return;
    const field = shape.fields.find(({ name, relationshipName }) =>
      rest.length === 0 ? name === first : relationshipName === first,
    );
    if (field === undefined || field.calculated || UNSHOWN.has(field.name)) found.set(object, 'all');
    else if (fields !== 'all') fields.add(field.name);
    if (rest.length > 0) for (const parent of field?.referenceTo ?? []) walk(parent, rest);
  };

  for (const [object, mapping] of mappings) {
    // What else the query selects counts too, where the org shows it, but for the stamps, which are read for the version only
    const selected = compileMapping(mapping).select.filter(
      (path) => !/(^|\.)SystemModstamp$/.test(path) && described.get(object)?.fields.some(({ name }) => name === path),
    );
    for (const path of new Set([...mappingSources(mapping), ...selected])) walk(object, path.split('.'));
  }
  return missing.size > 0 ? { missing: [...missing] } : found;
}
