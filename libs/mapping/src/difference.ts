import { isSameValue } from './same-value.js';
import type { TargetType } from './target-types.js';

/** What a write does to one field of a profile. */
export interface FieldDifference {
  /** As a mapping spells it: `dataFields.Name.First`; `email` and `userId` for the identifiers. */
  readonly path: string;
  /**
   * `cleared`: the body says null. `lost`: the body does not name it; it goes because the object that holds it is replaced.
   */
  readonly kind: 'added' | 'changed' | 'cleared' | 'lost';
  /** Absent where there was nothing. */
  readonly before?: unknown;
  /** Absent where nothing is left. */
  readonly after?: unknown;
}

type Fields = Readonly<Record<string, unknown>>;

export interface DifferenceOptions {
  /** Are nested objects replaced whole, instead of merged? */
  readonly replaceNested: boolean;
  /** Types by target, see `CompiledMapping.targetTypes`: how values compare. */
  readonly types?: ReadonlyMap<string, TargetType>;
}

/**
 * What becomes of a profile when a body is written: only fields that come to another value, in the order of the body, the lost
 * ones last. Empty: the write changes nothing.
 *
 * Input: the fields of the profile, `{}` when there is none; those of the body, `null` where a field is cleared. What the body
 * does not name stays, Iterable's own fields above all. Merging is documented for the keys of a top-level object; an object
 * inside of it is replaced whole. Source: facts/iterable.md §1.1. Values compare as Iterable keeps them, see `isSameValue`.
 */
export function differenceOf(
  profile: Fields,
  body: Fields,
  { replaceNested, types }: DifferenceOptions,
): FieldDifference[] {
  const before = leavesOf(profile);
  const after = leavesOf(written(profile, body, replaceNested ? 1 : 2));
  const paths = new Set([...leavesOf(body, true).keys(), ...after.keys(), ...before.keys()]);
  const found: FieldDifference[] = [];
  for (const key of paths) {
    const [old, now] = [before.get(key), after.get(key)];
    const path = key === 'email' || key === 'userId' ? key : `dataFields.${key}`;
    if (isSameValue(old, now, types?.get(path), key === 'email')) continue;
    if (now !== undefined)
      found.push({ path, kind: old === undefined ? 'added' : 'changed', ...given('before', old), after: now });
    else found.push({ path, kind: isCleared(body, key) ? 'cleared' : 'lost', before: old });
  }
  return found;
}

function given(name: 'before', value: unknown): { readonly before?: unknown } {
  return value === undefined ? {} : { [name]: value };
}

/** The fields after a write; `levels`: how many levels of objects are merged, the fields themselves being the first. */
function written(stored: Fields, sent: Fields, levels: number): Fields {
  const fields: Record<string, unknown> = { ...stored };
  for (const [name, value] of Object.entries(sent)) {
    const held = stored[name];
    fields[name] = levels > 1 && isObject(value) && isObject(held) ? written(held, value, levels - 1) : value;
  }
  return fields;
}

/** Values by dotted path; what is empty is not there, unless it is asked for. */
function leavesOf(
  fields: Fields,
  withNulls = false,
  above = '',
  found = new Map<string, unknown>(),
): Map<string, unknown> {
  for (const [name, value] of Object.entries(fields)) {
    const path = `${above}${name}`;
    if (isObject(value)) leavesOf(value, withNulls, `${path}.`, found);
    else if (withNulls || (value !== null && value !== undefined)) found.set(path, value);
  }
  return found;
}

/** Does the body say null for the field, or for an object that held it? */
function isCleared(body: Fields, path: string): boolean {
  let value: unknown = body;
  for (const name of path.split('.')) {
    if (!isObject(value)) break;
    value = value[name];
  }
  return value === null;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
