/**
 * What Iterable must hold for a Lead, written by hand from mappings/Lead.yaml, without the product's mapper: the second
 * opinion that the stories compare with.
 */
type Row = Record<string, unknown>;

/** Salesforce's `2022-11-09T01:46:18.000+0000` as Iterable takes it. */
export function iterableDateTime(text: unknown): string | null {
  if (typeof text !== 'string') return null;
  return `${text.slice(0, 10)} ${text.slice(11, 19)} +00:00`;
}

/** Removes what is null, at any depth: Iterable shows no field for it. */
export function withoutNulls(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const kept = Object.entries(value as Row)
    .map(([key, inner]) => [key, withoutNulls(inner)] as const)
    .filter(([, inner]) => inner !== null && inner !== undefined);
  return Object.fromEntries(kept);
}
