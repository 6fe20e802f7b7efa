import { badJson, success, type Answer } from '../answers.js';
import { complaints } from '../envelope-check.js';
import { isEmail, isUserId, normaliseEmail } from '../project/identifiers.js';
import { isObject, type Json, type JsonObject } from '../project/json.js';
import type { IterableProject } from '../project/project.js';
import type { Endpoint } from './endpoint.js';
import { findUser, refuse, unknown, type Found, type Named } from './find-user.js';

interface ArrayMerge {
  field: string;
  dedupeBy?: string | null;
}

interface MergeBody {
  sourceEmail?: string | null;
  sourceUserId?: string | null;
  destinationEmail?: string | null;
  destinationUserId?: string | null;
  arrayMerge?: ArrayMerge[] | null;
}

const asArray = (value: Json | undefined): Json[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
const sameValue = (one: Json | undefined, other: Json | undefined): boolean =>
  one !== undefined && JSON.stringify(one) === JSON.stringify(other);

/**
 * The destination's array with what the source adds: whole duplicates are left out, or, with `dedupeBy`, objects that share that
 * member's value. `null`: `dedupeBy` for an array of something else than objects. Source: [S] ArrayMerge.
 */
export function mergeArrays(destination: Json[], source: Json[], dedupeBy?: string | null): Json[] | null {
  if (!dedupeBy) {
    return [...destination, ...source.filter((item) => !destination.some((held) => sameValue(item, held)))];
  }
  if (![...destination, ...source].every(isObject)) return null;
  const added = (source as JsonObject[]).filter(
    (item) => !(destination as JsonObject[]).some((held) => sameValue(item[dedupeBy], held[dedupeBy])),
  );
  return [...destination, ...added];
}

/** Fields of the merged profile, or null where an array cannot be merged. The destination wins, objects stay whole. */
function mergedFields(destination: JsonObject, source: JsonObject, arrays: readonly ArrayMerge[]): JsonObject | null {
  const merged: JsonObject = { ...source, ...destination };
  for (const { field, dedupeBy } of arrays) {
    if (!(field in merged)) continue;
    const together = mergeArrays(asArray(destination[field]), asArray(source[field]), dedupeBy);
    if (together === null) return null;
    merged[field] = together;
  }
  return merged;
}

/** Lists that say what a user gets, and what not. */
const SUBSCRIPTIONS = [
  'emailListIds',
  'userListIds',
  'unsubscribedChannelIds',
  'unsubscribedMessageTypeIds',
  'subscribedMessageTypeIds',
];

/** Whether the merged profile is unsubscribed from what only the source was is not documented, hence a switch. */
function withSubscriptions(
  how: IterableProject['switches']['mergedSubscriptions'],
  fields: JsonObject,
  destination: JsonObject,
  source: JsonObject,
): JsonObject {
  const merged = { ...fields };
  for (const name of SUBSCRIPTIONS) {
    const held = destination[name];
    if (how === 'united' && name in source) merged[name] = mergeArrays(asArray(held), asArray(source[name])) ?? [];
    else if (how === 'destination' && held === undefined) delete merged[name];
  }
  return merged;
}

/** Exactly one of the two, well formed and not forgotten. */
function findOne(project: IterableProject, which: string, named: Named): Found {
  if ((named.email === undefined) === (named.userId === undefined)) {
    return { ok: false, answer: refuse.badParams(`Give ${which}Email or ${which}UserId, but not both`) };
  }
  const { email, userId } = named;
  if (email !== undefined && isEmail(email) && project.isForgotten('email', normaliseEmail(email))) {
    return { ok: false, answer: refuse.forgotten() };
  }
  if (userId !== undefined && isUserId(userId) && project.isForgotten('userId', userId)) {
    return { ok: false, answer: refuse.forgotten() };
  }
  return findUser(project, named);
}

/** Moves the source's data to the destination and deletes the source; an unknown destination renames the source. */
function apply(
  project: IterableProject,
  from: Found & { ok: true },
  into: Found & { ok: true },
  arrays: readonly ArrayMerge[],
): void {
  const [sourceSlot] = from.kind === 'email' ? project.byEmail(from.value) : project.byUserId(from.value);
  const [slot] = into.kind === 'email' ? project.byEmail(into.value) : project.byUserId(into.value);
  if (sourceSlot === undefined || sourceSlot === slot) return;
  const source = project.profiles.read(sourceSlot);
  const updatedAt = project.clock.now();
  if (slot === undefined) {
    project.profiles.write(sourceSlot, { ...source, [into.kind]: into.value, updatedAt }, source);
    return;
  }
  const destination = project.profiles.read(slot);
  const joined = mergedFields(destination.fields, source.fields, arrays);
  if (joined === null) return;
  const fields = withSubscriptions(project.switches.mergedSubscriptions, joined, destination.fields, source.fields);
  // An identifier that the destination lacks is a field that it lacks: the source, which is gone, leaves it its own.
  const email = destination.email ?? source.email;
  const userId = destination.userId ?? source.userId;
  project.profiles.delete(sourceSlot);
  project.profiles.write(slot, { ...destination, email, userId, fields, updatedAt }, destination);
}

/** POST /api/users/merge. Source: facts/iterable.md §2. */
export const merge: Endpoint = {
  method: 'POST',
  path: 'users/merge',
  handle(project, request): Answer {
    const problems = complaints(request.body, {
      sourceEmail: 'string',
      sourceUserId: 'string',
      destinationEmail: 'string',
      destinationUserId: 'string',
      arrayMerge: { each: { 'field!': 'string', dedupeBy: 'string' } },
    });
    if (Object.keys(problems).length > 0) return badJson(request.path, problems);
    const body = request.body as unknown as MergeBody;
    const named = (email?: string | null, userId?: string | null): Named => ({
      email: email ?? undefined,
      userId: userId ?? undefined,
    });
    const from = findOne(project, 'source', named(body.sourceEmail, body.sourceUserId));
    if (!from.ok) return from.answer;
    const into = findOne(project, 'destination', named(body.destinationEmail, body.destinationUserId));
    if (!into.ok) return into.answer;
    const [sourceSlot] = from.slots;
    if (sourceSlot === undefined) return unknown(project, from);
    const [slot] = into.slots;
    if (sourceSlot === slot) return refuse.badParams('Source and destination are the same user');
    const arrays = body.arrayMerge ?? [];
    const held = slot === undefined ? {} : project.profiles.read(slot).fields;
    if (mergedFields(held, project.profiles.read(sourceSlot).fields, arrays) === null) {
      return refuse.badParams('dedupeBy works on arrays of objects only');
    }
    project.single.run(() => apply(project, from, into, arrays));
    return success();
  },
};
