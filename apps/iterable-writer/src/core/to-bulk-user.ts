import type { ProjectType, UserUpdate } from '@libs/contracts';

/** One user as users/bulkUpdate takes it. */
export interface BulkBody {
  readonly email?: string;
  readonly userId?: string;
  readonly mergeNestedObjects: true;
  readonly dataFields: Readonly<Record<string, unknown>>;
}

/**
 * The body of one user by the rules of the project's type; `null` when the update lacks the identifier that the type needs.
 *
 * email: known by the email; a user id beside it is stored on the profile. user-id and hybrid: known by the user id, and the
 * email is a field of the profile, so that a change of email moves with it; hybrid takes an email alone, too.
 * Emails go out as Iterable stores them, in lower case. Nested objects are merged: docs/decisions/20261124-merge-nested-objects.md.
 * Source: Iterable support, 9216719179796 and 29156459027348.
 */
export function toBulkUser(
  { email: rawEmail, userId, dataFields }: Pick<UserUpdate, 'email' | 'userId' | 'dataFields'>,
  projectType: ProjectType,
): BulkBody | null {
  const email = present(rawEmail?.trim().toLowerCase());
  const cleared = rawEmail === null ? { email: null } : {};
  const id = present(userId);
  if (projectType === 'email') {
    if (email === undefined) return null;
    return { email, ...(id === undefined ? {} : { userId: id }), mergeNestedObjects: true, dataFields };
  }
  if (id !== undefined) {
    const fields = email === undefined ? { ...dataFields, ...cleared } : { ...dataFields, email };
    return { userId: id, mergeNestedObjects: true, dataFields: fields };
  }
  if (projectType === 'user-id' || email === undefined) return null;
  return { email, mergeNestedObjects: true, dataFields };
}

function present(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
