import { describe, expect, it } from 'vitest';
import type { ProjectType } from '@libs/contracts';
import {
  NONE,
  ALL,
  version,
  claim,
  viewOf,
  message,
  update,
  removal,
  rename,
  policy,
  name,
  decided,
  type Rows,
} from './decide.cases.js';
import { decide, type MessageRef } from './decide.js';
import type { Policy } from './decision.js';

describe('consent', () => {
  const optOuts = (projectType: ProjectType, rows: Rows, about: MessageRef, more: Partial<Policy> = {}) => {
    const { steps } = decide(about, viewOf(rows), policy(projectType, more));
    return steps
      .map((step) =>
        step.kind === 'unsubscribe' ? `no ${name(step.on)} ${JSON.stringify(step.optOut.channelIds)}` : step.kind,
      )
      .join(' ');
  };
  const channels = (...channelIds: number[]) => ({ ...NONE, channelIds });

  it.each<[string, ProjectType, Rows, MessageRef, string]>([
    ['a new profile is written first', 'email', {}, update('L1', 'a', { optOut: ALL }), 'write no a []'],
    [
      'a known one is unsubscribed first',
      'email',
      { L1: { email: 'a', ...claim('a') } },
      update('L1', 'a', { optOut: ALL }),
      'no a [] write',
    ],
    [
      'not twice',
      'email',
      { L1: { email: 'a', ...claim('a'), optOut: ALL } },
      update('L1', 'a', { optOut: ALL }),
      'write',
    ],
    [
      'only what is new, with what was before',
      'email',
      { L1: { email: 'a', ...claim('a'), optOut: channels(1) } },
      update('L1', 'a', { optOut: channels(2) }),
      'no a [2] write',
    ],
    [
      'never back: an opt-out that is withdrawn changes nothing',
      'email',
      { L1: { email: 'a', ...claim('a'), optOut: ALL } },
      update('L1', 'a'),
      'write',
    ],
    [
      'again when a writer died while the profile moved: it may have gone, and the opt-out with it',
      'email',
      { L1: { email: 'a', intents: ['b'], ...claim('a'), optOut: ALL } },
      update('L1', 'a', { optOut: ALL }),
      'move no a [] write',
    ],
    [
      'one that was forgotten is not there to be unsubscribed first',
      'hybrid',
      { L1: { userId: 'L1', state: 'gone', forgotten: 'forgotten' } },
      update('L1', 'a', { optOut: ALL }),
      'unforget write no L1 []',
    ],
    [
      'that of a record which is outranked counts',
      'email',
      { L1: claim('a', 1, { optOut: channels(7) }), C1: { email: 'a', ...claim('a') } },
      update('C1', 'a'),
      'no a [7] write',
    ],
    [
      'and of all of them together, by id',
      'hybrid',
      { L1: { userId: 'L1', ...claim('a', 1, { optOut: channels(7) }) } },
      update('C1', 'a', { optOut: channels(3) }),
      'write no C1 [3,7]',
    ],
    [
      'again after a move: a merge may lose it',
      'email',
      { L1: { email: 'a', ...claim('a'), optOut: ALL } },
      update('L1', 'b', { optOut: ALL }),
      'move no b [] write',
    ],
  ])('%s', (_what, projectType, rows, about, shown) => {
    expect(optOuts(projectType, rows, about)).toBe(shown);
  });

  it('is left alone when told so', () => {
    expect(optOuts('email', {}, update('L1', 'a', { optOut: ALL }), { onOptOut: 'ignore' })).toBe('write');
  });

  it('asks the owner to follow an opt-out of a record that it outranks', () => {
    const rows = { C1: { email: 'a', ...claim('a') } };
    expect(decided('email', rows, update('L1', 'a', { optOut: ALL }))).toBe(
      '- | L1 claims=a | ask C1 | writer.outranked',
    );
  });

  it('asks it where each has a profile, too, unless it followed already', () => {
    const about = update('L1', 'a', { optOut: ALL });
    const owner = { email: 'a', userId: 'C1', ...claim('a') };
    expect(decided('hybrid', { C1: owner }, about)).toBe(
      'write L1 with null, unsubscribe L1 | L1 id=L1 claims=a | ask C1 | written',
    );
    expect(decided('hybrid', { C1: { ...owner, optOut: ALL } }, about)).toBe(
      'write L1 with null, unsubscribe L1 | L1 id=L1 claims=a | written',
    );
  });
});

describe('a record that is no person', () => {
  const person = { C1: { email: 'a', ...claim('a') } };
  const flagFields = { Plan: null };
  it.each<[string, Rows, MessageRef, string]>([
    [
      'is written on the profile of the person',
      person,
      message('X1', { belongsTo: 'C1' }),
      'write a | X1 live | written',
    ],
    [
      'takes its fields away when it is deleted',
      person,
      removal('X1', { belongsTo: 'C1', flagFields }),
      'set a | X1 gone | written',
    ],
    ['never makes a profile', {}, message('X1', { belongsTo: 'C1' }), '- | X1 live | writer.person_not_written'],
    [
      'is not written on the profile of whom its person gives way to',
      { C1: claim('a') },
      message('X1', { belongsTo: 'C1' }),
      '- | X1 live | writer.outranked',
    ],
    [
      'follows a converted Lead to its Contact',
      { ...person, L1: { state: 'converted', convertedTo: 'C1' } },
      message('X1', { belongsTo: 'L1' }),
      'write a | X1 live | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided('email', rows, about)).toBe(shown);
  });
});

describe('versions (invariant 3)', () => {
  it.each([update('L1', 'b'), removal('L1'), rename('L1', 'C1')])('an older $kind is refused', (about) => {
    const rows = { L1: { email: 'a', ...claim('a'), version: version(6) } };
    expect(decided('email', rows, about)).toBe('- | - | writer.stale_version');
    expect(decided('email', { L1: { ...rows.L1, version: version(5) } }, about)).not.toContain('stale');
  });
});

describe('calls about one profile are kept apart', () => {
  const at = (endpoint: 'bulk' | 'single' | 'forget', rows: Rows, about: MessageRef) =>
    decide(
      about,
      viewOf({ L1: { email: 'a', ...claim('a'), lastCall: { endpoint, atMs: 1_000 }, ...rows['L1'] } }),
      policy('email'),
    ).notBeforeMs;

  it.each([
    ['bulk after bulk', 'bulk', update('L1', 'a'), 0],
    ['a move after bulk', 'bulk', update('L1', 'b'), 61_000],
    ['bulk after a move', 'single', update('L1', 'a'), 61_000],
    ['anything after a forget', 'forget', update('L1', 'a'), 601_000],
  ] as const)('%s', (_what, endpoint, about, expected) => {
    expect(at(endpoint, {}, about)).toBe(expected);
  });
});

describe('what a decision is about', () => {
  it('locks the records, addresses and profiles that it reads', () => {
    const rows = {
      L1: { email: 'a', ...claim('a', 3) },
      L2: claim('a', 2),
      L9: { email: 'old', state: 'converted' as const, convertedTo: 'C1' },
    };
    expect(new Set(decide(update('L1', 'b', { createdMs: 3 }), viewOf(rows), policy('email')).locks)).toEqual(
      new Set(['record:L1', 'email:a', 'email:b', 'record:L2']),
    );
    expect(new Set(decide(update('C1', 'c'), viewOf(rows), policy('email')).locks)).toEqual(
      new Set(['record:C1', 'email:c', 'email:old', 'record:L9']),
    );
  });

  it('is written down before a profile is written for the first time', () => {
    const intentOf = (rows: Rows) => decide(update('L1', 'b'), viewOf(rows), policy('email')).intent?.identity;
    expect(intentOf({})).toEqual({ recordType: 'Lead', version: { modstampMs: 0, fetchedAtMs: 0 }, intents: ['b'] });
    expect(intentOf({ L1: { email: 'a', ...claim('a') } })).toMatchObject({
      email: 'a',
      intents: ['b'],
      version: version(1),
    });
    expect(intentOf({ L1: { email: 'b', ...claim('b') } })).toBeUndefined();
  });
});
