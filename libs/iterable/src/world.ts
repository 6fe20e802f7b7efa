import { retryAfterMs } from './backoff.js';
import type { DeadCode, RefusedCode, RetryCode } from './codes.js';
import type { HttpAnswer } from './http.js';
import { asObject } from './user-verdicts.js';

type Json = Readonly<Record<string, unknown>>;

/** What an answer says about the world, not about a user. */
export type WorldVerdict =
  | { readonly kind: 'retry'; readonly code: RetryCode; readonly retryAfterMs?: number }
  | { readonly kind: 'refused'; readonly code: RefusedCode };

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

/** 400s that are about the key or the project, not about a user. Source: Iterable API docs, error codes. */
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
 * What an answer that is no success means whoever it is about; `null`: it is about the user or users sent. The status goes before
 * the code, because `code` may be "Success" on a 4xx, and a body may be HTML.
 */
export function worldVerdict(answer: HttpAnswer, body: Json | null): WorldVerdict | null {
  const { status } = answer;
  if (status === 429) {
    return { kind: 'retry', code: 'iterable.rate_limited', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  if (status >= 500 || LATER.has(status)) {
    return { kind: 'retry', code: 'iterable.unavailable', retryAfterMs: retryAfterMs(answer, body?.['params']) };
  }
  if (status < 400 || status === 404 || status === 405) return { kind: 'refused', code: 'iterable.wrong_address' };
  if (status === 401 || status === 403 || status === 407) return { kind: 'refused', code: 'iterable.access_refused' };
  const code = apiCode(body);
  const refused = REFUSED_CODES[code];
  if (refused !== undefined) return { kind: 'refused', code: refused };
  if (code === 'RateLimitExceeded') return { kind: 'retry', code: 'iterable.rate_limited' };
  // Listed by Iterable under 400 and under 500: its mail queue, not the user.
  if (code === 'QueueEmailError') return { kind: 'retry', code: 'iterable.unavailable' };
  return null;
}

/** Why a user is refused, where {@link worldVerdict} says that it is about users. */
export function userCode(status: number, code: string): DeadCode {
  return BAD_USER_CODES[code] ?? (status === 409 ? 'iterable.identity_conflict' : 'iterable.bad_request');
}

/** The `code` of an error body; empty when there is none. */
export function apiCode(body: Json | null): string {
  const code = body?.['code'];
  return typeof code === 'string' ? code : '';
}

/** A body as an object; `null` for HTML, an empty one or one cut short: then the status alone decides. */
export function parseObject(text: string): Json | null {
  try {
    return asObject(JSON.parse(text));
  } catch {
    return null;
  }
}
