import { others } from './claims.js';
import type { IdentityView, Profile, Step } from './decision.js';

/** Who has an address in Iterable; `null`: nobody. */
export interface Occupant {
  readonly userId?: string;
}

/**
 * What to do when Iterable refuses to give an address to its owner because another profile has it, where both are unique.
 *
 * A profile without a user id is of the same person, from before the sync knew it: it is merged. One of another record of ours
 * gives it up. `null`: it is somebody else's, and for people to decide. Source: facts/iterable.md §3.
 */
export function resolveConflict(
  {
    recordId,
    on,
    email,
  }: { readonly recordId: string; readonly on: { readonly userId: string }; readonly email: string },
  occupant: Occupant | null,
  view: IdentityView,
): Step[] | null {
  const write: Step = { kind: 'write', on, email };
  if (occupant === null || occupant.userId === on.userId) return [write];
  if (occupant.userId === undefined) return [{ kind: 'move', from: { email }, to: on }, write];
  // By default the user id is the record id; a mapped one is found among those that hold the address.
  const holder = others(view.holders(email), recordId).find(({ identity }) => identity.userId === occupant.userId);
  // The owner has it, whoever else claims it; a writer that died may not have written down what a profile carries.
  if (holder === undefined && view.of(occupant.userId) === null) return null;
  const profile: Profile = { userId: occupant.userId };
  return [{ kind: 'set', on: profile, fields: { email: null } }, write];
}
