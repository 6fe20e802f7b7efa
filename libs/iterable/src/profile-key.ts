import { normalEmail } from './pack.js';

/** What Iterable knows a profile by; which of the two a call takes depends on the project's type. */
export type ProfileKey = { readonly email: string } | { readonly userId: string };

/** Do both name the same profile? Emails compare as Iterable stores them. */
export function isSameKey(a: ProfileKey, b: ProfileKey): boolean {
  if ('email' in a) return 'email' in b && normalEmail(a.email) === normalEmail(b.email);
  return 'userId' in b && a.userId === b.userId;
}

/**
 * Can the profile be named by a segment of a path? Not by nothing, nor by dots: `DELETE users/byUserId/..` would be
 * another address, since URLs drop such segments even when they are encoded.
 */
export function isAddressable(key: ProfileKey): boolean {
  return !/^\.{0,2}$/.test('email' in key ? key.email : key.userId);
}

/** `users/{email}` or `users/byUserId/{userId}`, encoded. Errors: `RangeError` for a key that is not {@link isAddressable}. */
export function profilePath(key: ProfileKey): string {
  if (!isAddressable(key)) throw new RangeError('the identifier cannot be part of a path');
  return 'email' in key ? `users/${encodeURIComponent(key.email)}` : `users/byUserId/${encodeURIComponent(key.userId)}`;
}
