import type { ProjectType } from '@libs/contracts';
import type { MappedUser } from './mapped-record.js';
import { isUsableEmail } from './email.js';

/** A user as Iterable is told of it. */
export interface IdentifiedUser {
  /** The address it claims; `null`: it has none that is usable. */
  readonly email?: string | null;
  readonly userId?: string;
  readonly dataFields: Readonly<Record<string, unknown>>;
}

/** Why a mapped record is not sent. */
export type IdentitySkip = 'mapping.no_email' | 'mapping.invalid_email' | 'mapping.invalid_user_id';

export type IdentityVerdict =
  { readonly kind: 'ok'; readonly user: IdentifiedUser } | { readonly kind: 'skip'; readonly reason: IdentitySkip };

/** What Iterable takes as a user id: at most 52 printable ASCII characters, no blank at the end. Source: facts/iterable.md §3. */
const USER_ID = /^[ -~]{0,51}[!-~]$/;

/**
 * Puts the identity where the project's type wants it.
 *
 * `email`: known by email, which must be usable; a mapped user id goes along. `user-id` and `hybrid`: known by the mapped
 * user id, else the 18-character record id; a mapped email is `null` (cleared) while the record has no usable one, so that
 * mail does not go on to an address that Salesforce no longer has.
 */
export function toIdentity(
  projectType: ProjectType,
  mapped: Pick<MappedUser, 'email' | 'userId' | 'dataFields'>,
  recordId: string,
): IdentityVerdict {
  const { email, userId, dataFields } = mapped;
  if (userId !== undefined && !USER_ID.test(userId)) return { kind: 'skip', reason: 'mapping.invalid_user_id' };
  if (projectType !== 'email') {
    const claimed = email === undefined ? {} : { email: email !== null && isUsableEmail(email) ? email : null };
    return { kind: 'ok', user: { userId: userId ?? recordId, ...claimed, dataFields } };
  }
  if (email === undefined || email === null) return { kind: 'skip', reason: 'mapping.no_email' };
  if (!isUsableEmail(email)) return { kind: 'skip', reason: 'mapping.invalid_email' };
  return { kind: 'ok', user: userId === undefined ? { email, dataFields } : { email, userId, dataFields } };
}
