import type { DeadLetter } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { addDeadLetters, MAX_KEPT, NEWEST, noDeadLetters, toDeadLettersAnswer, toSelection } from './dead-letters.js';

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

  it('count distinct records beside letters, and letters of none not at all', () => {
    const OTHER = '0035f00002EztxDAAR';
    const state = addDeadLetters(noDeadLetters, [
      letter('0:1'),
      letter('0:2'),
      letter('0:3', { recordId: OTHER, recordType: 'Contact' }),
      letter('0:4', { code: 'iterable.forgotten' }),
      letter('', unreadable(1)),
    ]);
    const { total, records, groups } = toDeadLettersAnswer(state, true);
    expect([total, records]).toEqual([5, 2]);
    expect(groups.map(({ code, count, records: distinct }) => [code, count, distinct])).toEqual([
      ['event-log.invalid_message', 1, 0],
      ['iterable.invalid_data', 3, 2],
      ['iterable.forgotten', 1, 1],
    ]);
  });

  it('give references with all that leads to the record, newest first, as many as are asked for', () => {
    const many = Array.from({ length: 30 }, (_, index) => letter(`0:${index}`, { lastTime: index, jobIds: ['j'] }));
    const [group] = toDeadLettersAnswer(addDeadLetters(noDeadLetters, many), true, {}, 25).groups;
    expect(group?.newest).toHaveLength(25);
    expect(group?.newest[0]).toEqual({
      recordType: 'Lead',
      recordId: '00Q5f000005bwLFEAY',
      stage: 'writer',
      message: 'field type differs',
      attempts: 1,
      offsets: ['0:29'],
      jobIds: ['j'],
      firstTime: 1_000,
      time: 29,
    });
  });

  it.each([
    [{ code: ['iterable.forgotten'] }, 1, 2_000],
    [{ code: ['iterable.forgotten', 'iterable.invalid_data'] }, 3, 3_000],
    [{ object: ['Contact'] }, 1, 3_000],
    [{ id: ['00Q5f000005bwLFEAY'] }, 2, 2_000],
    [{ from: '1970-01-01T00:00:02Z' }, 2, 3_000],
    [{ from: '1970-01-01T00:00:02Z', to: '1970-01-01T00:00:03Z' }, 1, 2_000],
    [{ code: ['iterable.forgotten'], object: ['Contact'] }, 0, undefined],
  ])('are found by %j', (query, total, lastTime) => {
    const state = addDeadLetters(noDeadLetters, [
      letter('0:1', { lastTime: 1_500 }),
      letter('0:2', { code: 'iterable.forgotten', lastTime: 2_000 }),
      letter('0:3', { recordId: '0035f00002EztxDAAR', recordType: 'Contact', lastTime: 3_000 }),
    ]);
    const answer = toDeadLettersAnswer(state, true, toSelection(query));
    expect([answer.total, answer.groups[0]?.lastTime]).toEqual([total, lastTime]);
  });

  it('are counted by code beyond what is kept, and say that not all is known', () => {
    const many = Array.from({ length: MAX_KEPT + 5 }, (_, index) => letter(`0:${index}`));
    const state = addDeadLetters(addDeadLetters(noDeadLetters, [letter('1:0', { code: 'gone', lastTime: 500 })]), many);
    expect(toDeadLettersAnswer(state, true)).toMatchObject({
      total: MAX_KEPT + 6,
      complete: false,
      groups: [{ count: MAX_KEPT + 5 }, { code: 'gone', count: 1, newest: [] }],
    });
    expect(toDeadLettersAnswer(state, true, { objects: ['Lead'] })).toMatchObject({ total: MAX_KEPT, complete: false });
  });
});
