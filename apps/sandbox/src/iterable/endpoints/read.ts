import { json, type Answer } from '../answers.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import type { IterableProject } from '../project/project.js';
import type { Slot } from '../project/profiles.js';
import type { Endpoint } from './endpoint.js';
import { refuse } from './find-user.js';

/** An unknown user is 200 `{}`, as recorded. Source: facts/iterable.md §2. */
function show(project: IterableProject, slot: Slot | undefined): Answer {
  const user = project.echo(slot);
  return json(user === null ? {} : { user });
}

function byEmail(project: IterableProject, email: string | null | undefined): Answer {
  if (!email) return refuse.badParams('email is required');
  if (!isEmail(email)) return refuse.invalidEmail(email);
  return show(project, project.byEmail(normaliseEmail(email))[0]);
}

function byUserId(project: IterableProject, userId: string | null | undefined): Answer {
  if (!userId) return refuse.badParams('userId is required');
  if (!isUserId(userId)) return refuse.invalidUserId(userId);
  const [slot] = project.byUserId(userId);
  const { unknownUserRead } = project.switches;
  // Clients in production know this code; with which status it comes they do not say.
  if (slot === undefined && unknownUserRead !== 'empty') return refuse.noUser(unknownUserRead === '404' ? 404 : 400);
  return show(project, slot);
}

export const readEndpoints: readonly Endpoint[] = [
  {
    method: 'GET',
    path: 'users/{email}',
    handle: (project, request) => byEmail(project, request.params['email']),
  },
  {
    method: 'GET',
    path: 'users/getByEmail',
    handle: (project, request) => byEmail(project, request.query.get('email')),
  },
  {
    method: 'GET',
    path: 'users/byUserId/{userId}',
    handle: (project, request) => byUserId(project, request.params['userId']),
  },
  {
    method: 'GET',
    path: 'users/byUserId',
    handle: (project, request) => byUserId(project, request.query.get('userId')),
  },
  {
    method: 'GET',
    path: 'users/getFields',
    handle: (project) => json({ fields: project.fields.list() }),
  },
];
