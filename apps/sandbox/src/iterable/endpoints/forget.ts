import { createHash } from 'node:crypto';
import { badJson, json, success, type Answer } from '../answers.js';
import { complaints } from '../envelope-check.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import type { IterableProject } from '../project/project.js';
import type { ApiRequest, Endpoint } from './endpoint.js';
import { refuse } from './find-user.js';

type Named = { kind: 'email' | 'userId'; value: string } | { answer: Answer };

/** Whom a request names: by email in email-based projects, by userId in userID-based ones, by either in hybrid ones. */
function name(project: IterableProject, request: ApiRequest): Named {
  const problems = complaints(request.body, { email: 'string', userId: 'string' });
  if (Object.keys(problems).length > 0) return { answer: badJson(request.path, problems) };
  const { email, userId } = request.body as { email?: string | null; userId?: string | null };
  if (typeof email === 'string' && project.projectType !== 'user-id') {
    return isEmail(email) ? { kind: 'email', value: normaliseEmail(email) } : { answer: refuse.invalidEmail(email) };
  }
  if (typeof userId === 'string' && project.projectType !== 'email') {
    return isUserId(userId) ? { kind: 'userId', value: userId } : { answer: refuse.invalidUserId(userId) };
  }
  const by = { email: 'email', 'user-id': 'userId', hybrid: 'email or userId' }[project.projectType];
  return { answer: refuse.badParams(`In this project users are forgotten by ${by}`) };
}

const forgottenSet = (project: IterableProject, kind: 'email' | 'userId') =>
  kind === 'email' ? project.forgottenEmails : project.forgottenUserIds;

/** POST /api/users/forget: deletes, and keeps the user from coming back. */
const forget: Endpoint = {
  method: 'POST',
  path: 'users/forget',
  handle(project, request) {
    const named = name(project, request);
    if ('answer' in named) return named.answer;
    project.forget.run(() => {
      forgottenSet(project, named.kind).add(named.value);
      const slots = named.kind === 'email' ? project.byEmail(named.value) : project.byUserId(named.value);
      for (const slot of slots) project.profiles.delete(slot);
    });
    return success();
  },
};

/** POST /api/users/unforget: the user may come back; the data does not. */
const unforget: Endpoint = {
  method: 'POST',
  path: 'users/unforget',
  handle(project, request) {
    const named = name(project, request);
    if ('answer' in named) return named.answer;
    project.forget.run(() => forgottenSet(project, named.kind).delete(named.value));
    return success();
  },
};

/** SHA-256 of the lower-cased, trimmed value, also for user ids. Source: [S]. */
const hashed = (values: Iterable<string>): string[] =>
  [...values].map((value) => createHash('sha256').update(value.trim().toLowerCase()).digest('hex'));

const forgotten: Endpoint = {
  method: 'GET',
  path: 'users/forgotten',
  handle: (project) =>
    project.projectType === 'user-id'
      ? refuse.badParams('A userID-based project forgets users by userId')
      : json({ hashedEmails: hashed(project.forgottenEmails) }),
};

const forgottenUserIds: Endpoint = {
  method: 'GET',
  path: 'users/forgottenUserIds',
  handle: (project) =>
    project.projectType === 'email'
      ? refuse.badParams('An email-based project forgets users by email')
      : json({ hashedUserIds: hashed(project.forgottenUserIds) }),
};

export const forgetEndpoints: readonly Endpoint[] = [forget, unforget, forgotten, forgottenUserIds];
