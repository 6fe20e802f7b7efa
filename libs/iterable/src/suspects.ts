import type { PackedUser } from './pack.js';
import { asObject } from './user-verdicts.js';

/** `obj.users[17].preferUserId`: the path a BadJsonBody complains about. Source: RudderStack's recorded answers. */
const USER_PATH = /\busers\[(\d+)\]/;

/**
 * Which of the sent users a whole-request refusal points at: indexes, ascending, maybe none.
 * A hint to search there first, not a verdict: BadJsonBody names a row; a type mismatch names the field and the value that
 * offended, and any user with that value is suspect. The value is compared and forgotten: it is personal data.
 */
export function suspectsOf(sent: readonly PackedUser[], code: string, params: unknown): number[] {
  const complaints = asObject(params) ?? {};
  if (code === 'BadJsonBody') {
    const rows = Object.keys(complaints).flatMap((path) => {
      const row = USER_PATH.exec(path)?.[1];
      return row === undefined ? [] : [Number(row)];
    });
    return [...new Set(rows)].filter((row) => row < sent.length).toSorted((a, b) => a - b);
  }
  if (code !== 'RequestFieldsTypesMismatched') return [];
  const mismatches = Object.entries(asObject(complaints['validationErrors']) ?? {}).flatMap(([field, error]) => {
    const details = asObject(error);
    return details !== null && 'offendingValue' in details ? [{ field, value: details['offendingValue'] }] : [];
  });
  if (mismatches.length === 0) return [];
  return sent.flatMap((user, row) => {
    const { dataFields } = JSON.parse(user.json) as { readonly dataFields?: Readonly<Record<string, unknown>> };
    return mismatches.some(({ field, value }) => same(valueAt(dataFields, field), value)) ? [row] : [];
  });
}

/** A field's value by its name, which holds dots for nested fields. */
function valueAt(fields: Readonly<Record<string, unknown>> | undefined, name: string): unknown {
  if (fields === undefined) return undefined;
  if (name in fields) return fields[name];
  return name.split('.').reduce<unknown>((value, part) => asObject(value)?.[part], fields);
}

/** The answer may give the value as text, whatever it was. */
function same(ours: unknown, theirs: unknown): boolean {
  if (ours === undefined || ours === null) return false;
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return text(ours) === text(theirs);
}
