import { countOf } from './answer-lists.js';
import type { DeadCode } from './codes.js';
import type { IterableCallError } from './errors.js';
import type { HttpAnswer } from './http.js';
import { normalEmail } from './pack.js';
import type { ProfileKey } from './profile-key.js';
import { apiCode, isAboutUser, parseObject, userCode, worldVerdict, type WorldVerdict } from './world.js';

/** What an answer to PUT subscriptions/{group}/{id} means for all whom it named. */
export type GroupVerdict =
  | { readonly kind: 'done' }
  /** The project does not have the endpoint, or not for this id. Which status says so is not documented. */
  | { readonly kind: 'off' }
  /** At least one of the users named is the reason; smaller requests must show which. */
  | { readonly kind: 'split'; readonly code: DeadCode }
  | WorldVerdict;

/** "To enable this API, contact your customer success manager." Source: Iterable API docs, which list a 404 "Endpoint not found". */
const NOT_ENABLED = new Set([403, 404, 405]);

export function classifyGroupAnswer(answer: HttpAnswer | IterableCallError): GroupVerdict {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const { status } = answer;
  const body = parseObject(answer.text);
  const code = apiCode(body);
  if (status === 202) return { kind: 'done' }; // documented without a body
  if (status >= 200 && status < 300) {
    const fits = body !== null && (code === '' || code === 'Success');
    return fits ? { kind: 'done' } : { kind: 'retry', code: 'iterable.unreadable_answer' };
  }
  if (NOT_ENABLED.has(status) && !isAboutUser(code)) return { kind: 'off' };
  return worldVerdict(answer, body) ?? { kind: 'split', code: userCode(status, code) };
}

/** What became of one user of users/bulkUpdateSubscriptions. `unclear`: somebody failed, the answer does not say who. */
export type ListsVerdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'invalid'; readonly code: DeadCode }
  | { readonly kind: 'failed' }
  | { readonly kind: 'unclear' };

export type ListsAnswer =
  | { readonly kind: 'answered'; readonly users: readonly ListsVerdict[] }
  | { readonly kind: 'split'; readonly code: DeadCode }
  | WorldVerdict;

/** One verdict for each user sent, in order. Source: Iterable API docs, BulkUpdateSubscriptionsResponse. */
export function classifyListsAnswer(sent: readonly ProfileKey[], answer: HttpAnswer | IterableCallError): ListsAnswer {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const body = parseObject(answer.text);
  if (answer.status < 200 || answer.status >= 300) {
    return worldVerdict(answer, body) ?? { kind: 'split', code: userCode(answer.status, apiCode(body)) };
  }
  const success = countOf(body?.['successCount']);
  const failed = countOf(body?.['failCount']);
  if (success === undefined || failed === undefined) {
    return { kind: 'retry', code: 'iterable.unreadable_answer' };
  }
  const listed = (...names: string[]) =>
    new Set(names.flatMap((name) => (Array.isArray(body?.[name]) ? body[name] : [])).map(fold));
  const invalidEmails = listed('invalidEmails');
  const invalidUserIds = listed('invalidUserIds');
  const failures = listed('validEmailFailures', 'validUserIdFailures');
  const named = sent.map((key): ListsVerdict | null => {
    const name = fold('email' in key ? key.email : key.userId);
    if (failures.has(name)) return { kind: 'failed' };
    if (invalidEmails.has(name)) return { kind: 'invalid', code: 'iterable.invalid_email' };
    return invalidUserIds.has(name) ? { kind: 'invalid', code: 'iterable.invalid_user_id' } : null;
  });
  const known = named.filter((verdict) => verdict !== null).length;
  const clear = success + failed >= sent.length && failed <= known;
  return { kind: 'answered', users: named.map((verdict) => verdict ?? { kind: clear ? 'done' : 'unclear' }) };
}

/** Two user ids that differ in case only may be taken for each other here: both are then looked at again, which is harmless. */
const fold = (name: unknown): string => normalEmail(String(name));
