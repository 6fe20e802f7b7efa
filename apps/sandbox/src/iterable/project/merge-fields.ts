import { isObject, type Json, type JsonObject } from './json.js';

/** How deep `mergeNestedObjects` reaches; only one level is documented. */
export type NestedMerge = 'replace' | 'one-level' | 'deep';

function withoutNulls(value: Json): Json {
  if (!isObject(value)) return value;
  const kept: JsonObject = {};
  for (const name of Object.keys(value)) {
    const inner = value[name] ?? null;
    if (inner !== null) kept[name] = withoutNulls(inner);
  }
  return kept;
}

/**
 * A profile's fields after a write: top-level fields are added or overwritten, omitted ones stay, null removes one. An object
 * replaces the stored one, or is merged into it. The input is not modified.
 */
export function mergeFields(current: JsonObject, incoming: JsonObject, nested: NestedMerge): JsonObject {
  const merged: JsonObject = { ...current };
  for (const name of Object.keys(incoming)) {
    const value = incoming[name] ?? null;
    const held = merged[name];
    if (value === null) delete merged[name];
    else if (nested !== 'replace' && isObject(value) && isObject(held)) {
      merged[name] = mergeFields(held, value, nested === 'deep' ? 'deep' : 'replace');
    } else merged[name] = withoutNulls(value);
  }
  return merged;
}
