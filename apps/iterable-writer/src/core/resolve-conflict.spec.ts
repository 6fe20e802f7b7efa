import { describe, expect, it } from 'vitest';
import { claim, viewOf, type Rows } from './decide.cases.js';
import { resolveConflict, type Occupant } from './resolve-conflict.js';

const on = { userId: 'C1' };
const write = { kind: 'write', on, email: 'a' };
const giveUp = (userId: string) => ({ kind: 'set', on: { userId }, fields: { email: null } });

describe('an address that its owner is refused', () => {
  it.each<[string, Occupant | null, Rows, object[] | null]>([
    ['was given up meanwhile', null, {}, [write]],
    ['is its own already', { userId: 'C1' }, {}, [write]],
    ['is of the same person, from before the sync', {}, {}, [{ kind: 'move', from: { email: 'a' }, to: on }, write]],
    [
      'is of a record that claims it no more',
      { userId: 'L1' },
      { L1: { userId: 'L1', email: 'a' } },
      [giveUp('L1'), write],
    ],
    [
      'is of a record that it outranks',
      { userId: 'L1' },
      { L1: { userId: 'L1', ...claim('a') } },
      [giveUp('L1'), write],
    ],
    ['is of a record whose profile was never written down', { userId: 'L1' }, { L1: {} }, [giveUp('L1'), write]],
    [
      'is of a record with a user id of its own',
      { userId: 'u7' },
      { L1: { userId: 'u7', email: 'a' } },
      [giveUp('u7'), write],
    ],
    ['is somebody else’s', { userId: 'u7' }, { L1: { userId: 'L1', email: 'a' } }, null],
  ])('%s', (_what, occupant, rows, steps) => {
    expect(resolveConflict({ recordId: 'C1', on, email: 'a' }, occupant, viewOf(rows))).toEqual(steps);
  });
});
