import type { DeadCode } from './codes.js';
import type { IterableCallError } from './errors.js';
import { fieldMismatches, type FieldMismatch } from './field-mismatches.js';
import type { HttpAnswer } from './http.js';
import type { Json } from './json.js';
import type { PackedUser } from './pack.js';
import { suspectsOf } from './suspects.js';
import { readUserVerdicts, type UserVerdicts } from './user-verdicts.js';
import { apiCode, parseObject, userCode, worldVerdict, type WorldVerdict } from './world.js';

export type { UserVerdict, UserVerdicts } from './user-verdicts.js';

/** What an answer means for the request as a whole, or for each user. */
export type BulkVerdict =
  /** Iterable dealt with the users: one verdict each, in the order sent. */
  | ({ readonly kind: 'answered' } & UserVerdicts)
  /** The world failed, and nothing is known about any user: the same request may be sent again, it is an upsert. Or nothing
   * will be taken until somebody acts. */
  | WorldVerdict
  /** Nothing was applied; smaller requests must show why. */
  | Split;

export type Split =
  /** The body is too large as a whole. */
  | { readonly kind: 'split'; readonly cause: 'too_large'; readonly code: 'iterable.user_too_large' }
  /**
   * At least one user makes Iterable refuse the whole request. `suspects`: the indexes the answer points at, maybe none.
   * `mismatches`: the fields whose type a value does not have, maybe not all of them; none for other codes.
   */
  | {
      readonly kind: 'split';
      readonly cause: 'bad_user';
      readonly code: DeadCode;
      readonly suspects: readonly number[];
      readonly mismatches: readonly FieldMismatch[];
    };

/**
 * What an answer of users/bulkUpdate, or the failure to get one, means for the users that were sent.
 * Total: routes on the status first and on the code second, because `code` may be "Success" on a 4xx, and a body may be HTML.
 */
export function classifyBulkAnswer(sent: readonly PackedUser[], answer: HttpAnswer | IterableCallError): BulkVerdict {
  if (answer instanceof Error) return { kind: 'retry', code: answer.code };
  const body = parseObject(answer.text);
  const { status } = answer;
  if (status >= 200 && status < 300) {
    const verdicts = body === null ? null : readUserVerdicts(sent, body);
    // A page of a proxy, or an answer cut short: whether the write was applied is unknown.
    return verdicts === null
      ? { kind: 'retry', code: 'iterable.unreadable_answer' }
      : { kind: 'answered', ...verdicts };
  }
  return worldVerdict(answer, body) ?? classifyRefusal(sent, status, body ?? {});
}

/** The other 4xx: a user's fault until shown otherwise. */
function classifyRefusal(sent: readonly PackedUser[], status: number, body: Json): BulkVerdict {
  const code = apiCode(body);
  if (status === 413 || code === 'BatchTooLarge')
    return { kind: 'split', cause: 'too_large', code: 'iterable.user_too_large' };
  const reason = userCode(status, code);
  return {
    kind: 'split',
    cause: 'bad_user',
    code: reason,
    suspects: suspectsOf(sent, code, body),
    mismatches: reason === 'iterable.field_type_mismatch' ? fieldMismatches(body['params']) : [],
  };
}
