import { isObject, type Json } from './json.js';

/** The types a field can have. Source: facts/iterable.md §4. */
export const fieldTypes = ['string', 'date', 'long', 'double', 'boolean', 'geo_location', 'object', 'nested'] as const;
export type FieldType = (typeof fieldTypes)[number];

/** How far a value of one type is taken for a field of another; `widen` takes a whole number for a double and no more. */
export const coercions = ['widen', 'numeric', 'lenient'] as const;
export type Coercion = (typeof coercions)[number];

/** Date forms beyond the ones that are known to work, by name. */
export const extraDateFormats = {
  /** `2026-11-24T08:15:30Z`, `…+00:00`. */
  'iso-without-millis': /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:Z|[+-]\d\d:\d\d)$/,
  /** Salesforce REST's own form, `2026-11-24T08:15:30.000+0000`. */
  'salesforce-offset': /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}[+-]\d{4}$/,
} as const;
export type ExtraDateFormat = keyof typeof extraDateFormats;

export interface TypeRules {
  coercion: Coercion;
  extraDateFormats: readonly ExtraDateFormat[];
  /** Does the project have nested fields (arrays of objects matched as a whole)? */
  nestedFields: boolean;
}

/** Date only, with a space and no milliseconds, or with T and milliseconds. Source: facts/iterable.md §4, production list. */
const DATE_FORMATS = [
  /^(\d{4})-(\d\d)-(\d\d)$/,
  /^(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?: [+-]\d\d:\d\d)?$/,
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.\d{3}(?:Z|[+-]\d\d:\d\d)$/,
];

function isRealDate(match: RegExpExecArray): boolean {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
}

export function isDate(text: string, extra: readonly ExtraDateFormat[] = []): boolean {
  // Every form begins yyyy-: a cheap look spares most strings five patterns.
  if (text.length < 10 || text[4] !== '-') return false;
  for (const format of [...DATE_FORMATS, ...extra.map((name) => extraDateFormats[name])]) {
    const match = format.exec(text);
    if (match) return isRealDate(match);
  }
  return false;
}

function isGeoLocation(name: string, value: Json): boolean {
  return (
    name.endsWith('_geo_location') &&
    isObject(value) &&
    typeof value['lat'] === 'number' &&
    typeof value['lon'] === 'number'
  );
}

/** A type's name in an error's `incomingTypes`: strings are indexed twice. */
export type IncomingType = FieldType | 'keyword';

const STRING: readonly IncomingType[] = ['string', 'keyword'];
const DATE: readonly IncomingType[] = ['date', 'string', 'keyword'];
const LONG: readonly IncomingType[] = ['long', 'double'];
const DOUBLE: readonly IncomingType[] = ['double'];
const BOOLEAN: readonly IncomingType[] = ['boolean'];
const GEO: readonly IncomingType[] = ['geo_location'];
const OBJECT: readonly IncomingType[] = ['object'];
const NESTED: readonly IncomingType[] = ['nested'];
const NOTHING: readonly IncomingType[] = [];

/**
 * Every type a value can be of, the one it would fix for a new field first; an array is of its elements' common types.
 * Empty: an array of mixed values. `null`: the value says nothing about a type (null, an empty array).
 */
export function possibleTypes(
  name: string,
  value: Json,
  isDecimal: boolean,
  rules: TypeRules,
): readonly IncomingType[] | null {
  switch (typeof value) {
    case 'string':
      return isDate(value, rules.extraDateFormats) ? DATE : STRING;
    case 'number':
      return Number.isInteger(value) && !isDecimal ? LONG : DOUBLE;
    case 'boolean':
      return BOOLEAN;
    default:
  }
  if (value === null) return null;
  if (!Array.isArray(value)) return isGeoLocation(name, value) ? GEO : OBJECT;
  let common: readonly IncomingType[] | null = null;
  for (const element of value) {
    const types = possibleTypes(name, element, isDecimal, rules);
    if (types === null) continue;
    common = common === null ? types : common.filter((type) => types.includes(type));
  }
  if (common === null) return null;
  return rules.nestedFields && common[0] === 'object' ? NESTED : common.length === 0 ? NOTHING : common;
}

/** The name as a field's type: `keyword` is how a string is indexed, not a type. */
export function toFieldType(type: IncomingType | undefined): FieldType {
  return type === undefined || type === 'keyword' ? 'string' : type;
}

const isNumeric = (value: Json): boolean =>
  typeof value === 'number' || (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value));

/** May a value go into a field of this type? */
export function accepts(
  expected: FieldType,
  incoming: readonly IncomingType[],
  value: Json,
  coercion: Coercion,
): boolean {
  if (incoming.includes(expected)) return true;
  if (coercion === 'widen') return false;
  const values = Array.isArray(value) ? value : [value];
  if (expected === 'long' || expected === 'double') return values.every(isNumeric);
  if (coercion === 'numeric') return false;
  if (expected === 'string') return values.every((one) => typeof one === 'number' || typeof one === 'boolean');
  return expected === 'boolean' && values.every((one) => one === 'true' || one === 'false');
}
