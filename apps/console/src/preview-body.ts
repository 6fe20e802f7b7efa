import type { ProjectType } from '@libs/contracts';
import { bulkBody, type ProfileKey } from '@libs/iterable';
import type { IdentifiedUser } from '@libs/mapping';

/** A user of users/bulkUpdate, what is said beside it apart. */
export interface PreviewBody {
  readonly on: ProfileKey;
  readonly body: Readonly<Record<string, unknown>>;
  readonly mergeNestedObjects: boolean;
}

/**
 * The body of a user, made by the writer's own function. `owns`: has the record its address? Without it a profile that is known by
 * user id carries none.
 */
export function userBody(
  projectType: ProjectType,
  { email, userId, dataFields }: IdentifiedUser,
  { owns, replaceNested }: { readonly owns: boolean; readonly replaceNested: boolean },
): PreviewBody {
  if (projectType === 'email') return bodyOf({ email: email ?? '' }, dataFields, { userId, replaceNested });
  const claimed = email === undefined || owns ? email : null;
  return bodyOf({ userId: userId ?? '' }, dataFields, { email: claimed, replaceNested });
}

/** The body of a record that is no person: fields of the person's profile. */
export function fieldsBody(
  on: ProfileKey,
  dataFields: Readonly<Record<string, unknown>>,
  replaceNested: boolean,
): PreviewBody {
  return bodyOf(on, dataFields, { replaceNested });
}

function bodyOf(
  on: ProfileKey,
  dataFields: Readonly<Record<string, unknown>>,
  options: Parameters<typeof bulkBody>[2],
): PreviewBody {
  const sent = JSON.parse(bulkBody(on, JSON.stringify(dataFields), options).json) as Record<string, unknown>;
  const { mergeNestedObjects, ...body } = sent;
  return { on, body, mergeNestedObjects: mergeNestedObjects === true };
}

/** The profile for a person: what it is known by. */
export function nameOf(on: ProfileKey): string {
  return 'email' in on ? on.email : `with the user id ${on.userId}`;
}
