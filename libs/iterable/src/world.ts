import { retryAfterMs } from './backoff.js';
import type { DeadCode, RefusedCode, RetryCode } from './codes.js';
import type { HttpAnswer } from './http.js';
import { asObject, type Json } from './json.js';

/** What an answer says about the world, not about a user. */
export type WorldVerdict =
  | { readonly kind: 'retry'; readonly code: RetryCode; readonly retryAfterMs?: number }
  | { readonly kind: 'refused'; readonly code: RefusedCode };

/** What a whole-request 400 or 409 says of one of its users. Source: Iterable API docs, error codes; what is not here is `bad_request`. */
const BAD_USER_CODES: ReadonlyMap<string, DeadCode> = new Map<string, DeadCode>(
  Object.entries({
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
  }),
);

/** 400s that are about the key or the project, not about a user. Source: Iterable API docs, error codes. */
const REFUSED_CODES: ReadonlyMap<string, RefusedCode> = new Map<string, RefusedCode>(
  Object.entries({
    BadApiKey: 'iterable.access_refused',
    BadAuthorizationHeader: 'iterable.access_refused',
    Unauthorized: 'iterable.access_refused',
    Forbidden: 'iterable.access_refused',
    InvalidJwtPayload: 'iterable.access_refused',
    JwtUserIdentifiersMismatched: 'iterable.access_refused',
    UniqueFieldsLimitExceeded: 'iterable.field_limit_reached',
  }),
);

/** 4xx statuses that only mean "later". */
const LATER = new Set([408, 425]);

/**
 * What an answer that is no success means whoever it is about; `null`: it is about the user or users sent. The status goes before
 * the code, because `code` may be "Success" on a 4xx, and a body may be HTML.
 */
export function worldVerdict(answer: HttpAnswer, body: Json | null): WorldVerdict | null {
  const { status } = answer;
  const code = apiCode(body);
  if (status === 429) {
    return { kind: 'retry', code: 'iterable.rate_limited', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'retry', code: 'iterable.unavailable', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  // A 404 that speaks of a user comes from the API: its address is right.
  if (status === 404 && isAboutUser(code)) return null;
  if (status < 400 || status === 404 || status === 405) return { kind: 'refused', code: 'iterable.wrong_address' };
  if (status === 401 || status === 403 || status === 407) return { kind: 'refused', code: 'iterable.access_refused' };
  const refused = REFUSED_CODES.get(code);
  if (refused !== undefined) return { kind: 'refused', code: refused };
  if (code === 'RateLimitExceeded') return { kind: 'retry', code: 'iterable.rate_limited' };
  // Listed by Iterable under 400 and under 500: its mail queue, not the user.
  if (code === 'QueueEmailError') return { kind: 'retry', code: 'iterable.unavailable' };
  return null;
}

/** Why a user is refused, where {@link worldVerdict} says that it is about users. */
export function userCode(status: number, code: string): DeadCode {
  return BAD_USER_CODES.get(code) ?? (status === 409 ? 'iterable.identity_conflict' : 'iterable.bad_request');
}

/** Is a code about the user or users sent, whatever the status? */
export function isAboutUser(code: string): boolean {
  return BAD_USER_CODES.has(code);
}

const UNKNOWN_USER = new Set(['UnknownEmailError', 'UnknownUserIdError']);

/** Is a code about a user that the project does not have? */
export function isUnknownUser(code: string): boolean {
  return UNKNOWN_USER.has(code);
}

/** Source: iterable-go and others, who get it from users/byUserId. */
const NO_USER = /^error\.users\.noUserWith\w+Exists$/;
/** Told in words only, under a code of many meanings. Source: recorded answers of users/updateEmail; iterable-go, of users/forget. */
const NO_USER_IN_WORDS = /\buser does not exist\b/i;

/**
 * The code of an error body, one of the documented ones where it can be told; empty when there is none. Some endpoints answer
 * `{error, message, code: "error.…"}`, where `error` is what `code` is elsewhere. Source: RudderStack's recorded answers.
 */
export function apiCode(body: Json | null): string {
  const code = textOf(body?.['code']);
  if (NO_USER.test(code)) return 'UnknownUserIdError';
  if (code === 'BadParams' && NO_USER_IN_WORDS.test(textOf(body?.['msg']))) return 'UnknownUserIdError';
  return code.startsWith('error.') ? textOf(body?.['error']) || code : code;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** A body as an object; `null` for HTML, an empty one or one cut short: then the status alone decides. */
export function parseObject(text: string): Json | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}
