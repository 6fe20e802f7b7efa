import { retryAfterMs } from './backoff.js';
import type { HttpAnswer } from './client.js';
import type { DeadCode, RefusedCode, RetryCode } from './codes.js';
import type { IterableCallError } from './errors.js';
import type { PackedUser } from './pack.js';
import { suspectsOf } from './suspects.js';
import { asObject, readUserVerdicts, type UserVerdict } from './user-verdicts.js';

export type { UserVerdict } from './user-verdicts.js';

/** What an answer means for the request as a whole, or for each user. */
export type BulkVerdict =
  /** Iterable dealt with the users: one verdict each, in the order sent. */
  | { readonly kind: 'answered'; readonly users: readonly UserVerdict[] }
  /** The world failed; nothing is known about any user. The same request may be sent again: it is an upsert. */
  | { readonly kind: 'retry'; readonly code: RetryCode; readonly retryAfterMs?: number }
  /** Nothing will be taken until somebody acts. */
  | { readonly kind: 'refused'; readonly code: RefusedCode }
  /** Nothing was applied; smaller requests must show why. */
  | Split;

export type Split =
  /** The body is too large as a whole. */
  | { readonly kind: 'split'; readonly cause: 'too_large'; readonly code: 'iterable.user_too_large' }
  /** At least one user makes Iterable refuse the whole request; `suspects` are the indexes the answer points at, maybe none. */
  | {
      readonly kind: 'split';
      readonly cause: 'bad_user';
      readonly code: DeadCode;
      readonly suspects: readonly number[];
    };

/** What a whole-request 400 or 409 says of one of its users. Source: Iterable API docs, error codes; what is not here is `bad_request`. */
const BAD_USER_CODES: Readonly<Record<string, DeadCode>> = {
  RequestFieldsTypesMismatched: 'iterable.field_type_mismatch',
  BadJsonBody: 'iterable.malformed_user',
  BadParams: 'iterable.malformed_user',
  InvalidEmailAddressError: 'iterable.invalid_email',
  InvalidUserIdError: 'iterable.invalid_user_id',
  UnknownEmailError: 'iterable.unknown_user',
  UnknownUserIdError: 'iterable.unknown_user',
  EmailAlreadyExists: 'iterable.identity_conflict',
  UserIdAlreadyExists: 'iterable.identity_conflict',
  ExternalKeyConflict: 'iterable.identity_conflict',
  Conflict: 'iterable.identity_conflict',
  ForgottenUserError: 'iterable.forgotten',
};

/** 400s that are about the key or the project, not about a user. */
const REFUSED_CODES: Readonly<Record<string, RefusedCode>> = {
  BadApiKey: 'iterable.access_refused',
  BadAuthorizationHeader: 'iterable.access_refused',
  Unauthorized: 'iterable.access_refused',
  Forbidden: 'iterable.access_refused',
  InvalidJwtPayload: 'iterable.access_refused',
  JwtUserIdentifiersMismatched: 'iterable.access_refused',
  UniqueFieldsLimitExceeded: 'iterable.field_limit_reached',
};

/** 4xx statuses that only mean "later". */
const LATER = new Set([408, 425]);

/**
 * What an answer of users/bulkUpdate, or the failure to get one, means for the users that were sent.
 * Total: routes on the status first and on the code second, because `code` may be "Success" on a 4xx, and a body may be HTML.
 */
export function classifyBulkAnswer(sent: readonly PackedUser[], answer: HttpAnswer | IterableCallError): BulkVerdict {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const body = parseObject(answer.text);
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const users = body === null ? null : readUserVerdicts(sent, body);
    // A page of a proxy, or an answer cut short: whether the write was applied is unknown.
    return users === null ? { kind: 'retry', code: 'iterable.unreadable_answer' } : { kind: 'answered', users };
  }
  if (status === 429) {
    return { kind: 'retry', code: 'iterable.rate_limited', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'retry', code: 'iterable.unavailable', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  if (status < 400 || status === 404 || status === 405) return { kind: 'refused', code: 'iterable.wrong_address' };
  if (status === 401 || status === 403 || status === 407) return { kind: 'refused', code: 'iterable.access_refused' };
  return classifyRefusal(sent, status, body ?? {});
}

/** The other 4xx: a user's fault until shown otherwise. */
function classifyRefusal(
  sent: readonly PackedUser[],
  status: number,
  body: Readonly<Record<string, unknown>>,
): BulkVerdict {
  const code = typeof body['code'] === 'string' ? body['code'] : '';
  if (status === 413 || code === 'BatchTooLarge')
    return { kind: 'split', cause: 'too_large', code: 'iterable.user_too_large' };
  const refused = REFUSED_CODES[code];
  if (refused !== undefined) return { kind: 'refused', code: refused };
  if (code === 'RateLimitExceeded') return { kind: 'retry', code: 'iterable.rate_limited' };
  // Listed by Iterable under 400 and under 500: its mail queue, not the user.
  if (code === 'QueueEmailError') return { kind: 'retry', code: 'iterable.unavailable' };
  const dead = BAD_USER_CODES[code] ?? (status === 409 ? 'iterable.identity_conflict' : 'iterable.bad_request');
  return { kind: 'split', cause: 'bad_user', code: dead, suspects: suspectsOf(sent, code, body['params']) };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null; // HTML, empty or cut short: the status alone decides
  }
}
