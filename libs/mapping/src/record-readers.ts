/** A row as SOQL over REST gives it: parents as nested objects, `null` where a lookup is empty. */
export type SourceRecord = { readonly [field: string]: unknown };

/** Reads a value of a row. `null`: it is empty; `undefined`: the row does not have it. */
export type Read = (record: SourceRecord) => unknown;

/** Reads a path. `null` where a parent on the way is empty, `undefined` where the row does not have it. */
export function reader(path: string): Read {
  const segments = path.split('.');
  const [first, second] = segments as [string, string | undefined];
  if (second === undefined) return (record) => record[first];
  if (segments.length === 2) return (record) => step(record[first], second);
  return (record) => segments.reduce<unknown>(step, record);
}

function step(parent: unknown, name: string): unknown {
  return parent === null || parent === undefined ? parent : (parent as SourceRecord)[name];
}

/** A Salesforce datetime as epoch milliseconds; `null` when it is none. */
export function toEpochMs(value: unknown): number | null {
  if (typeof value !== 'string') return null;
  const parsed = Date.parse(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'));
  return Number.isNaN(parsed) ? null : parsed;
}
