import type { ProjectType } from '../switches.js';
import { isEmail, isUserId, normaliseEmail } from './identifiers.js';
import type { Json } from './json.js';
import type { Slot } from './profiles.js';

/** The lists of `failedUpdates`. Source: facts/iterable.md §1.3. */
export const failureLists = [
  'invalidEmails',
  'invalidUserIds',
  'notFoundEmails',
  'notFoundUserIds',
  'invalidDataEmails',
  'invalidDataUserIds',
  'conflictEmails',
  'conflictUserIds',
  'forgottenEmails',
  'forgottenUserIds',
] as const;
export type FailureList = (typeof failureLists)[number];

/** Why a user is not written, and the identifier that the list names. */
export interface Failure {
  list: FailureList;
  value: string;
}

/** How a write names its user. `null` removes, `undefined` says nothing. */
export interface Identifiers {
  email?: string | undefined;
  userId?: string | undefined;
  /** `dataFields.email` and `dataFields.userId`: the identity that the profile is to have. */
  newEmail?: Json | undefined;
  newUserId?: Json | undefined;
  preferUserId?: boolean;
  updateOnly?: boolean;
}

/** What identity needs to know of a project. Emails are lower-case. */
export interface Directory {
  byEmail(email: string): readonly Slot[];
  byUserId(userId: string): readonly Slot[];
  identityOf(slot: Slot): { email: string | null; userId: string | null };
  isForgotten(kind: 'email' | 'userId', value: string): boolean;
}

/** The profile a write goes to (`null`: a new one) and the identity that it has afterwards. */
export interface Target {
  slot: Slot | null;
  email: string | null;
  userId: string | null;
}

export type Plan = { ok: true; target: Target } | { ok: false; failure: Failure };

export interface IdentityRules {
  projectType: ProjectType;
  bothIdentifiers: 'user-id-wins' | 'email-wins' | 'conflict';
}

/** Addresses that are never mailed. Source: facts/iterable.md §3. */
export const placeholderEmail = (userId: string): string =>
  `${userId.toLowerCase().replaceAll(/[^a-z0-9._-]/g, '_')}@placeholder.email`;

const fail = (list: FailureList, value: string): Plan => ({ ok: false, failure: { list, value } });
const to = (slot: Slot | null, email: string | null, userId: string | null): Plan => ({
  ok: true,
  target: { slot, email, userId },
});
const text = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The first identifier that is malformed, at the top or in `dataFields`. */
function malformed(ids: Identifiers): Failure | null {
  for (const email of [ids.email, ids.newEmail]) {
    if (email === undefined || email === null) continue;
    if (typeof email !== 'string' || !isEmail(email)) return { list: 'invalidEmails', value: text(email) };
  }
  for (const userId of [ids.userId, ids.newUserId]) {
    if (userId === undefined || userId === null) continue;
    if (typeof userId !== 'string' || !isUserId(userId)) return { list: 'invalidUserIds', value: text(userId) };
  }
  return null;
}

function forgotten(ids: Identifiers, directory: Directory): Failure | null {
  for (const email of [ids.email, ids.newEmail]) {
    if (typeof email === 'string' && directory.isForgotten('email', normaliseEmail(email))) {
      return { list: 'forgottenEmails', value: email };
    }
  }
  for (const userId of [ids.userId, ids.newUserId]) {
    if (typeof userId === 'string' && directory.isForgotten('userId', userId)) {
      return { list: 'forgottenUserIds', value: userId };
    }
  }
  return null;
}

/** The identifier by which a failure about a user's data names that user. */
export function keyFailure(ids: Identifiers, projectType: ProjectType, kind: 'invalidData' | 'notFound'): Failure {
  const byEmail = ids.email !== undefined && (projectType !== 'user-id' || ids.userId === undefined);
  if (byEmail) return { list: `${kind}Emails`, value: ids.email ?? '' };
  return { list: `${kind}UserIds`, value: ids.userId ?? '' };
}

/**
 * Which profile does a write go to, and under which identity? The rules of the three project types (facts/iterable.md §3);
 * where the documentation is silent, the choice is named in the comment.
 */
export function planIdentity(ids: Identifiers, rules: IdentityRules, directory: Directory): Plan {
  if (ids.email === undefined && ids.userId === undefined) {
    return fail(rules.projectType === 'email' ? 'invalidEmails' : 'invalidUserIds', '');
  }
  const bad = malformed(ids) ?? forgotten(ids, directory);
  if (bad) return { ok: false, failure: bad };
  const email = ids.email === undefined ? undefined : normaliseEmail(ids.email);
  const newEmail = typeof ids.newEmail === 'string' ? normaliseEmail(ids.newEmail) : ids.newEmail;
  const named = { ...ids, email, newEmail: newEmail as string | null | undefined };
  const plan =
    rules.projectType === 'email'
      ? planEmailBased(named, directory)
      : rules.projectType === 'user-id'
        ? planUserIdBased(named, directory)
        : planHybrid(named, rules, directory);
  if (plan.ok && plan.target.slot === null && ids.updateOnly) {
    return { ok: false, failure: keyFailure(ids, rules.projectType, 'notFound') };
  }
  return plan;
}

type Named = Omit<Identifiers, 'newEmail'> & { newEmail?: string | null | undefined };

/** Unique by email. The email wins over a user id sent along, which overwrites the profile's. */
function planEmailBased(ids: Named, directory: Directory): Plan {
  const newUserId = typeof ids.newUserId === 'string' ? ids.newUserId : undefined;
  if (ids.email !== undefined) {
    // An email never changes through data: that is what updateEmail is for. Undocumented what becomes of the attempt.
    if (ids.newEmail && ids.newEmail !== ids.email) return fail('invalidDataEmails', ids.email);
    const slot = directory.byEmail(ids.email)[0] ?? null;
    const held = slot === null ? null : directory.identityOf(slot).userId;
    return to(slot, ids.email, newUserId ?? ids.userId ?? held);
  }
  const userId = ids.userId ?? '';
  const slots = directory.byUserId(userId);
  if (slots.length > 1) return fail('conflictUserIds', userId); // the documented "duplicate record" error
  const slot = slots[0];
  if (slot !== undefined) {
    const held = directory.identityOf(slot).email;
    if (ids.newEmail && ids.newEmail !== held) return fail('invalidDataUserIds', userId);
    return to(slot, held, newUserId ?? userId);
  }
  if (!ids.preferUserId) return fail('notFoundUserIds', userId);
  const email = ids.newEmail ?? placeholderEmail(userId);
  if (directory.byEmail(email).length > 0) return fail('conflictEmails', email);
  return to(null, email, newUserId ?? userId);
}

/** Unique by user id; an email is a field that several profiles may share. */
function planUserIdBased(ids: Named, directory: Directory): Plan {
  if (ids.userId === undefined) return fail('notFoundEmails', ids.email ?? '');
  // merge is the documented mover of a user id.
  if (typeof ids.newUserId === 'string' && ids.newUserId !== ids.userId) return fail('invalidDataUserIds', ids.userId);
  const slot = directory.byUserId(ids.userId)[0] ?? null;
  const held = slot === null ? null : directory.identityOf(slot).email;
  const email = ids.newEmail === undefined ? (ids.email ?? held) : ids.newEmail;
  return to(slot, email, ids.userId);
}

/** The profile that two identifiers of a hybrid project mean together; undocumented, hence a switch. */
function pickHybrid(
  ids: { email: string; userId: string },
  rules: IdentityRules,
  directory: Directory,
): { slot: Slot | null } | Failure {
  const emailTaken: Failure = { list: 'conflictEmails', value: ids.email };
  const userIdTaken: Failure = { list: 'conflictUserIds', value: ids.userId };
  const byUserId = directory.byUserId(ids.userId)[0] ?? null;
  const byEmail = directory.byEmail(ids.email)[0] ?? null;
  if (byUserId !== null && byEmail !== null) {
    if (byUserId === byEmail) return { slot: byUserId };
    return rules.bothIdentifiers === 'email-wins' ? userIdTaken : emailTaken;
  }
  if (byUserId !== null) {
    const overwrites = directory.identityOf(byUserId).email !== null;
    return overwrites && rules.bothIdentifiers !== 'user-id-wins' ? userIdTaken : { slot: byUserId };
  }
  if (byEmail !== null) {
    const overwrites = directory.identityOf(byEmail).userId !== null;
    return overwrites && rules.bothIdentifiers !== 'email-wins' ? emailTaken : { slot: byEmail };
  }
  return { slot: null };
}

/** Unique by both. A change of identity that meets another profile is a conflict, which names the existing identifier. */
function planHybrid(ids: Named, rules: IdentityRules, directory: Directory): Plan {
  let slot: Slot | null;
  if (ids.email !== undefined && ids.userId !== undefined) {
    const picked = pickHybrid({ email: ids.email, userId: ids.userId }, rules, directory);
    if (!('slot' in picked)) return { ok: false, failure: picked };
    slot = picked.slot;
  } else {
    const found = ids.userId === undefined ? directory.byEmail(ids.email ?? '') : directory.byUserId(ids.userId);
    slot = found[0] ?? null;
  }
  const held = slot === null ? { email: null, userId: null } : directory.identityOf(slot);
  const email = ids.newEmail === undefined ? (ids.email ?? held.email) : ids.newEmail;
  const userId = typeof ids.newUserId === 'string' ? ids.newUserId : (ids.userId ?? held.userId);
  const emailOwner = email === null ? undefined : directory.byEmail(email)[0];
  if (email !== null && emailOwner !== undefined && emailOwner !== slot) return fail('conflictEmails', email);
  const userIdOwner = userId === null ? undefined : directory.byUserId(userId)[0];
  if (userId !== null && userIdOwner !== undefined && userIdOwner !== slot) return fail('conflictUserIds', userId);
  // At least one identifier stays: an email cannot be taken from a profile that has no user id.
  if (email === null && userId === null) return fail('invalidDataEmails', ids.email ?? held.email ?? '');
  return to(slot, email, userId);
}
