import type { DeadCode } from './codes.js';
import { kindOfList, type IdentifierKind } from './identifier-index.js';
import { asObject, type Json } from './json.js';

/** A value of a list of failed users. */
export interface ListedFailure {
  readonly code: DeadCode;
  readonly value: string;
  readonly kind: IdentifierKind | null;
  /** Is it said where identifiers stand, or only found in a list of unknown shape? */
  readonly certain: boolean;
}

/** The lists of failed users, gravest first: a user in several gets the first. Source: Iterable API docs, UserBulkUpdateListResponse. */
const FAILURE_CODES: ReadonlyMap<string, DeadCode> = new Map([
  ['forgottenEmails', 'iterable.forgotten'],
  ['forgottenUserIds', 'iterable.forgotten'],
  ['conflictEmails', 'iterable.identity_conflict'],
  ['conflictUserIds', 'iterable.identity_conflict'],
  ['invalidDataEmails', 'iterable.invalid_data'],
  ['invalidDataUserIds', 'iterable.invalid_data'],
  ['notFoundEmails', 'iterable.unknown_user'],
  ['notFoundUserIds', 'iterable.unknown_user'],
  ['invalidEmails', 'iterable.invalid_email'],
  ['invalidUserIds', 'iterable.invalid_user_id'],
]);

/** Lists of users that were sent as they are already. Undocumented; seen by RudderStack. */
const NO_OP_LISTS = ['noOpEmails', 'noOpUserIds'];

/** What else stands at the top of an answer and names no users. */
const OTHER_MEMBERS = new Set(['successCount', 'failCount', 'failedUpdates', 'createdFields', 'filteredOutFields']);

/** Is there anything that only an answer of this endpoint has? The counts are documented as required, the lists are not. */
export function isBulkAnswer(body: Json): boolean {
  if (countOf(body['successCount']) !== undefined || countOf(body['failCount']) !== undefined) return true;
  const failures = body['failedUpdates'];
  if (typeof failures === 'object' && failures !== null) return true;
  return [...FAILURE_CODES.keys(), ...NO_OP_LISTS].some((list) => Array.isArray(body[list]));
}

/** Every value of every list of failures, the known lists in order of gravity: `failedUpdates`, and its deprecated copies at the top. */
export function* listedFailures(body: Json): Generator<ListedFailure> {
  const failures = asObject(body['failedUpdates']) ?? {};
  for (const [list, code] of FAILURE_CODES) {
    for (const value of [...identifiersIn(failures[list]), ...identifiersIn(body[list])]) {
      yield { code, value, kind: kindOfList(list), certain: true };
    }
  }
  const unknown = Object.entries(failures).filter(([list]) => !FAILURE_CODES.has(list));
  // A later version may make one list of them all.
  if (Array.isArray(body['failedUpdates'])) unknown.push(['failedUpdates', body['failedUpdates']]);
  for (const [list, values] of unknown) yield* valuesOf(list, values);
}

/** What stands at the top in lists that this version does not know: they may be of failures, or of anything else. */
export function* unknownMembers(body: Json): Generator<ListedFailure> {
  for (const [list, values] of Object.entries(body)) {
    if (!FAILURE_CODES.has(list) && !NO_OP_LISTS.includes(list) && !OTHER_MEMBERS.has(list))
      yield* valuesOf(list, values);
  }
}

/** The users that the answer says were so already. */
export function noOps(body: Json): ReadonlyArray<readonly [value: string, kind: IdentifierKind | null]> {
  return NO_OP_LISTS.flatMap((list) => identifiersIn(body[list]).map((value) => [value, kindOfList(list)] as const));
}

/** Distinct names of fields. */
export function fieldsIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return [...new Set(list.filter((name): name is string => typeof name === 'string'))];
}

/** A count, which may be given as text. */
export function countOf(value: unknown): number | undefined {
  const count =
    typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
  return Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

function* valuesOf(list: string, values: unknown): Generator<ListedFailure> {
  const plain = identifiersIn(values);
  const code = 'iterable.unknown_failure';
  const kind = kindOfList(list);
  for (const value of plain) yield { code, value, kind, certain: true };
  for (const value of textsIn(values, 0)) yield { code, value, kind: null, certain: false };
}

/** A list's identifiers: strings, or objects that hold them. */
function identifiersIn(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    if (typeof item === 'string') return [item];
    const { email, userId } = asObject(item) ?? {};
    return [email, userId].filter((value): value is string => typeof value === 'string');
  });
}

/** Deeper than any shape that is likely. */
const DEPTH = 4;

/** Every text in a value of unknown shape, names of members included: `[{"user": {"id": …}}]`, `{"a@example.com": "why"}`. */
function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null || depth === DEPTH) return [];
  const names = Array.isArray(value) ? [] : Object.keys(value);
  return [...names, ...Object.values(value).flatMap((inner) => textsIn(inner, depth + 1))];
}
