import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listsOf, storedLists, union, widened } from './subscription-lists.js';

const lists = (channelIds: number[], messageTypeIds: number[] = []) => ({ channelIds, messageTypeIds });

describe('storedLists', () => {
  it.each<[string, Record<string, unknown>, object | null]>([
    ['none', {}, lists([])],
    ['null', { unsubscribedChannelIds: null }, lists([])],
    ['both', { unsubscribedChannelIds: [1, 2], unsubscribedMessageTypeIds: [3] }, lists([1, 2], [3])],
    ['texts, which are not to be replaced', { unsubscribedChannelIds: ['1'] }, null],
    ['no list', { unsubscribedMessageTypeIds: 'all' }, null],
    ['a list with a hole', { unsubscribedChannelIds: [1, null] }, null],
  ])('reads %s', (_, dataFields, expected) => {
    expect(storedLists({ dataFields })).toEqual(expected);
  });
});

describe('widened', () => {
  it.each<[string, ReturnType<typeof lists>, ReturnType<typeof lists>, object | null]>([
    ['nothing wanted', lists([1], [2]), lists([]), null],
    ['all there already', lists([1, 2], [3]), lists([2], [3]), null],
    ['one list grows', lists([1], [3]), lists([2], [3]), { unsubscribedChannelIds: [1, 2] }],
    ['the other grows', lists([1], []), lists([1], [3]), { unsubscribedMessageTypeIds: [3] }],
    ['both grow', lists([], []), lists([1, 1], [3]), { unsubscribedChannelIds: [1], unsubscribedMessageTypeIds: [3] }],
  ])('%s', (_, stored, wanted, expected) => {
    expect(widened(stored, wanted)).toEqual(expected);
  });

  it('never makes a list shorter, and holds all that is wanted', () => {
    const ids = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 6 });
    const some = fc.record({ channelIds: ids, messageTypeIds: ids });
    fc.assert(
      fc.property(some, some, (stored, wanted) => {
        const change = widened(stored, wanted);
        const after = union(stored, {
          channelIds: change?.unsubscribedChannelIds ?? [],
          messageTypeIds: change?.unsubscribedMessageTypeIds ?? [],
        });
        const sent = [
          [change?.unsubscribedChannelIds, stored.channelIds],
          [change?.unsubscribedMessageTypeIds, stored.messageTypeIds],
        ] as const;
        for (const [list, held] of sent)
          if (list !== undefined) expect(list).toEqual(expect.arrayContaining([...held]));
        expect(after.channelIds).toEqual(expect.arrayContaining(wanted.channelIds));
        expect(after.messageTypeIds).toEqual(expect.arrayContaining(wanted.messageTypeIds));
      }),
    );
  });
});

it('listsOf sorts subscriptions by group', () => {
  expect(
    listsOf([
      { group: 'messageType', id: 3 },
      { group: 'messageChannel', id: 1 },
      { group: 'messageChannel', id: 2 },
    ]),
  ).toEqual(lists([1, 2], [3]));
});
