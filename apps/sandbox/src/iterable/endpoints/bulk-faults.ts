import type { FaultOptions } from '../fault-kinds.js';
import { failureLists, type Identifiers } from '../project/identity.js';

/** FNV-1a, to [0, 1): the same user always lands in the same place. */
export function position(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // A last mix: FNV's upper bits hardly differ between texts that differ only at their end.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

const keyOf = (ids: Identifiers): string => ids.userId ?? ids.email?.toLowerCase() ?? '';

/** Is the user among the share that a fault picks out? The same users always; another salt picks out others. */
export function isPicked(ids: Identifiers, share: number, salt: string): boolean {
  return share >= 1 || position(`${salt}:${keyOf(ids)}`) < share;
}

/** A fault that picks users out, and what it picks them by. */
export type PickingFault =
  | ({ kind: 'partial-failures' } & Pick<FaultOptions<'partial-failures'>, 'list' | 'share'>)
  | ({ kind: 'type-mismatch' } & Pick<FaultOptions<'type-mismatch'>, 'share'>);

/**
 * Is this one of the users that a fault picks out, `partial-failures` while it is sticky? A test knows by it who will be
 * refused. Which other faults there are makes no difference; whom both pick makes the whole request be refused.
 */
export function isStruck(ids: Pick<Identifiers, 'email' | 'userId'>, fault: PickingFault): boolean {
  return isPicked(ids, fault.share, fault.kind === 'partial-failures' ? fault.list : fault.kind);
}

/** The list that an injected failure puts a user under, and the identifier that stands there; null: the user is spared. */
export function injectedFailure(
  ids: Identifiers,
  fault: FaultOptions<'partial-failures'>,
  random: () => number,
): { list: string; value: string } | null {
  if (fault.sticky ? !isStruck(ids, { kind: 'partial-failures', ...fault }) : random() >= fault.share) return null;
  const wanted =
    fault.list === 'every'
      ? // Another salt than the pick's, or all that a small share picks would be under the first list
        (failureLists[Math.floor(position(`which list:${keyOf(ids)}`) * failureLists.length)] ?? '')
      : fault.list;
  const stem = wanted.replace(/(?:Emails|UserIds)$/, '');
  const byEmail = wanted.endsWith('Emails');
  // The identifier that blocks a change of identity need not be the one that was sent as the key.
  const email = ids.email ?? (stem === 'conflict' && typeof ids.newEmail === 'string' ? ids.newEmail : undefined);
  const userId = ids.userId ?? (stem === 'conflict' && typeof ids.newUserId === 'string' ? ids.newUserId : undefined);
  if (byEmail && email !== undefined) return { list: wanted, value: email };
  if (!byEmail && userId !== undefined) return { list: wanted, value: userId };
  return userId === undefined
    ? { list: `${stem}Emails`, value: email ?? '' }
    : { list: `${stem}UserIds`, value: userId };
}
