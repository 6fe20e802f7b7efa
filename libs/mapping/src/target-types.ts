import type { FieldType } from '@libs/contracts';
import type { Mapping, Scalar, ValueList, ValueType } from './mapping.js';
import { pathsAbove } from './paths.js';

/** What Iterable calls the type of a profile field. */
export type TargetType = FieldType;

/** A number of Salesforce with places after the point is a double, whatever a single value looks like. Source: facts/salesforce.md §7.2. */
const BY_DESCRIBE: Readonly<Record<string, TargetType>> = {
  boolean: 'boolean',
  int: 'long',
  long: 'long',
  double: 'double',
  currency: 'double',
  percent: 'double',
  date: 'date',
  datetime: 'date',
  address: 'object',
  location: 'object',
  ...Object.fromEntries(
    [
      'id',
      'string',
      'textarea',
      'email',
      'phone',
      'url',
      'picklist',
      'multipicklist',
      'combobox',
      'reference',
      'time',
      'base64',
      'encryptedstring',
    ].map((type) => [type, 'string' as const]),
  ),
};

function ofValueType(type: ValueType): TargetType {
  return type === 'list' ? 'string' : type; // Iterable gives a list the type of what is in it
}

function ofScalar(value: Scalar): TargetType {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  return Number.isInteger(value) ? 'long' : 'double';
}

/** One type for all of some values; `undefined` when they have several or there are none. */
function ofScalars(values: readonly Scalar[]): TargetType | undefined {
  const types = new Set(values.map(ofScalar));
  if (types.size === 2 && types.has('long') && types.has('double')) return 'double';
  return types.size === 1 ? [...types][0] : undefined;
}

function ofValueList({ map, others }: ValueList, source: TargetType | undefined): TargetType | undefined {
  const made = ofScalars([...map.values()].filter((value) => value !== null));
  return others === 'clear' || made === source ? made : undefined;
}

/**
 * The type that each target has in Iterable, as far as it is known: from the mapping's `type`, else its value list, its
 * constant or the describe type of its source. The objects on the way to a target are among them.
 */
export function targetTypes(mapping: Mapping, fieldTypes: ReadonlyMap<string, string>): Map<string, TargetType> {
  const types = new Map<string, TargetType>();
  const set = (target: string, found: TargetType | undefined) => {
    if (!target.startsWith('dataFields.')) return;
    for (const path of pathsAbove(target).slice(1)) types.set(path, 'object');
    const given = mapping.types?.get(target);
    const list = mapping.values?.get(target);
    const listed = list === undefined ? found : ofValueList(list, found);
    const type = given === undefined ? listed : ofValueType(given);
    if (type !== undefined) types.set(target, type);
  };
  for (const { source, target } of mapping.fields) set(target, BY_DESCRIBE[fieldTypes.get(source) ?? '']);
  for (const target of mapping.transform?.keys() ?? []) set(target, undefined);
  for (const [target, value] of mapping.constants ?? []) {
    set(target, value === null ? undefined : ofScalars(Array.isArray(value) ? value : [value as Scalar]));
  }
  return types;
}
