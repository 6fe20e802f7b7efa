import type { Identity } from '@libs/contracts';
import { outranks } from '@libs/mapping';
import { firstOf, others, toClaimant, type Known } from './claims.js';
import {
  lockOf,
  pointerOf,
  profileOf,
  type IdentityView,
  type Policy,
  type Profile,
  type Redrive,
  type Row,
} from './decision.js';

/** The profiles that a record leaves behind. */
export interface Left {
  /** Identifiers of those that nobody else claims: what becomes of them is the record's business. */
  readonly moving: readonly string[];
  /** Those that others claim go to the first in line: it is asked for again, and the profile is its own from now on. */
  readonly redrives: readonly Redrive[];
  readonly heirs: readonly Row[];
  readonly locks: readonly string[];
}

/**
 * The profiles that hold a record's data, or may, and those of the Leads that were converted into it, except `target`, the one
 * that it has from now on (`null`: none). A profile of a person that was forgotten is no more.
 */
export function left(
  { recordId }: { readonly recordId: string },
  target: string | null,
  absorbed: readonly Known[],
  view: IdentityView,
  policy: Policy,
): Left {
  const own = view.of(recordId);
  const pointers = [own, ...absorbed.map(({ identity }) => identity)].flatMap((identity) =>
    identity?.forgotten === 'forgotten'
      ? (identity.intents ?? [])
      : [pointerOf(policy.projectType, identity), ...(identity?.intents ?? [])],
  );
  const identifiers = [...new Set(pointers)].filter((one) => one !== undefined && one !== target) as string[];
  const moving: string[] = [];
  const heirs: Known[] = [];
  const rows: Row[] = [];
  for (const identifier of identifiers) {
    const inLine = others(
      policy.projectType === 'email' ? view.claimants(identifier) : view.users(identifier),
      recordId,
    );
    const heir = firstOf(inLine);
    if (heir === null) moving.push(identifier);
    else if (mayHold({ recordId, identity: own }, identifier, heir)) {
      heirs.push(heir);
      if (pointerOf(policy.projectType, heir.identity) !== identifier) rows.push(inheriting(heir, identifier));
    }
  }
  const redrives = heirs.map(({ recordId: id, identity }) => ({ recordType: identity.recordType, recordId: id }));
  return {
    moving,
    redrives,
    heirs: rows,
    locks: [
      ...identifiers.map((identifier) => lockOf.profile(profileOf(policy.projectType, identifier))),
      ...[...absorbed, ...heirs].map((one) => lockOf.record(one.recordId)),
      ...(own?.claim === undefined ? [] : [lockOf.email(own.claim.email)]),
    ],
  };
}

/** May the profile hold the data of the record that leaves? Not if the heir had the address before it. */
function mayHold(
  { recordId, identity }: { readonly recordId: string; readonly identity: Known['identity'] | null },
  identifier: string,
  heir: Known,
): boolean {
  if (identity === null || identity.claim?.email !== identifier || identity.intents?.includes(identifier) === true)
    return true;
  return outranks(toClaimant({ recordId, identity }), toClaimant(heir));
}

function inheriting({ recordId, identity }: Known, identifier: string): Row {
  const intents = [...(identity.intents ?? []), identifier];
  const pointer = identity.email === undefined ? { email: identifier } : { intents };
  return { recordId, identity: { ...identity, ...pointer }, called: null };
}

/**
 * Who has the addresses that a record gives up, by claiming `address` instead (`null`: none): the next in line is asked again. Also
 * of an address that the record had by right and not in Iterable, as its own write was still to come.
 */
export function nextInLine(
  { recordId }: { readonly recordId: string },
  own: Identity | null,
  address: string | null,
  view: IdentityView,
): Redrive[] {
  const given = new Set([own?.email, own?.claim?.email].filter((one) => one !== undefined && one !== address));
  return [...given].flatMap((email) => {
    const next = firstOf(others(view.claimants(email as string), recordId));
    if (next === null || next.identity.email === email) return [];
    return [{ recordType: next.identity.recordType, recordId: next.recordId }];
  });
}

/** Each record once. */
export function distinct(redrives: readonly Redrive[]): Redrive[] {
  return [...new Map(redrives.map((one) => [one.recordId, one])).values()];
}

/** Where to find, later, the profiles that a record leaves as they are. */
export function pointersTo(
  own: Identity | null,
  moving: readonly string[],
  { projectType }: Policy,
): Partial<Identity> {
  const [pointer, ...intents] = [pointerOf(projectType, own), ...(own?.intents ?? [])].filter(
    (one) => one !== undefined && moving.includes(one),
  ) as string[];
  if (pointer === undefined) return {};
  const main = projectType === 'email' ? { email: pointer } : { userId: pointer };
  return intents.length === 0 ? main : { ...main, intents };
}

/** A record whose profile is another's now. */
export function withoutPointer({ recordId, identity }: Known): Row {
  const { email: _email, userId: _userId, intents: _intents, optOut: _optOut, ...rest } = identity;
  return { recordId, identity: rest, called: null };
}

/** Of a profile that a record has no more, as a key for Iterable. */
export function toProfiles(policy: Policy, identifiers: readonly string[]): Profile[] {
  return identifiers.map((identifier) => profileOf(policy.projectType, identifier));
}
