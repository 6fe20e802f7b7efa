import type { Status } from '@libs/contracts';
import { assert, property, shuffledSubarray } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addToMappingHistory, noMappingHistory, withoutBeginning, type MappingHistory } from './mapping-history.js';

const mapper = (
  time: number,
  versions: Record<string, string>,
  cause = 'edit',
  changed = Object.keys(versions),
): Status => {
  return { id: 'mapping', type: 'mapping-applied', data: { versions, changed, cause }, time, by: 'mapper' };
};
const backfill = (time: number, id: string, type: Status['type'], data: Status['data'] = {}): Status => {
  return { id, type, data, time, by: 'backfill' };
};
const after = (messages: readonly Status[], before: MappingHistory = noMappingHistory) =>
  messages.reduce(addToMappingHistory, before);
const versionsAfter = (messages: readonly Status[], before?: MappingHistory) =>
  Object.fromEntries(after(messages, before).versions);

describe('versions', () => {
  const cut = withoutBeginning(noMappingHistory);
  it.each([
    ['the first word', [mapper(1, { Lead: 'a' }, 'start')], { Lead: { version: 'a', sinceMs: 1, certain: true } }],
    [
      'a repeat, as at a start',
      [mapper(1, { Lead: 'a' }), mapper(5, { Lead: 'a' }, 'start')],
      { Lead: { version: 'a', sinceMs: 1, certain: true } },
    ],
    [
      'a version that comes back',
      [mapper(1, { Lead: 'a' }), mapper(2, { Lead: 'b' }), mapper(3, { Lead: 'a' })],
      { Lead: { version: 'a', sinceMs: 3, certain: true } },
    ],
    [
      'an object that is mapped no more',
      [mapper(1, { Lead: 'a', Contact: 'c' }), mapper(2, { Lead: 'a' }, 'edit', ['Contact'])],
      { Lead: { version: 'a', sinceMs: 1, certain: true } },
    ],
    [
      'refused files',
      [
        mapper(1, { Lead: 'a' }),
        {
          ...mapper(2, {}),
          type: 'mapping-refused',
          data: { versions: { Lead: 'a' }, mistakes: ['no'], cause: 'edit' },
        },
      ] as Status[],
      { Lead: { version: 'a', sinceMs: 1, certain: true } },
    ],
    [
      'what is no message of ours',
      [
        mapper(1, { Lead: 'a' }),
        { ...mapper(2, {}), data: { versions: 7 } },
        { ...mapper(3, {}), type: 'completed' },
      ] as Status[],
      { Lead: { version: 'a', sinceMs: 1, certain: true } },
    ],
  ])('%s', (_, messages, expected) => {
    expect(versionsAfter(messages)).toEqual(expected);
  });

  it.each([
    ['a start', [mapper(1, { Lead: 'a' }, 'start')], false],
    ['an edit of it', [mapper(1, { Lead: 'a' }, 'edit')], true],
    ['an edit of another', [mapper(1, { Lead: 'a', Contact: 'c' }, 'edit', ['Contact'])], false],
    ['a change after a start', [mapper(1, { Lead: 'a' }, 'start'), mapper(2, { Lead: 'b' }, 'start')], true],
  ])('without the beginning of the log, %s', (_, messages, certain) => {
    expect(versionsAfter(messages, cut)).toMatchObject({ Lead: { certain } });
  });
});

describe('backfills', () => {
  it.each([
    ['a whole one', { object: 'Lead', total: 9 }, true],
    ['one with a condition', { object: 'Lead', where: "Status = 'New'" }, false],
    ['one of what changed since', { object: 'Lead', sinceMs: 5 }, false],
    ['a catch-up', { object: 'Lead', sinceMs: 5, hole: { reason: 'overflow', fromMs: 5 } }, false],
    ['a fan-out', { object: 'Lead', fanOut: { from: 'Account', records: 3 } }, false],
    ['a list of ids', { ids: 4 }, false],
    ['a repeat of a command', { duplicate: true, state: 'running' }, false],
  ])('%s', (_, data, counts) => {
    const { completed } = after([backfill(3, 'j', 'accepted', data), backfill(8, 'j', 'completed')]);
    expect(Object.fromEntries(completed)).toEqual(counts ? { Lead: { id: 'j', startedMs: 3 } } : {});
  });

  it('count once they are completed; the one that was started last', () => {
    const [first, second] = [
      backfill(1, 'a', 'accepted', { object: 'Lead' }),
      backfill(2, 'b', 'accepted', { object: 'Lead' }),
    ];
    expect(after([first]).completed.size).toBe(0);
    expect(after([first, backfill(3, 'a', 'failed')])).toMatchObject({ completed: new Map(), running: new Map() });
    const { completed, running } = after([first, second, backfill(3, 'b', 'completed'), backfill(4, 'a', 'completed')]);
    expect(completed.get('Lead')).toEqual({ id: 'b', startedMs: 2 });
    expect(running.size).toBe(0);
  });

  it('are kept in bounded number while they run', () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      backfill(index, `j${index}`, 'accepted', { object: 'Lead' }),
    );
    expect(after(many).running.size).toBe(200);
    expect(after(many).running.has('j299')).toBe(true);
  });
});

it('does not depend on how messages of different keys are interleaved', () => {
  const mappings = [mapper(1, { Lead: 'a' }, 'start'), mapper(4, { Lead: 'b' }), mapper(9, { Lead: 'b' }, 'start')];
  const jobs = [
    backfill(2, 'x', 'accepted', { object: 'Lead' }),
    backfill(5, 'x', 'completed'),
    backfill(6, 'y', 'accepted', { object: 'Lead' }),
    backfill(7, 'y', 'completed'),
  ];
  const expected = after([...mappings, ...jobs]);
  assert(
    property(shuffledSubarray([0, 0, 0, 1, 1, 1, 1], { minLength: 7 }), (turns) => {
      const queues = [[...mappings], [...jobs]];
      const interleaved = turns.flatMap((turn) => queues[turn]?.shift() ?? []);
      expect(after(interleaved)).toEqual(expected);
    }),
  );
});
