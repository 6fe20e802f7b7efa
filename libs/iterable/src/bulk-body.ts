import { normalEmail, type PackedUser } from './pack.js';
import type { ProfileKey } from './profile-key.js';

export interface BodyOptions {
  /** Where users are known by id: the address the profile is to carry, `null` to take it away; absent: it stays. */
  readonly email?: string | null | undefined;
  /** Where users are known by email: a user id to be stored beside it. */
  readonly userId?: string | undefined;
  readonly replaceNested?: boolean | undefined;
}

/** Room that identifiers take in a body. Bytes. */
export const IDENTIFIERS_BYTES = 700;

/**
 * The body of one user by the rules of the project's type. `fields`: a JSON object, as text, so that a profile is serialized
 * once. Known by email, a user id goes along; known by user id, the email is a field of the profile, so that a change of email
 * moves with it. Source: Iterable support, 9216719179796 and 29156459027348.
 */
export function bulkBody(
  on: ProfileKey,
  fields: string,
  { email, userId, replaceNested = false }: BodyOptions,
): PackedUser {
  const identifiers: Record<string, string> = 'email' in on && userId !== undefined ? { ...on, userId } : { ...on };
  const head = JSON.stringify({ ...identifiers, mergeNestedObjects: !replaceNested }).slice(0, -1);
  const withEmail = 'userId' in on && email !== undefined ? { email } : {};
  const json = `${head},"dataFields":${withFields(fields, withEmail)}}`;
  return {
    json,
    bytes: Buffer.byteLength(json),
    emails: distinct(['email' in on ? on.email : undefined, email].map((one) => one && normalEmail(one))),
    userIds: distinct(['userId' in on ? on.userId : undefined, 'email' in on ? userId : undefined]),
  };
}

/** Puts fields in front of those of a JSON object. */
function withFields(json: string, more: Readonly<Record<string, unknown>>): string {
  if (Object.keys(more).length === 0) return json;
  const added = JSON.stringify(more).slice(0, -1);
  return json === '{}' ? `${added}}` : `${added},${json.slice(1)}`;
}

function distinct(values: ReadonlyArray<string | null | undefined>): string[] {
  return [...new Set(values.filter((value) => typeof value === 'string'))];
}
