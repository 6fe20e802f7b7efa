import type { DeadLetter, Outcome, UserMessage } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { endingsOf, type EndedPlan } from './endings.js';

/** Of so many messages, outcomes, and dead letters with these codes; dead letters have an outcome beside them. */
const plan = (messages: number, outcomes: number, codes: readonly string[] = [], isMapped = true): EndedPlan => ({
  isMapped,
  messages: Array.from({ length: messages }, () => ({}) as UserMessage),
  outcomes: Array.from({ length: outcomes }, () => ({}) as Outcome),
  deadLetters: codes.map((code) => ({ code }) as DeadLetter),
});

describe('endingsOf', () => {
  it.each([
    ['nothing', [], 0, {}],
    ['messages and outcomes alike', [plan(3, 2)], 5, {}],
    [
      'dead ones by code, each once',
      [plan(1, 3, ['a.b', 'c.d', 'a.b']), plan(0, 1, ['a.b'])],
      5,
      { 'a.b': 3, 'c.d': 1 },
    ],
    ['not what no mapping was applied to', [plan(0, 900, [], false), plan(0, 1, ['a.b'])], 1, { 'a.b': 1 }],
  ])('counts %s', (_, plans, ended, dead) => {
    expect(endingsOf(plans)).toEqual({ ended, dead: new Map(Object.entries(dead)) });
  });
});
