import { describe, expect, it } from 'vitest';
import type { ProjectType } from '../switches.js';
import { planIdentity, type Directory, type Identifiers, type IdentityRules, type Plan } from './identity.js';

/** Profiles by slot: email, userId. */
const profiles: ReadonlyArray<readonly [string | null, string | null]> = [
  ['ada@example.com', 'U0'],
  ['bob@example.com', 'U1'],
  ['only@example.com', null],
  [null, 'U3'],
  ['twin1@example.com', 'TWIN'],
  ['twin2@example.com', 'TWIN'],
];

const directory: Directory = {
  byEmail: (email) => profiles.flatMap((one, slot) => (one[0] === email ? [slot] : [])),
  byUserId: (userId) => profiles.flatMap((one, slot) => (one[1] === userId ? [slot] : [])),
  identityOf: (slot) => ({ email: profiles[slot]?.[0] ?? null, userId: profiles[slot]?.[1] ?? null }),
  isForgotten: (_kind, value) => value === 'gone@example.com' || value === 'GONE',
};

const plan = (projectType: ProjectType, ids: Identifiers, both: IdentityRules['bothIdentifiers'] = 'user-id-wins') =>
  planIdentity(ids, { projectType, bothIdentifiers: both }, directory);
const to = (slot: number | null, email: string | null, userId: string | null): Plan => ({
  ok: true,
  target: { slot, email, userId },
});
const fail = (list: string, value: string) => ({ ok: false, failure: { list, value } });

describe('in every project', () => {
  it.each<ProjectType>(['email', 'user-id', 'hybrid'])('%s: refuses malformed and forgotten identifiers', (type) => {
    expect(plan(type, { email: 'nonsense', userId: 'U0' })).toEqual(fail('invalidEmails', 'nonsense'));
    expect(plan(type, { userId: 'U0', newEmail: 'nonsense' })).toEqual(fail('invalidEmails', 'nonsense'));
    expect(plan(type, { userId: 'U0', newEmail: 5 })).toEqual(fail('invalidEmails', '5'));
    expect(plan(type, { userId: 'trailing ' })).toEqual(fail('invalidUserIds', 'trailing '));
    expect(plan(type, { userId: 'Gone@example.com', newEmail: 'Gone@example.com' })).toEqual(
      fail('forgottenEmails', 'Gone@example.com'),
    );
    expect(plan(type, { userId: 'GONE' })).toEqual(fail('forgottenUserIds', 'GONE'));
    expect(plan(type, {})).toMatchObject({ ok: false, failure: { value: '' } });
  });
});

describe('an email-based project', () => {
  it.each<[string, Identifiers, Plan | object]>([
    ['creates an unknown email', { email: 'New@Example.com' }, to(null, 'new@example.com', null)],
    ['finds an email in any case', { email: 'ADA@example.com' }, to(0, 'ada@example.com', 'U0')],
    [
      'lets the email win and overwrites the userId',
      { email: 'ada@example.com', userId: 'U9' },
      to(0, 'ada@example.com', 'U9'),
    ],
    ['lets profiles share a userId', { email: 'ada@example.com', userId: 'U1' }, to(0, 'ada@example.com', 'U1')],
    ['takes a userId from dataFields', { email: 'only@example.com', newUserId: 'U2' }, to(2, 'only@example.com', 'U2')],
    ['finds by userId', { userId: 'U1' }, to(1, 'bob@example.com', 'U1')],
    ['does not find an unknown userId', { userId: 'U9' }, fail('notFoundUserIds', 'U9')],
    [
      'makes a placeholder for it on demand',
      { userId: 'U9', preferUserId: true },
      to(null, 'u9@placeholder.email', 'U9'),
    ],
    ['refuses a userId that two share', { userId: 'TWIN' }, fail('conflictUserIds', 'TWIN')],
    [
      'changes no email through data',
      { email: 'ada@example.com', newEmail: 'x@example.com' },
      fail('invalidDataEmails', 'ada@example.com'),
    ],
    [
      'takes its own email in data',
      { email: 'ada@example.com', newEmail: 'Ada@example.com' },
      to(0, 'ada@example.com', 'U0'),
    ],
  ])('%s', (_what, ids, expected) => expect(plan('email', ids)).toEqual(expected));
});

describe('a userID-based project', () => {
  it.each<[string, Identifiers, Plan | object]>([
    ['creates an unknown userId', { userId: 'U9', newEmail: 'New@example.com' }, to(null, 'new@example.com', 'U9')],
    ['lets profiles share an email', { userId: 'U9', email: 'ada@example.com' }, to(null, 'ada@example.com', 'U9')],
    ['changes the email through data', { userId: 'U0', newEmail: 'x@example.com' }, to(0, 'x@example.com', 'U0')],
    ['removes the email by null', { userId: 'U0', newEmail: null }, to(0, null, 'U0')],
    ['keeps the email that is not mentioned', { userId: 'U0' }, to(0, 'ada@example.com', 'U0')],
    ['knows no user by email', { email: 'ada@example.com' }, fail('notFoundEmails', 'ada@example.com')],
    ['does not move a userId', { userId: 'U0', newUserId: 'U9' }, fail('invalidDataUserIds', 'U0')],
  ])('%s', (_what, ids, expected) => expect(plan('user-id', ids)).toEqual(expected));
});

describe('a hybrid project', () => {
  it.each<[string, Identifiers, Plan | object]>([
    ['creates by userId', { userId: 'U9' }, to(null, null, 'U9')],
    ['creates by email', { email: 'new@example.com' }, to(null, 'new@example.com', null)],
    ['creates by both', { email: 'new@example.com', userId: 'U9' }, to(null, 'new@example.com', 'U9')],
    ['gives a profile its missing email', { userId: 'U3', email: 'new@example.com' }, to(3, 'new@example.com', 'U3')],
    [
      'gives a profile its missing userId',
      { userId: 'U9', email: 'only@example.com' },
      to(2, 'only@example.com', 'U9'),
    ],
    ['changes the email through data', { userId: 'U0', newEmail: 'x@example.com' }, to(0, 'x@example.com', 'U0')],
    [
      'names the email that stands in the way',
      { userId: 'U0', newEmail: 'Bob@example.com' },
      fail('conflictEmails', 'bob@example.com'),
    ],
    [
      'refuses the email of a lead for a new contact',
      { userId: 'U9', newEmail: 'only@example.com' },
      fail('conflictEmails', 'only@example.com'),
    ],
    [
      'names the userId that stands in the way',
      { email: 'ada@example.com', newUserId: 'U1' },
      fail('conflictUserIds', 'U1'),
    ],
    ['removes an email from a profile that has a userId', { userId: 'U0', newEmail: null }, to(0, null, 'U0')],
    [
      'but not the last identifier',
      { email: 'only@example.com', newEmail: null },
      fail('invalidDataEmails', 'only@example.com'),
    ],
  ])('%s', (_what, ids, expected) => expect(plan('hybrid', ids)).toEqual(expected));

  it.each<[string, Identifiers, Plan | object, Plan | object, Plan | object]>([
    [
      'two profiles',
      { userId: 'U0', email: 'bob@example.com' },
      fail('conflictEmails', 'bob@example.com'),
      fail('conflictUserIds', 'U0'),
      fail('conflictEmails', 'bob@example.com'),
    ],
    [
      'a known userId with another email',
      { userId: 'U0', email: 'new@example.com' },
      to(0, 'new@example.com', 'U0'),
      fail('conflictUserIds', 'U0'),
      fail('conflictUserIds', 'U0'),
    ],
    [
      'a known email with another userId',
      { userId: 'U9', email: 'ada@example.com' },
      fail('conflictEmails', 'ada@example.com'),
      to(0, 'ada@example.com', 'U9'),
      fail('conflictEmails', 'ada@example.com'),
    ],
  ])('both identifiers, %s: as the switch says', (_what, ids, userIdWins, emailWins, conflict) => {
    expect(plan('hybrid', ids, 'user-id-wins')).toEqual(userIdWins);
    expect(plan('hybrid', ids, 'email-wins')).toEqual(emailWins);
    expect(plan('hybrid', ids, 'conflict')).toEqual(conflict);
  });
});

describe('updateOnly', () => {
  it('creates nobody', () => {
    expect(plan('hybrid', { userId: 'U9', updateOnly: true })).toEqual(fail('notFoundUserIds', 'U9'));
    expect(plan('email', { email: 'new@example.com', updateOnly: true })).toEqual(
      fail('notFoundEmails', 'new@example.com'),
    );
    expect(plan('email', { email: 'ada@example.com', updateOnly: true })).toEqual(to(0, 'ada@example.com', 'U0'));
  });
});
