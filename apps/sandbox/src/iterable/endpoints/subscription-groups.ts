import { badJson, envelope, json, success, type Answer } from '../answers.js';
import { complaints } from '../envelope-check.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import type { Json } from '../project/json.js';
import type { Slot } from '../project/profiles.js';
import type { IterableProject } from '../project/project.js';
import type { ApiRequest, Endpoint } from './endpoint.js';
import { refuse } from './find-user.js';

/** A group of subscriptions: where a profile keeps it, and whether that list names what the user gets or what not. */
interface Group {
  field(project: IterableProject): string;
  listed: 'subscribed' | 'unsubscribed';
  has(project: IterableProject, id: number): boolean;
}

/** By name in lower case: the API takes any. Lists of people are not simulated, so any id is one. */
const groups: Readonly<Record<string, Group>> = {
  emaillist: {
    field: (project) => (project.projectType === 'email' ? 'emailListIds' : 'userListIds'),
    listed: 'subscribed',
    has: () => true,
  },
  messagechannel: {
    field: () => 'unsubscribedChannelIds',
    listed: 'unsubscribed',
    has: (project, id) => project.channels.channels.some((channel) => channel.id === id),
  },
  messagetype: {
    field: () => 'unsubscribedMessageTypeIds',
    listed: 'unsubscribed',
    has: (project, id) => project.channels.messageTypes.some((one) => one.id === id),
  },
};

/** A user as the request names him. */
interface Named {
  kind: 'email' | 'userId';
  value: string;
}

function namedUsers(project: IterableProject, body: Json): Named[] | Answer {
  const { users, usersByUserId } = body as { users?: string[] | null; usersByUserId?: string[] | null };
  const emails = users ?? [];
  const userIds = usersByUserId ?? [];
  if (emails.length + userIds.length === 0) return refuse.badParams('users or usersByUserId is required');
  if (emails.length > 0 && project.projectType === 'user-id') {
    return refuse.badParams('A userID-based project knows its users by userId');
  }
  const badEmail = emails.find((email) => !isEmail(email));
  if (badEmail !== undefined) return refuse.invalidEmail(badEmail);
  const badUserId = userIds.find((userId) => !isUserId(userId));
  if (badUserId !== undefined) return refuse.invalidUserId(badUserId);
  return [
    ...emails.map((email): Named => ({ kind: 'email', value: normaliseEmail(email) })),
    ...userIds.map((value): Named => ({ kind: 'userId', value })),
  ];
}

const slotsOf = (project: IterableProject, { kind, value }: Named): readonly Slot[] =>
  kind === 'email' ? project.byEmail(value) : project.byUserId(value);

/** What stands against the users as a whole, where unknown ones are not passed over. */
function refusal(project: IterableProject, users: readonly Named[]): Answer | null {
  for (const user of users) {
    if (project.isForgotten(user.kind, user.value)) return refuse.forgotten();
    if (slotsOf(project, user).length > 0 || project.switches.unknownSubscribers === 'ignored') continue;
    return user.kind === 'email' ? refuse.unknownEmail(user.value) : refuse.unknownUserId(user.value);
  }
  return null;
}

/** Adds to a list or takes from it, and touches nothing else. */
function change(project: IterableProject, users: readonly Named[], field: string, id: number, add: boolean): void {
  for (const slot of users.flatMap((user) => slotsOf(project, user))) {
    const before = project.profiles.read(slot);
    const held = (before.fields[field] ?? []) as number[];
    if (held.includes(id) === add) continue;
    const fields = { ...before.fields, [field]: add ? [...held, id] : held.filter((one) => one !== id) };
    project.profiles.write(slot, { ...before, fields, updatedAt: project.clock.now() }, before);
  }
}

function handle(project: IterableProject, request: ApiRequest): Answer {
  const { groupSubscriptions } = project.switches;
  if (groupSubscriptions === 'not-found') return envelope(404, 'NotFound', `No endpoint PUT ${request.path}`);
  if (groupSubscriptions === 'forbidden') return envelope(403, 'Forbidden', 'This API is not enabled for the project');
  const problems = complaints(request.body, { users: { each: 'string' }, usersByUserId: { each: 'string' } });
  if (Object.keys(problems).length > 0) return badJson(request.path, problems);
  const group = groups[(request.params['group'] ?? '').toLowerCase()];
  if (group === undefined) return refuse.badParams('Unknown subscription group');
  // Said to be required, and said to have a default: it subscribes. Source: [S3].
  const action = request.query.get('action') ?? 'subscribe';
  if (action !== 'subscribe' && action !== 'unsubscribe') return refuse.badParams(`Unknown action ${action}`);
  const id = Number(request.params['id']);
  if (!Number.isSafeInteger(id) || id < 1) return refuse.badParams('The id of the group must be a number');
  if (!group.has(project, id)) {
    return project.switches.unknownSubscription === '404'
      ? envelope(404, 'NotFound', `There is no subscription group ${id}`)
      : refuse.badParams(`There is no subscription group ${id}`);
  }
  const users = namedUsers(project, request.body);
  if (!Array.isArray(users)) return users;
  const refused = refusal(project, users);
  if (refused) return refused;
  const field = group.field(project);
  const add = (action === 'subscribe') === (group.listed === 'subscribed');
  project.bulk.run(() => change(project, users, field, id, add));
  return project.switches.groupSubscriptionsAccepted ? { ...success(), status: 202 } : success();
}

/** PUT /api/subscriptions/{group}/{id} and the lists of what there is. Source: [S3]. */
export const subscriptionGroupEndpoints: readonly Endpoint[] = [
  { method: 'PUT', path: 'subscriptions/{group}/{id}', handle },
  {
    method: 'GET',
    path: 'channels',
    handle: ({ channels }) => json({ channels: channels.channels.map((one) => ({ ...one })) }),
  },
  {
    method: 'GET',
    path: 'messageTypes',
    handle: ({ channels }) => json({ messageTypes: channels.messageTypes.map((one) => ({ ...one })) }),
  },
];
