import { badJson, json, success, type Answer } from '../answers.js';
import { complaints, type Members } from '../envelope-check.js';
import type { JsonObject } from '../project/json.js';
import type { IterableProject } from '../project/project.js';
import type { Endpoint } from './endpoint.js';
import { findUser, refuse, unknown } from './find-user.js';

/** UpdateSubscriptionsRequest of the API. */
const members: Members = {
  email: 'string',
  userId: 'string',
  emailListIds: { each: 'number' },
  unsubscribedChannelIds: { each: 'number' },
  unsubscribedMessageTypeIds: { each: 'number' },
  subscribedMessageTypeIds: { each: 'number' },
  campaignId: 'number',
  templateId: 'number',
  validateChannelAlignment: 'boolean',
};

const LISTS = [
  'emailListIds',
  'unsubscribedChannelIds',
  'unsubscribedMessageTypeIds',
  'subscribedMessageTypeIds',
] as const;

type Subscriptions = { email?: string | null; userId?: string | null } & Partial<
  Record<(typeof LISTS)[number], number[] | null>
>;

/** Lists are kept under another name where users are known by userId. Source: facts/iterable.md §3. */
const profileField = (project: IterableProject, list: string): string =>
  list === 'emailListIds' && project.projectType !== 'email' ? 'userListIds' : list;

/** Takes one user's subscriptions: every list that is given replaces the stored one. Returns the refusal, or null. */
function accept(project: IterableProject, wanted: Subscriptions, pipeline: 'bulk' | 'single'): Answer | null {
  if (wanted.subscribedMessageTypeIds && !project.switches.optInMessageTypes) {
    return refuse.badParams('subscribedMessageTypeIds needs opt-in message types, which this project does not have');
  }
  const found = findUser(project, { email: wanted.email ?? undefined, userId: wanted.userId ?? undefined });
  if (!found.ok) return found.answer;
  if (project.isForgotten(found.kind, found.value)) return refuse.forgotten();
  if (found.slots.length === 0) return unknown(project, found);
  if (found.slots.length > 1) return refuse.conflict(found.value);
  const lists: JsonObject = {};
  for (const list of LISTS) {
    const value = wanted[list];
    if (value) lists[profileField(project, list)] = value;
  }
  project[pipeline].run(() => {
    const slots = found.kind === 'email' ? project.byEmail(found.value) : project.byUserId(found.value);
    for (const slot of slots) {
      const before = project.profiles.read(slot);
      const fields = { ...before.fields, ...lists };
      project.profiles.write(slot, { ...before, fields, updatedAt: project.clock.now() }, before);
    }
  });
  return null;
}

/** POST /api/users/updateSubscriptions. */
const updateSubscriptions: Endpoint = {
  method: 'POST',
  path: 'users/updateSubscriptions',
  handle(project, request) {
    const problems = complaints(request.body, members);
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    return accept(project, request.body as unknown as Subscriptions, 'single') ?? success();
  },
};

/**
 * POST /api/users/bulkUpdateSubscriptions. The failure lists know invalid users and internal errors only; a user that does not
 * exist is counted as invalid, which is not documented.
 */
const bulkUpdateSubscriptions: Endpoint = {
  method: 'POST',
  path: 'users/bulkUpdateSubscriptions',
  handle(project, request) {
    const problems = complaints(request.body, { 'updateSubscriptionsRequests!': { each: members } });
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    const body = request.body as unknown as { updateSubscriptionsRequests: Subscriptions[] };
    const invalidEmails: string[] = [];
    const invalidUserIds: string[] = [];
    let successCount = 0;
    for (const wanted of body.updateSubscriptionsRequests) {
      if (accept(project, wanted, 'bulk') === null) successCount += 1;
      else if (wanted.email && project.projectType !== 'user-id') invalidEmails.push(wanted.email);
      else invalidUserIds.push(wanted.userId ?? '');
    }
    return json({
      successCount,
      failCount: body.updateSubscriptionsRequests.length - successCount,
      invalidEmails,
      invalidUserIds,
      validEmailFailures: [],
      validUserIdFailures: [],
    });
  },
};

export const subscriptionEndpoints: readonly Endpoint[] = [updateSubscriptions, bulkUpdateSubscriptions];
