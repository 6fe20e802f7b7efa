import type { UnsubscribedLists } from './client.js';
import type { Profile } from './read.js';

/** One thing that a person can be unsubscribed from. */
export interface Subscription {
  readonly group: 'messageChannel' | 'messageType';
  readonly id: number;
}

/** What a person is unsubscribed from. */
export interface Lists {
  readonly channelIds: readonly number[];
  readonly messageTypeIds: readonly number[];
}

/** The lists that a profile holds, none counting as empty; `null`: they are there, but not as numbers, so nothing may replace them. */
export function storedLists(profile: Profile): Lists | null {
  const channelIds = idsIn(profile.dataFields['unsubscribedChannelIds']);
  const messageTypeIds = idsIn(profile.dataFields['unsubscribedMessageTypeIds']);
  return channelIds === null || messageTypeIds === null ? null : { channelIds, messageTypeIds };
}

function idsIn(list: unknown): readonly number[] | null {
  if (list === undefined || list === null) return [];
  return Array.isArray(list) && list.every((id): id is number => Number.isSafeInteger(id)) ? list : null;
}

/** Both, without duplicates, those of `a` first and in their order. */
export function union(a: Lists, b: Lists): Lists {
  return {
    channelIds: [...new Set([...a.channelIds, ...b.channelIds])],
    messageTypeIds: [...new Set([...a.messageTypeIds, ...b.messageTypeIds])],
  };
}

export function listsOf(subscriptions: readonly Subscription[]): Lists {
  const idsOf = (wanted: Subscription['group']) =>
    subscriptions.filter(({ group }) => group === wanted).map(({ id }) => id);
  return { channelIds: idsOf('messageChannel'), messageTypeIds: idsOf('messageType') };
}

type Replacement = Pick<UnsubscribedLists, 'unsubscribedChannelIds' | 'unsubscribedMessageTypeIds'>;

/**
 * The lists to be replaced so that `wanted` holds too: only those that grow, each with all that is stored; `null` when none does.
 * A list is never shorter than the stored one: nobody is subscribed again.
 */
export function widened(stored: Lists, wanted: Lists): Replacement | null {
  const { channelIds, messageTypeIds } = union(stored, wanted);
  const growsBy = (before: readonly number[], after: readonly number[]) => after.some((id) => !before.includes(id));
  const change: Replacement = {
    ...(growsBy(stored.channelIds, channelIds) ? { unsubscribedChannelIds: channelIds } : {}),
    ...(growsBy(stored.messageTypeIds, messageTypeIds) ? { unsubscribedMessageTypeIds: messageTypeIds } : {}),
  };
  return Object.keys(change).length === 0 ? null : change;
}
