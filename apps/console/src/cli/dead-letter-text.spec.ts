import { describe, expect, it } from 'vitest';
import type { DeadGroup, DeadLettersAnswer } from '../core/answers.js';
import { groupLines, letterLines, matchingLine } from './dead-letter-text.js';

const NOW = Date.UTC(2026, 10, 24, 12);
const LEAD = '00Q5f000005bwLFEAY';
const group: DeadGroup = {
  code: 'iterable.invalid_email',
  meaning: 'Iterable refuses the email address.',
  remedy: 'Correct it.',
  count: 3,
  records: 2,
  firstTime: NOW - 90_000,
  lastTime: NOW - 60_000,
  newest: [
    {
      recordType: 'Lead',
      recordId: LEAD,
      stage: 'writer',
      lane: 'realtime',
      message: 'no address',
      attempts: 2,
      offsets: ['0:7', '0:9'],
      jobIds: ['r1'],
      firstTime: NOW - 90_000,
      time: NOW - 60_000,
    },
    {
      stage: 'decode',
      message: 'the message is no JSON',
      attempts: 1,
      offsets: [],
      jobIds: [],
      origin: 'sync.commands.v1/0/7',
      firstTime: NOW - 90_000,
      time: NOW - 90_000,
    },
  ],
};
const answer: DeadLettersAnswer = { total: 3, records: 2, complete: true, groups: [group] };

describe('dead letters in words', () => {
  it('by code', () => {
    expect(groupLines(answer, NOW)).toEqual([
      'iterable.invalid_email: 3 dead letters of 2 records, the newest 1 min ago',
      '  Iterable refuses the email address. Correct it.',
    ]);
    expect(groupLines({ total: 0, records: 0, complete: true, groups: [] }, NOW)).toEqual(['No dead letter.']);
    expect(groupLines({ ...answer, complete: false }, NOW).at(-1)).toBe(
      'Only the newest dead letters are known to the console; there may be more.',
    );
  });

  it('one by one', () => {
    expect(letterLines(answer)).toEqual([
      'iterable.invalid_email: 3 dead letters of 2 records',
      '  Iterable refuses the email address. Correct it.',
      `  2026-11-24T11:59:00.000Z Lead ${LEAD} (writer, realtime): no address [2 attempts; changes 0:7 0:9; job r1]`,
      '  2026-11-24T11:58:30.000Z sync.commands.v1/0/7 (decode): the message is no JSON',
      '  … 1 older ones',
    ]);
  });

  it.each([
    [{ letters: 1, records: 1, complete: true }, '1 dead letter of 1 record matches'],
    [{ letters: 1_200, records: 900, complete: true }, '1,200 dead letters of 900 records match'],
    [
      { letters: 2, records: 2, complete: false },
      '2 dead letters of 2 records match among the newest ones; older ones that match are sent too',
    ],
  ])('before they are sent: %j', (matching, line) => {
    expect(matchingLine(matching)).toBe(line);
  });
});
