import { envelope, type Answer } from '../answers.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import type { Failure } from '../project/identity.js';
import type { IterableProject } from '../project/project.js';
import type { Slot } from '../project/profiles.js';

export const refuse = {
  invalidEmail: (email: string): Answer =>
    envelope(400, 'InvalidEmailAddressError', `Invalid email: ${email}`, { email }),
  invalidUserId: (userId: string): Answer =>
    envelope(400, 'InvalidUserIdError', `Invalid userId: ${userId}`, { userId }),
  unknownEmail: (email: string): Answer =>
    envelope(400, 'UnknownEmailError', `Email ${email} does not exist in this project`, { email }),
  unknownUserId: (userId: string): Answer =>
    envelope(400, 'UnknownUserIdError', `UserId ${userId} does not exist in this project`, { userId }),
  forgotten: (): Answer => envelope(409, 'ForgottenUserError', 'The user has been forgotten in this project'),
  conflict: (value: string): Answer =>
    envelope(409, 'ExternalKeyConflict', `Another user already has the identifier ${value}`),
  emailExists: (email: string): Answer =>
    envelope(400, 'EmailAlreadyExists', `Email ${email} already exists in this project`, { email }),
  noUser: (status: 400 | 404): Answer =>
    envelope(status, 'error.users.noUserWithIdExists', 'error.users.noUserWithIdExists'),
  badParams: (msg: string): Answer => envelope(400, 'BadParams', msg),
};

/** A per-user failure as a call about one user answers it. */
export function toAnswer(failure: Failure): Answer {
  switch (failure.list) {
    case 'invalidEmails':
      return refuse.invalidEmail(failure.value);
    case 'invalidUserIds':
      return refuse.invalidUserId(failure.value);
    case 'notFoundEmails':
      return refuse.unknownEmail(failure.value);
    case 'notFoundUserIds':
      return refuse.unknownUserId(failure.value);
    case 'forgottenEmails':
    case 'forgottenUserIds':
      return refuse.forgotten();
    case 'conflictEmails':
    case 'conflictUserIds':
      return refuse.conflict(failure.value);
    default:
      return refuse.badParams('The data of the user cannot be stored');
  }
}

/** Who a call is about, as its parameters name the user. */
export interface Named {
  email?: string | undefined;
  userId?: string | undefined;
}

export type Found =
  { ok: true; kind: 'email' | 'userId'; value: string; slots: readonly Slot[] } | { ok: false; answer: Answer };

/**
 * Finds the profiles that a call names; none is not an error here. The email wins where both are given, except in a userID-based
 * project, which knows its users by userId only.
 */
export function findUser(project: IterableProject, named: Named): Found {
  if (named.email !== undefined && project.projectType !== 'user-id') {
    if (!isEmail(named.email)) return { ok: false, answer: refuse.invalidEmail(named.email) };
    const value = normaliseEmail(named.email);
    return { ok: true, kind: 'email', value, slots: project.byEmail(value) };
  }
  if (named.userId !== undefined) {
    if (!isUserId(named.userId)) return { ok: false, answer: refuse.invalidUserId(named.userId) };
    return { ok: true, kind: 'userId', value: named.userId, slots: project.byUserId(named.userId) };
  }
  const needed = { email: 'an email or a userId', 'user-id': 'a userId', hybrid: 'an email or a userId' };
  return { ok: false, answer: refuse.badParams(`The user must be named by ${needed[project.projectType]}`) };
}

/** The answer where a user that must be there is not. In words: as recorded of users/updateEmail. */
export function unknown(project: IterableProject, found: { kind: 'email' | 'userId'; value: string }): Answer {
  if (project.switches.unknownUser === 'in-words') {
    return refuse.badParams(`Cannot change user Some(${found.value}). User does not exist`);
  }
  return found.kind === 'email' ? refuse.unknownEmail(found.value) : refuse.unknownUserId(found.value);
}
