import { countOf, fieldsIn, isBulkAnswer, listedFailures, noOps, unknownMembers } from './answer-lists.js';
import type { DeadCode } from './codes.js';
import { indexIdentifiers, type IdentifierIndex } from './identifier-index.js';
import type { Json } from './json.js';
import type { PackedUser } from './pack.js';

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

/**
 * Reads every list and count of a 200, into one verdict per sent user, in the order sent; `null` when the body is no answer
 * of this endpoint (neither counts nor lists).
 *
 * A user is matched by any of its identifiers, emails in lower case: a list may name another identifier than the one sent.
 * Lists that this version does not know, under `failedUpdates`, are failures; elsewhere they only tell whom a count is about. The
 * lists may name fewer users than `failCount` counts, or the counts may not reach the number sent: then every user that is
 * not listed is `unclear`, unless all of them must have failed. A user sent alone is never `unclear`.
 */
export function readUserVerdicts(sent: readonly PackedUser[], body: Json): UserVerdicts | null {
  if (!isBulkAnswer(body)) return null;
  const index = indexIdentifiers(sent);
  const { codes, strangers } = readFailures(body, index);
  const unchanged = new Set(
    noOps(body)
      .flatMap(([value, kind]) => index(value, kind))
      .filter((row) => !codes.has(row)),
  );
  const open = sent.map((_, row) => row).filter((row) => !codes.has(row) && !unchanged.has(row));
  const isOpen = new Set(open);
  const pointedAt = new Set(
    [...unknownMembers(body)].flatMap(({ value, kind }) => index(value, kind)).filter((row) => isOpen.has(row)),
  );
  const counts = readCounts(body, {
    sent: sent.length,
    listed: codes.size,
    noOps: unchanged.size,
    strangers: strangers.size,
  });
  const hidden = counts.any ? counts.hidden : Math.max(counts.hidden, pointedAt.size);
  const rest = verdictOfOpen(open.length, hidden, counts, [...new Set(strangers.values())]);
  // As many as are missing, and no list of failures tells of them: these, then. Looked at again, because the list is not known.
  const isFound = rest.kind === 'unclear' && pointedAt.size === hidden;
  const doubtful = isFound ? pointedAt : isOpen;
  return {
    users: sent.map((_, row): UserVerdict => {
      const code = codes.get(row);
      if (code !== undefined) return { kind: 'dead', code };
      return doubtful.has(row) ? rest : { kind: 'written' };
    }),
    unchanged: unchanged.size,
    createdFields: fieldsIn(body['createdFields']),
    filteredOutFields: fieldsIn(body['filteredOutFields']),
  };
}

/** Of the users sent: the gravest code of each. And of the identifiers that no user sent has: why they are listed. */
function readFailures(body: Json, index: IdentifierIndex) {
  const codes = new Map<number, DeadCode>();
  const strangers = new Map<string, DeadCode>();
  for (const { code, value, kind, certain } of listedFailures(body)) {
    const rows = index(value, kind);
    if (rows.length === 0 && certain) strangers.set(value, code);
    for (const row of rows) if (!codes.has(row)) codes.set(row, code);
  }
  return { codes, strangers };
}

interface Counts {
  /** Does the answer count at all? */
  readonly any: boolean;
  /** How many users, by the counts, are not written although no list names them. */
  readonly hidden: number;
  /** Are there more failures than the lists name? */
  readonly failedMore: boolean;
  /** Do the counts come to more users than were sent? Of one alone, the smallest request, they are believed all the same. */
  readonly contradict: boolean;
}

interface Tally {
  readonly sent: number;
  readonly listed: number;
  readonly noOps: number;
  readonly strangers: number;
}

function readCounts(body: Json, { sent, listed, noOps: unchanged, strangers }: Tally): Counts {
  const success = countOf(body['successCount']);
  const failCount = countOf(body['failCount']);
  const failed = failCount ?? listed + strangers;
  const unlisted = Math.max(0, failed - listed);
  // Whether unchanged users count as successes is not documented: they may make up for what is missing.
  const uncounted = success === undefined ? 0 : sent - success - Math.max(failed, listed) - unchanged;
  return {
    any: success !== undefined || failCount !== undefined,
    hidden: unlisted + Math.max(0, uncounted),
    failedMore: failed > listed,
    contradict: sent > 1 && success !== undefined && success + Math.max(failed, listed) > sent,
  };
}

/** The one verdict of all users that no list names. */
function verdictOfOpen(
  open: number,
  hidden: number,
  { failedMore, contradict }: Counts,
  strangers: readonly DeadCode[],
): UserVerdict {
  if (hidden <= 0) return { kind: 'written' };
  if (hidden < open || contradict) return { kind: 'unclear' };
  // All of them, then. A list that names nobody sent, e.g. the profile in the way of an identity change, says why.
  const known = strangers.length === 1 ? strangers[0] : undefined;
  const nameless = failedMore ? 'iterable.unknown_failure' : 'iterable.unaccounted';
  return { kind: 'dead', code: known ?? nameless };
}
