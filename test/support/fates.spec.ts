import { describe, expect, it } from 'vitest';
import type { DeadLetter, Outcome } from '@libs/contracts';
import { readFates, type Books } from './fates.js';

const outcome = (recordId: string, offsets: string[], kind: Outcome['kind'], reason?: string): Outcome => ({
  recordId,
  offsets,
  jobIds: [],
  lane: 'backfill',
  kind,
  reason,
  time: 1,
});
const letter = (recordId: string, offsets: string[], code: string): DeadLetter => ({
  recordId,
  offsets,
  jobIds: [],
  stage: 'writer',
  code,
  message: 'why',
  attempts: 1,
  firstTime: 1,
  lastTime: 2,
});

const INVALID = 'iterable.invalid_email';
const good: Books = {
  changes: ['0:0', '0:1', '1:0', '1:1'],
  outcomes: [
    outcome('good', ['0:0'], 'written'),
    outcome('good', ['0:1'], 'superseded', 'writer.newer_update'),
    outcome('bad', ['1:0', '1:1'], 'dead', INVALID),
  ],
  deadLetters: [letter('bad', ['1:0', '1:1'], INVALID)],
  bad: new Map([['bad', INVALID]]),
};

describe('the fates of a run', () => {
  it('are in order when each change has one that fits its record', () => {
    expect(readFates(good)).toEqual({
      gap: 0,
      kinds: { written: 1, superseded: 1, dead: 2 },
      repeatedOutcomes: 0,
      deadRecords: 1,
      deadByCode: { [INVALID]: 1 },
      repeatedDeadLetters: 0,
      violations: [],
    });
  });

  it('count a repeat of the same apart', () => {
    const twice = {
      ...good,
      outcomes: [...good.outcomes, ...good.outcomes],
      deadLetters: [...good.deadLetters, ...good.deadLetters],
    };
    expect(readFates(twice)).toMatchObject({
      gap: 0,
      repeatedOutcomes: 4,
      repeatedDeadLetters: 1,
      deadByCode: { [INVALID]: 1 },
      violations: [],
    });
  });

  it('let a redelivered update of a bad record be superseded the second time', () => {
    const again = outcome('bad', ['1:0', '1:1'], 'superseded', 'writer.newer_update');
    expect(readFates({ ...good, outcomes: [...good.outcomes, again] })).toMatchObject({
      repeatedOutcomes: 2,
      kinds: { dead: 2 },
      violations: [],
    });
  });

  it.each<[string, Partial<Books>, RegExp]>([
    ['a change without an outcome', { changes: [...good.changes, '2:9'] }, /1 changes without an outcome, e.g. 2:9/],
    [
      'a good record that is dead',
      {
        outcomes: [...good.outcomes, outcome('good', ['0:2'], 'dead', INVALID)],
        deadLetters: [...good.deadLetters, letter('good', ['0:2'], INVALID)],
      },
      /good is good, and dead/,
    ],
    [
      'a bad record that is written',
      { outcomes: [...good.outcomes, outcome('bad', ['1:2'], 'written')] },
      /bad is bad .*, and written/,
    ],
    [
      'another code',
      { outcomes: good.outcomes.with(2, outcome('bad', ['1:0', '1:1'], 'dead', 'iterable.forgotten')) },
      /bad is bad \(iterable.invalid_email\), and dead iterable.forgotten/,
    ],
    ['another code in the dead letter', { deadLetters: [letter('bad', ['1:0', '1:1'], 'iterable.forgotten')] }, /but/],
    ['a bad record without a dead letter', { deadLetters: [] }, /has no dead letter/],
    [
      'a dead change without a dead letter',
      { deadLetters: [letter('bad', ['1:0'], INVALID)] },
      /change 1:1 is dead without a dead letter/,
    ],
    [
      'a change in two dead letters',
      { deadLetters: [...good.deadLetters, letter('bad', ['1:1', '1:2'], INVALID)] },
      /change 1:1 is in two dead letters/,
    ],
  ])('tell of %s', (_, change, message) => {
    expect(readFates({ ...good, ...change }).violations.join('\n')).toMatch(message);
  });
});
