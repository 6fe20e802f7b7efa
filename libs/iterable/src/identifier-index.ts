import { normalEmail, type PackedUser } from './pack.js';

export type IdentifierKind = 'email' | 'userId';

/** Finds the rows of a request that an identifier belongs to; none where nobody sent has it. */
export type IdentifierIndex = (value: string, kind: IdentifierKind | null) => readonly number[];

/**
 * Of every identifier of every user: user ids compare exactly, emails as Iterable compares them. A value of a stated kind is
 * looked for as that first, because one user's id may be another's address; of no stated kind, it is either.
 */
export function indexIdentifiers(sent: readonly PackedUser[]): IdentifierIndex {
  const emails = new Map<string, number[]>();
  const userIds = new Map<string, number[]>();
  const add = (to: Map<string, number[]>, key: string, row: number) => {
    const known = to.get(key);
    if (known === undefined) to.set(key, [row]);
    else known.push(row);
  };
  for (const [row, user] of sent.entries()) {
    for (const email of user.emails) add(emails, normalEmail(email), row);
    for (const userId of user.userIds) add(userIds, userId, row);
  }
  return (value, kind) => {
    const asEmail = emails.get(normalEmail(value)) ?? [];
    const asUserId = userIds.get(value) ?? [];
    if (kind === null) return [...new Set([...asUserId, ...asEmail])];
    const [first, second] = kind === 'email' ? [asEmail, asUserId] : [asUserId, asEmail];
    return first.length > 0 ? first : second;
  };
}

/** By the name of a list: `invalidEmails`, `conflictUserIds`. */
export function kindOfList(list: string): IdentifierKind | null {
  if (list.endsWith('UserIds')) return 'userId';
  return list.endsWith('Emails') ? 'email' : null;
}
