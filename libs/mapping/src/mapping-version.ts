import { contentHash } from './content-hash.js';
import type { Mapping } from './mapping.js';

/** A hash of everything in a mapping that changes what becomes of a record; the order of lines and the file's name do not count. */
export function mappingVersion({ file: _file, fields, ...blocks }: Mapping): string {
  const lines = fields.map(({ source, target }) => [source, target]);
  return contentHash(JSON.stringify(canonical({ ...blocks, fields: new Map(lines as Array<[string, string]>) })));
}

/** Maps and objects as lists of pairs in the order of their keys, without what is absent. */
function canonical(value: unknown): unknown {
  if (value instanceof Map) return pairs([...value]);
  if (Array.isArray(value)) return value.map(canonical);
  return value !== null && typeof value === 'object' ? pairs(Object.entries(value)) : value;
}

function pairs(entries: ReadonlyArray<readonly [string, unknown]>): unknown {
  return entries
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, canonical(value)]);
}
