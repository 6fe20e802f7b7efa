/** Maps and objects as lists of pairs in the order of their keys, without what is absent: two that mean the same are the same text as JSON. */
export function canonical(value: unknown): unknown {
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
