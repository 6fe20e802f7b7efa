import { waitHintMs } from './backoff.js';
import type { DeadCode, RefusedCode, RetryCode } from './codes.js';
import type { IterableCallError } from './errors.js';
import type { HttpAnswer } from './http.js';
import type { ProfileKey } from './profile-key.js';
import { apiCode, isUnknownUser, parseObject, userCode, worldVerdict } from './world.js';

/** A change of one profile as a whole. Each may be repeated: once applied, a repeat is `already` or `done`. */
export type ProfileCall =
  /** Email-based projects: the profile moves to another address. */
  | { readonly kind: 'update-email'; readonly from: string; readonly to: string }
  /** The source goes into the destination, or takes its name where there is no such profile. */
  | { readonly kind: 'merge'; readonly source: ProfileKey; readonly destination: ProfileKey }
  | { readonly kind: 'delete'; readonly profile: ProfileKey }
  /** By email in email-based projects, by user id in userID-based ones, by either in hybrid ones. */
  | { readonly kind: 'forget'; readonly profile: ProfileKey }
  | { readonly kind: 'unforget'; readonly profile: ProfileKey };

export type ProfileVerdict =
  /** Accepted. Iterable works on it on its own time: leave a minute before the next call about the profile, ten after a forget. */
  | { readonly kind: 'done' }
  /** Nothing to do: as after an earlier try of the same call, or because the profile never was. The two look alike. */
  | { readonly kind: 'already'; readonly why: AlreadyWhy }
  /** Of `update-email`: the new address has a profile. Nothing was applied; `merge` into it. */
  | { readonly kind: 'exists' }
  /** The call can never succeed. */
  | { readonly kind: 'dead'; readonly code: DeadCode }
  /** The world failed; whether the call was applied may be unknown. The same call again. */
  | { readonly kind: 'retry'; readonly code: RetryCode; readonly retryAfterMs?: number }
  /** Nothing is taken until somebody acts (invariant 7). */
  | { readonly kind: 'refused'; readonly code: RefusedCode }
  /** Of `forget` and `unforget`: today's allowance is used up. Not cut down to minutes, as other hints are. Milliseconds. */
  | { readonly kind: 'daily-limit'; readonly retryAfterMs: number };

/** `unknown-user`: there is no such profile (any more). `same-profile`: source and destination are one. `forgotten`: it was before. */
export type AlreadyWhy = 'unknown-user' | 'same-profile' | 'forgotten';

/** A 429 that asks to wait longer than this is the daily limit of forget, not its 3 a second. Milliseconds. */
const DAILY_LIMIT_FROM_MS = 60_000;

/**
 * What an answer to a call about one profile, or the failure to get one, means. Total: the status goes first, then the code; a
 * body may be HTML, and `code` may be "Success" on a 4xx. Source: Iterable API docs, error codes; see the table in the spec.
 */
export function classifyProfileAnswer(call: ProfileCall, answer: HttpAnswer | IterableCallError): ProfileVerdict {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const body = parseObject(answer.text);
  const code = apiCode(body);
  const { status } = answer;
  if (status >= 200 && status < 300) {
    // A page of a proxy, or an answer cut short: whether the call was applied is unknown.
    const fits = body !== null && (code === '' || code === 'Success');
    return fits ? { kind: 'done' } : { kind: 'retry', code: 'iterable.unreadable_answer' };
  }
  // Before the status alone decides: a 404 that speaks of the user is not about the address of the API.
  if (status < 500 && isUnknownUser(code)) return { kind: 'already', why: 'unknown-user' };
  // Of a profile that is gone; a wrong address of the API shows in every other call.
  if (call.kind === 'delete' && status === 404 && code === 'NotFound') return { kind: 'already', why: 'unknown-user' };
  const world = worldVerdict(answer, body);
  if (world === null) return userVerdict(call, status, code);
  const hintMs = status === 429 ? waitHintMs(answer, body?.['params']) : undefined;
  const capped = call.kind === 'forget' || call.kind === 'unforget';
  if (capped && hintMs !== undefined && hintMs > DAILY_LIMIT_FROM_MS) {
    return { kind: 'daily-limit', retryAfterMs: hintMs };
  }
  return world;
}

function userVerdict(call: ProfileCall, status: number, code: string): ProfileVerdict {
  const dead = userCode(status, code);
  const gone = call.kind === 'forget' || call.kind === 'delete';
  if (dead === 'iterable.forgotten' && gone) return { kind: 'already', why: 'forgotten' };
  // The docs give a 409 of updateEmail two causes, a conflict or a forgotten address: without a code that tells them apart the
  // merge that follows does. A conflict about the user id is none that a merge could end.
  const inTheWay = dead === 'iterable.identity_conflict' && code !== 'UserIdAlreadyExists';
  return call.kind === 'update-email' && inTheWay ? { kind: 'exists' } : { kind: 'dead', code: dead };
}
