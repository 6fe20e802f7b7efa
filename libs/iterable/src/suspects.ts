import { indexIdentifiers } from './identifier-index.js';
import { asObject, type Json } from './json.js';
import type { PackedUser } from './pack.js';

/** `obj.users[17].preferUserId`: the path a BadJsonBody complains about. Source: RudderStack's recorded answers. */
const USER_PATH = /\busers\[(\d+)\]/;

/**
 * Which of the sent users a whole-request refusal points at: indexes, ascending, maybe none.
 * A hint to search there first, not a verdict: BadJsonBody names a row; a type mismatch names the field and the value that
 * offended, and any user with that value is suspect; others may name an identifier, in words or in `params`. What is compared is
 * forgotten: it is personal data. Source: recorded answers, e.g. "Invalid email: …".
 */
export function suspectsOf(sent: readonly PackedUser[], code: string, body: Json): number[] {
  const params = asObject(body['params']) ?? {};
  if (code === 'BadJsonBody') return inOrder(rowsInPaths(Object.keys(params)).filter((row) => row < sent.length));
  if (code === 'RequestFieldsTypesMismatched') return rowsWithValue(sent, asObject(params['validationErrors']) ?? {});
  const index = indexIdentifiers(sent);
  const words = [body['msg'], body['message'], ...Object.values(params)].flatMap(wordsIn);
  return inOrder(words.flatMap((word) => index(word, null)));
}

const inOrder = (rows: readonly number[]) => [...new Set(rows)].toSorted((a, b) => a - b);

function rowsInPaths(paths: readonly string[]): number[] {
  return paths.flatMap((path) => {
    const row = USER_PATH.exec(path)?.[1];
    return row === undefined ? [] : [Number(row)];
  });
}

/** Texts between what separates words and what quotes them, with and without a stop at the end. */
function wordsIn(text: unknown): string[] {
  if (typeof text !== 'string') return [];
  const words = [text, ...text.split(/[\s,;:'"`()[\]<>]+/)].filter((word) => word !== '');
  return words.flatMap((word) => [word, word.replace(/[.!?]$/, '')]);
}

function rowsWithValue(sent: readonly PackedUser[], errors: Json): number[] {
  const mismatches = Object.entries(errors).flatMap(([field, error]) => {
    const details = asObject(error);
    return details !== null && 'offendingValue' in details ? [{ field, value: details['offendingValue'] }] : [];
  });
  if (mismatches.length === 0) return [];
  return sent.flatMap((user, row) => {
    const dataFields = asObject(asObject(JSON.parse(user.json))?.['dataFields']) ?? {};
    return mismatches.some(({ field, value }) => valuesAt(dataFields, field).some((ours) => same(ours, value)))
      ? [row]
      : [];
  });
}

/** A field's values by its name, which holds dots for nested fields: the value as a whole, and each element of an array. */
function valuesAt(fields: Json, name: string): readonly unknown[] {
  if (Object.hasOwn(fields, name)) return withElements(fields[name]);
  return name
    .split('.')
    .reduce<readonly unknown[]>(
      (values, part) => values.flatMap((value) => withElements(asObject(value)?.[part])),
      [fields],
    );
}

const withElements = (value: unknown): readonly unknown[] => (Array.isArray(value) ? [value, ...value] : [value]);

/** The answer may give the value as text, whatever it was. */
function same(ours: unknown, theirs: unknown): boolean {
  if (ours === undefined || ours === null) return false;
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return text(ours) === text(theirs);
}
