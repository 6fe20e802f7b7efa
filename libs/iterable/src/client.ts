import { createSender, type HttpAnswer, type IterableClientOptions } from './http.js';
import { profilePath, type ProfileKey } from './profile-key.js';

export type { HttpAnswer, IterableClientOptions } from './http.js';

export interface IterableClient {
  /**
   * POST /api/users/bulkUpdate with a body made by `encodeRequest`. Any HTTP answer resolves; give it to `classifyBulkAnswer`.
   * Errors: `IterableUnreachableError`, `IterableTimeoutError`; an abort by `signal` rejects with the signal's reason.
   */
  bulkUpdateUsers(body: string, signal?: AbortSignal): Promise<HttpAnswer>;
}

/**
 * Calls about one profile: another pipeline of Iterable than the bulk one, so calls of both about one profile are to be kept
 * apart. Give an answer to `classifyProfileAnswer`. Errors: as `bulkUpdateUsers`; where the key becomes part of the path also
 * `RangeError` for one that is not `isAddressable`. Source: Iterable API docs, users.
 */
export interface ProfileClient {
  /** POST users/updateEmail; email-based projects only. Moves the profile with its events. */
  updateEmail(emails: UpdateEmail, signal?: AbortSignal): Promise<HttpAnswer>;
  /** POST users/merge: the source's data fills what the destination lacks; a destination that does not exist renames the source. */
  mergeUsers(profiles: MergeUsers, signal?: AbortSignal): Promise<HttpAnswer>;
  /** DELETE users/{email} or users/byUserId/{userId}. By user id: every profile that shares it. Asynchronous; the user may come back. */
  deleteUser(profile: ProfileKey, signal?: AbortSignal): Promise<HttpAnswer>;
  /** POST users/forget: deletes, and data is never taken for the identifier again. */
  forgetUser(profile: ProfileKey, signal?: AbortSignal): Promise<HttpAnswer>;
  /** POST users/unforget: data is taken again; what was deleted stays so. */
  unforgetUser(profile: ProfileKey, signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface UpdateEmail {
  readonly currentEmail: string;
  readonly newEmail: string;
}

export interface MergeUsers {
  readonly source: ProfileKey;
  readonly destination: ProfileKey;
}

/** Calls that read. Errors: as `bulkUpdateUsers`. Source: Iterable API docs. */
export interface ReadClient {
  /** GET users/getByEmail or users/byUserId; for an unknown user 200 `{}` or an error. Give the answer to `parseProfile`. */
  getUser(profile: ProfileKey, signal?: AbortSignal): Promise<HttpAnswer>;
  /** GET users/getFields: every field of the project with its type, for `parseFields`. */
  getFields(signal?: AbortSignal): Promise<HttpAnswer>;
  /** GET channels, for `parseChannels`. */
  listChannels(signal?: AbortSignal): Promise<HttpAnswer>;
  /** GET messageTypes, for `parseMessageTypes`. */
  listMessageTypes(signal?: AbortSignal): Promise<HttpAnswer>;
}

/** Calls about consent. None subscribes anyone. Errors: as `bulkUpdateUsers`. */
export interface SubscriptionClient {
  /**
   * PUT subscriptions/{group}/{id}?action=unsubscribe: changes nothing but what it names. Iterable enables it on request only;
   * 202 is possible. Source: Iterable API docs, subscriptions.
   */
  unsubscribeUsers(request: UnsubscribeUsers, signal?: AbortSignal): Promise<HttpAnswer>;
  /**
   * POST users/bulkUpdateSubscriptions. A list that is given REPLACES the stored one: give the stored entries and more, never
   * fewer. A list left out stays as it is.
   */
  bulkUpdateSubscriptions(requests: readonly UnsubscribedLists[], signal?: AbortSignal): Promise<HttpAnswer>;
}

export interface UnsubscribeUsers {
  readonly group: 'messageChannel' | 'messageType';
  readonly id: number;
  readonly profiles: readonly ProfileKey[];
}

/** One user of bulkUpdateSubscriptions. The lists that name what a user is subscribed to are left out on purpose. */
export type UnsubscribedLists = ProfileKey & {
  readonly unsubscribedChannelIds?: readonly number[];
  readonly unsubscribedMessageTypeIds?: readonly number[];
};

/** Everything that this lib asks of Iterable. */
export interface IterableApi extends IterableClient, ProfileClient, ReadClient, SubscriptionClient {}

/** A client of one project. Connections are kept alive by the runtime's fetch. No retry, no pace: those are the caller's. */
export function createIterableClient(options: IterableClientOptions): IterableApi {
  const send = createSender(options);
  const post = (name: string, body: string, signal?: AbortSignal) =>
    send({ method: 'POST', name, path: name, body }, signal);
  const get = (name: string, query: string, signal?: AbortSignal) =>
    send({ method: 'GET', name, path: name + query }, signal);
  return {
    bulkUpdateUsers: (body, signal) => post('users/bulkUpdate', body, signal),

    updateEmail: ({ currentEmail, newEmail }, signal) =>
      post('users/updateEmail', JSON.stringify({ currentEmail, newEmail }), signal),
    mergeUsers: ({ source, destination }, signal) =>
      post('users/merge', JSON.stringify({ ...named('source', source), ...named('destination', destination) }), signal),
    async deleteUser(profile, signal) {
      const name = 'email' in profile ? 'users/{email}' : 'users/byUserId/{userId}';
      return send({ method: 'DELETE', name, path: profilePath(profile) }, signal);
    },
    forgetUser: (profile, signal) => post('users/forget', JSON.stringify(keyOf(profile)), signal),
    unforgetUser: (profile, signal) => post('users/unforget', JSON.stringify(keyOf(profile)), signal),

    // By query, not by path: no identifier is unfit for it, and Iterable's own docs send emails with a slash this way.
    getUser: (profile, signal) =>
      'email' in profile
        ? get('users/getByEmail', `?email=${encodeURIComponent(profile.email)}`, signal)
        : get('users/byUserId', `?userId=${encodeURIComponent(profile.userId)}`, signal),
    getFields: (signal) => get('users/getFields', '', signal),
    listChannels: (signal) => get('channels', '', signal),
    listMessageTypes: (signal) => get('messageTypes', '', signal),

    unsubscribeUsers({ group, id, profiles }, signal) {
      const users = profiles.flatMap((profile) => ('email' in profile ? [profile.email] : []));
      const usersByUserId = profiles.flatMap((profile) => ('email' in profile ? [] : [profile.userId]));
      const body = JSON.stringify({
        ...(users.length > 0 ? { users } : {}),
        ...(usersByUserId.length > 0 ? { usersByUserId } : {}),
      });
      // The action is always said: left out, it means "subscribe". Source: Iterable API docs, default of `action`.
      const path = `subscriptions/${group}/${id}?action=unsubscribe`;
      return send({ method: 'PUT', name: `subscriptions/${group}/{id}`, path, body }, signal);
    },
    bulkUpdateSubscriptions: (requests, signal) =>
      post(
        'users/bulkUpdateSubscriptions',
        JSON.stringify({ updateSubscriptionsRequests: requests.map(listsOf) }),
        signal,
      ),
  };
}

const keyOf = (key: ProfileKey): ProfileKey => ('email' in key ? { email: key.email } : { userId: key.userId });

const named = (which: 'source' | 'destination', key: ProfileKey): Record<string, string> =>
  'email' in key ? { [`${which}Email`]: key.email } : { [`${which}UserId`]: key.userId };

/** Member by member: nothing that a caller holds beside these may reach a call that overwrites. */
function listsOf(lists: UnsubscribedLists): UnsubscribedLists {
  const { unsubscribedChannelIds, unsubscribedMessageTypeIds } = lists;
  return {
    ...keyOf(lists),
    ...(unsubscribedChannelIds === undefined ? {} : { unsubscribedChannelIds }),
    ...(unsubscribedMessageTypeIds === undefined ? {} : { unsubscribedMessageTypeIds }),
  };
}
