import type { DeadCode } from './codes.js';
import { normalEmail, type PackedUser } from './pack.js';

/** What became of one user. `unclear`: the answer's counts say that some are not written, its lists do not say which. */
export type UserVerdict =
  { readonly kind: 'written' } | { readonly kind: 'dead'; readonly code: DeadCode } | { readonly kind: 'unclear' };

/** What a 200 says of the users that were sent, and of their fields. */
export interface UserVerdicts {
  /** One for each user, in the order sent. */
  readonly users: readonly UserVerdict[];
  /** How many of them are said to have been so already; 0 also where the answer does not tell. */
  readonly unchanged: number;
  /** Fields that the request added to the project. Distinct. */
  readonly createdFields: readonly string[];
  /** Fields that were dropped: the project does not have them and may not create them. No user fails by it. Distinct. */
  readonly filteredOutFields: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** The lists of failed users, gravest first: a user in several gets the first. Source: Iterable API docs, UserBulkUpdateListResponse. */
const FAILURE_LISTS: ReadonlyArray<readonly [prefix: string, DeadCode]> = [
  ['forgotten', 'iterable.forgotten'],
  ['conflict', 'iterable.identity_conflict'],
  ['invalidData', 'iterable.invalid_data'],
  ['notFound', 'iterable.unknown_user'],
];
const FAILURE_CODES: ReadonlyMap<string, DeadCode> = new Map([
  ...FAILURE_LISTS.flatMap(([prefix, code]) => [
    [`${prefix}Emails`, code] as const,
    [`${prefix}UserIds`, code] as const,
  ]),
  ['invalidEmails', 'iterable.invalid_email'],
  ['invalidUserIds', 'iterable.invalid_user_id'],
]);
/** Lists of users that were sent as they are already. Undocumented; seen by RudderStack. */
const NO_OP_LISTS = ['noOpEmails', 'noOpUserIds'];

export function asObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/**
 * Reads every list and count of a 200, into one verdict per sent user, in the order sent; `null` when the body is no answer
 * of this endpoint (neither counts nor lists).
 *
 * A user is matched by any of its identifiers, emails in lower case: a list may name another identifier than the one sent.
 * Lists that this version does not know, under `failedUpdates`, are failures. The lists may name fewer users than `failCount`
 * counts, or the counts may not reach the number sent: then every user that is not listed is `unclear`, unless all of them must have failed.
 */
export function readUserVerdicts(sent: readonly PackedUser[], body: Json): UserVerdicts | null {
  const failures = asObject(body['failedUpdates']);
  const success = toCount(body['successCount']);
  const failed = toCount(body['failCount']);
  if (failures === null && success === undefined && failed === undefined) return null;

  const index = indexOf(sent);
  const codes = new Map<number, DeadCode>();
  const strangers = new Map<string, DeadCode>();
  for (const [code, value] of failureValues(body, failures ?? {})) {
    const rows = index(value);
    if (rows.length === 0) strangers.set(value, code);
    for (const row of rows) if (!codes.has(row)) codes.set(row, code);
  }
  const noOps = new Set(
    NO_OP_LISTS.flatMap((list) => stringsOf(body[list]).flatMap(index)).filter((row) => !codes.has(row)),
  );
  const open = sent.map((_, row) => row).filter((row) => !codes.has(row) && !noOps.has(row));
  const listed = codes.size;
  const counted = failed ?? listed + strangers.size;
  const hidden = hiddenFailures({ sent: sent.length, success, failed: counted, listed, noOps: noOps.size });
  const rest = verdictOfOpen(open.length, hidden, counted > listed, [...new Set(strangers.values())]);
  const openRows = new Set(open);
  const users = sent.map((_, row): UserVerdict => {
    const code = codes.get(row);
    if (code !== undefined) return { kind: 'dead', code };
    return openRows.has(row) ? rest : { kind: 'written' };
  });
  return {
    users,
    unchanged: noOps.size,
    createdFields: fieldsIn(body['createdFields']),
    filteredOutFields: fieldsIn(body['filteredOutFields']),
  };
}

function fieldsIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  return [...new Set(list.filter((name): name is string => typeof name === 'string'))];
}

interface Counts {
  readonly sent: number;
  readonly success: number | undefined;
  readonly failed: number;
  readonly listed: number;
  readonly noOps: number;
}

/** How many users, by the counts, are not written although no list names them. */
function hiddenFailures({ sent, success, failed, listed, noOps }: Counts): number {
  const unlisted = Math.max(0, failed - listed);
  if (success === undefined) return unlisted;
  // Whether unchanged users count as successes is not documented: they may make up for what is missing.
  const uncounted = sent - success - Math.max(failed, listed) - noOps;
  return unlisted + Math.max(0, uncounted);
}

/** The one verdict of all users that no list names. */
function verdictOfOpen(
  open: number,
  hidden: number,
  countedAsFailed: boolean,
  strangers: readonly DeadCode[],
): UserVerdict {
  if (hidden <= 0) return { kind: 'written' };
  if (hidden < open) return { kind: 'unclear' };
  // All of them, then. A list that names nobody sent, e.g. the profile in the way of an identity change, says why.
  const known = strangers.length === 1 ? strangers[0] : undefined;
  const nameless = countedAsFailed ? 'iterable.unknown_failure' : 'iterable.unaccounted';
  return { kind: 'dead', code: known ?? nameless };
}

/** Every value of every failure list, the known ones in order of gravity: `failedUpdates` and its deprecated copies at the top. */
function* failureValues(body: Json, failures: Json): Generator<readonly [DeadCode, string]> {
  for (const [list, code] of FAILURE_CODES) {
    for (const value of [...stringsOf(failures[list]), ...stringsOf(body[list])]) yield [code, value];
  }
  for (const [list, values] of Object.entries(failures)) {
    if (FAILURE_CODES.has(list)) continue;
    for (const value of stringsOf(values)) yield ['iterable.unknown_failure', value];
  }
}

/** A list's identifiers: strings, or objects that hold them. */
function stringsOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown) => {
    if (typeof item === 'string') return [item];
    const { email, userId } = asObject(item) ?? {};
    return [email, userId].filter((value): value is string => typeof value === 'string');
  });
}

/** Finds the rows that an identifier belongs to: user ids exactly, emails as Iterable compares them. */
function indexOf(sent: readonly PackedUser[]): (value: string) => readonly number[] {
  const rows = new Map<string, number[]>();
  sent.forEach(({ emails, userIds }, row) => {
    for (const key of [...emails.map((email) => `email:${email}`), ...userIds.map((id) => `id:${id}`)]) {
      const known = rows.get(key);
      if (known === undefined) rows.set(key, [row]);
      else known.push(row);
    }
  });
  return (value) => rows.get(`id:${value}`) ?? rows.get(`email:${normalEmail(value)}`) ?? [];
}

function toCount(value: unknown): number | undefined {
  const count =
    typeof value === 'number' || (typeof value === 'string' && value.trim() !== '') ? Number(value) : Number.NaN;
  return Number.isFinite(count) && count >= 0 ? count : undefined;
}
