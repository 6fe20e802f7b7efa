import type { ProfileVerdict } from './classify-profile.js';
import type { DeadCode } from './codes.js';

/** What became of one profile's opt-out. */
export type OptOutVerdict =
  | Exclude<ProfileVerdict, { readonly kind: 'already' | 'exists' | 'daily-limit' }>
  /** The profile was unsubscribed from all of it before. */
  | { readonly kind: 'already'; readonly why: 'unsubscribed' }
  /** There is no such profile, or not yet: nothing is recorded. Write the profile, leave a minute, and ask again. */
  | { readonly kind: 'unknown' };

/** Of one user alone, whom Iterable refuses. */
export function refusedUser(code: DeadCode): OptOutVerdict {
  return code === 'iterable.unknown_user' ? { kind: 'unknown' } : { kind: 'dead', code };
}

/** Two parts that together are the whole; for looking into a refusal of many. */
export function halves<T>(rows: readonly T[]): readonly [readonly T[], readonly T[]] {
  const middle = Math.ceil(rows.length / 2);
  return [rows.slice(0, middle), rows.slice(middle)];
}
