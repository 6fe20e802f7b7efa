import type { DeletePolicy, Identity, LastCall, OptOut, OptOutPolicy, ProjectType } from '@libs/contracts';
import type { Known } from './claims.js';

/** Names a profile by the identifier that the project knows it by. */
export type Profile = { readonly email: string } | { readonly userId: string };

/** One call to Iterable about one user. */
export type Step =
  /** The mapped user, in bulk. On another's profile: `on`. */
  | { readonly kind: 'write'; readonly on: Profile; readonly email?: string | null }
  /** Fields of a profile, in bulk: a mark of deletion, or an address that goes to another. */
  | { readonly kind: 'set'; readonly on: Profile; readonly fields: Readonly<Record<string, unknown>> }
  /** The profile goes on under another identifier, or is merged into the profile that is there already. */
  | { readonly kind: 'move'; readonly from: Profile; readonly to: Profile; readonly merge?: true }
  | { readonly kind: 'delete' | 'forget' | 'unforget'; readonly on: Profile }
  | { readonly kind: 'unsubscribe'; readonly on: Profile; readonly optOut: OptOut }
  /** Asks who has an address that Iterable would not give to its owner. Changes nothing. */
  | { readonly kind: 'look'; readonly on: { readonly userId: string }; readonly email: string };

/** What the store is to know of a record afterwards. `called`: the endpoint by which its profile was called last; `null`: as before. */
export interface Row {
  readonly recordId: string;
  readonly identity: Identity;
  readonly called: LastCall['endpoint'] | null;
}

/** A record to be asked for again: something about its profile changed, though not the record. */
export interface Redrive {
  readonly recordType: string;
  readonly recordId: string;
}

/** How a message ends when all of its steps are done. */
export type Intended =
  | { readonly kind: 'written' }
  | { readonly kind: 'skipped' | 'filtered'; readonly reason: string }
  | { readonly kind: 'superseded'; readonly reason: 'writer.stale_version' };

/** What is to be done about one message, by what is known. */
export interface Decision {
  readonly steps: readonly Step[];
  /** The first step may begin then: calls to different endpoints about one profile are kept apart. Epoch milliseconds. */
  readonly notBeforeMs: number;
  /** Records, addresses and profiles that it is about: none of them may be in two decisions under way. */
  readonly locks: readonly string[];
  /** Of the record itself and of those whose profiles the steps change: they hold when the steps are done. */
  readonly rows: readonly Row[];
  /** Of records that a profile passes to, whatever becomes of the steps. */
  readonly heirs: readonly Row[];
  readonly redrives: readonly Redrive[];
  readonly ending: Intended;
  /** Does another record have the address that this one claims? */
  readonly outranked: boolean;
  /** What was known of the record. */
  readonly before: Identity | null;
  /** To be written down before the first step: the profile that may hold the record's data from then on. */
  readonly intent: Row | null;
}

/** What the writer knows, as a reader of values. */
export interface IdentityView {
  of(recordId: string): Identity | null;
  /** The records that claim an address: the first in line among them, and those that said no. */
  claimants(email: string): readonly Known[];
  /** Every record whose profile carries an address. */
  holders(email: string): readonly Known[];
  /** The live records with a user id that a mapping gave them. */
  users(userId: string): readonly Known[];
  /** Leads that were converted into a record. */
  convertedInto(recordId: string): readonly Known[];
}

export interface Policy {
  readonly projectType: ProjectType;
  readonly onDelete: DeletePolicy;
  readonly onOptOut: OptOutPolicy;
  /** Between calls to different endpoints about one profile. Milliseconds. */
  readonly settleMs: number;
}

export const lockOf = {
  record: (recordId: string) => `record:${recordId}`,
  email: (email: string) => `email:${email}`,
  profile: (profile: Profile) => ('email' in profile ? `email:${profile.email}` : `id:${profile.userId}`),
};

/** The profile that the project knows by this identifier. */
export function profileOf(projectType: ProjectType, identifier: string): Profile {
  return projectType === 'email' ? { email: identifier } : { userId: identifier };
}

/** The identifier of the profile that holds a record's data; `undefined`: none does. */
export function pointerOf(projectType: ProjectType, identity: Identity | null): string | undefined {
  return projectType === 'email' ? identity?.email : identity?.userId;
}

/**
 * What a decision must have for itself, and what it only looked at: nothing is done or passed on, and it says something of its own
 * record alone. So thousands of records that share an address, and give way to one, do not wait for each other.
 */
export function locksOf({ steps, rows, heirs, redrives, locks }: Decision): {
  readonly owned: readonly string[];
  readonly shared: readonly string[];
} {
  const [own, ...more] = rows;
  const looksOnly = steps.length === 0 && redrives.length === 0 && heirs.length === 0 && more.length === 0;
  if (!looksOnly || own === undefined) return { owned: locks, shared: [] };
  const record = lockOf.record(own.recordId);
  return { owned: [record], shared: locks.filter((lock) => lock !== record) };
}
