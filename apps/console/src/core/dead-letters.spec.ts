import type { DeadLetter } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { addDeadLetters, NEWEST, noDeadLetters, toDeadLettersAnswer } from './dead-letters.js';

const letter = (change: string, over: Partial<DeadLetter> = {}): DeadLetter => ({
  recordType: 'Lead',
  recordId: '00Q5f000005bwLFEAY',
  offsets: [change],
  jobIds: [],
  stage: 'writer',
  code: 'iterable.invalid_data',
  message: 'field type differs',
  attempts: 1,
  firstTime: 1_000,
  lastTime: 1_000,
  ...over,
});
const unreadable = (offset: number): Partial<DeadLetter> => ({
  recordType: undefined,
  recordId: undefined,
  offsets: [],
  stage: 'decode',
  code: 'event-log.invalid_message',
  origin: { topic: 'sync.commands.v1', partition: 0, offset },
  firstTime: 5_000,
  lastTime: 5_000,
});

describe('dead letters', () => {
  it('are grouped by code, latest first, each with what it means', () => {
    const state = addDeadLetters(noDeadLetters, [
      letter('0:1'),
      letter('0:2', { lastTime: 2_000 }),
      letter('', unreadable(7)),
    ]);
    expect(toDeadLettersAnswer(state, true)).toMatchObject({
      total: 3,
      complete: true,
      groups: [
        {
          code: 'event-log.invalid_message',
          count: 1,
          meaning: 'The sync made a message that does not fit its topic.',
          newest: [{ origin: 'sync.commands.v1/0/7' }],
        },
        {
          code: 'iterable.invalid_data',
          count: 2,
          firstTime: 1_000,
          lastTime: 2_000,
          newest: [{ time: 2_000 }, { time: 1_000 }],
        },
      ],
    });
  });

  it('count once when delivered again, but apart for another code or place', () => {
    const again = [
      letter('0:1'),
      letter('0:1'),
      letter('0:1', { code: 'iterable.forgotten' }),
      letter('', unreadable(7)),
      letter('', unreadable(7)),
      letter('', unreadable(8)),
    ];
    expect(
      toDeadLettersAnswer(addDeadLetters(noDeadLetters, again), true).groups.map(({ code, count }) => [code, count]),
    ).toEqual([
      ['event-log.invalid_message', 2],
      ['iterable.invalid_data', 1],
      ['iterable.forgotten', 1],
    ]);
  });

  it('keep only the newest references', () => {
    const many = Array.from({ length: 50 }, (_, index) => letter(`0:${index}`, { lastTime: index }));
    const [group] = toDeadLettersAnswer(addDeadLetters(noDeadLetters, many), false).groups;
    expect(group).toMatchObject({ count: 50 });
    expect(group?.newest).toHaveLength(NEWEST);
    expect(group?.newest[0]?.time).toBe(49);
  });
});
