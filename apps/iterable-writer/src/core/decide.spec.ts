import { describe, expect, it } from 'vitest';
import type { Identity, ProjectType, UserMessage } from '@libs/contracts';
import type { Known } from './claims.js';
import { decide, type MessageRef } from './decide.js';
import type { Decision, IdentityView, Policy, Profile } from './decision.js';

const NONE = { allMarketing: false, channelIds: [], messageTypeIds: [] };
const ALL = { ...NONE, allMarketing: true };

/** Rows by a short name; `L…` is a Lead, `C…` a Contact, anything else another object. */
type Rows = Readonly<Record<string, Partial<Identity>>>;

const typeOf = (id: string) => ({ L: 'Lead', C: 'Contact' })[id[0] ?? ''] ?? 'Member__c';
const version = (modstampMs: number) => ({ modstampMs, fetchedAtMs: 0 });
const claim = (email: string, createdMs = 1, more: object = {}) => ({ claim: { email, createdMs, ...more } });

function viewOf(rows: Rows): IdentityView {
  const known = Object.entries(rows).map(([recordId, row]): Known => ({
    recordId,
    identity: { recordType: typeOf(recordId), version: version(1), ...row },
  }));
  return {
    of: (recordId) => known.find((one) => one.recordId === recordId)?.identity ?? null,
    claimants: (email) => known.filter(({ identity }) => identity.claim?.email === email),
    holders: (email) => known.filter(({ identity }) => identity.email === email),
    convertedInto: (recordId) =>
      known.filter(
        ({ identity }) => identity.convertedTo === recordId && (identity.email ?? identity.userId) !== undefined,
      ),
  };
}

function message(recordId: string, more: object): MessageRef {
  const base = {
    kind: 'update',
    recordType: typeOf(recordId),
    recordId,
    offsets: ['0:1'],
    jobIds: [],
    commitTimestamp: 0,
  };
  return { ...base, version: version(5), createdMs: 1, ...more } as unknown as UserMessage;
}

const update = (recordId: string, email: string | null, more: object = {}) =>
  message(recordId, { email, userId: recordId, ...more });
const removal = (recordId: string, more: object = {}) =>
  message(recordId, { kind: 'removal', gone: true, outcome: 'skipped', reason: 'salesforce.deleted', ...more });
const rename = (recordId: string, toRecordId: string) => message(recordId, { kind: 'rename', toRecordId });

const policy = (projectType: ProjectType, more: Partial<Policy> = {}): Policy => ({
  projectType,
  onDelete: 'delete',
  onOptOut: 'unsubscribe',
  settleMs: 60_000,
  ...more,
});

const name = (profile: Profile) => ('email' in profile ? profile.email : profile.userId);

/** `move a>b, write b | L1 email=b | ask C1 | written`. */
function show(decision: Decision): string {
  const steps = decision.steps.map((step) => {
    if (step.kind === 'move') return `move ${name(step.from)}>${name(step.to)}`;
    if (step.kind === 'write' && step.email !== undefined) return `write ${name(step.on)} with ${step.email}`;
    return `${step.kind} ${name(step.on)}`;
  });
  const rows = [...decision.rows, ...decision.heirs].map(({ recordId, identity }) => {
    const parts = [
      identity.email === undefined ? '' : `email=${identity.email}`,
      identity.userId === undefined ? '' : `id=${identity.userId}`,
      identity.claim === undefined ? '' : `claims=${identity.claim.email}`,
      identity.state ?? '',
      identity.forgotten ?? '',
    ];
    return [recordId, ...parts.filter((part) => part !== '')].join(' ');
  });
  const asked =
    decision.redrives.length === 0 ? [] : [`ask ${decision.redrives.map(({ recordId }) => recordId).join()}`];
  const ending = 'reason' in decision.ending ? decision.ending.reason : decision.ending.kind;
  return [steps.join(', ') || '-', rows.join('; ') || '-', ...asked, ending].join(' | ');
}

const decided = (projectType: ProjectType, rows: Rows, about: MessageRef, more: Partial<Policy> = {}) =>
  show(decide(about, viewOf(rows), policy(projectType, more)));

describe('an update where a profile is an address', () => {
  it.each<[string, Rows, MessageRef, string]>([
    ['a new record', {}, update('L1', 'a'), 'write a | L1 email=a claims=a | written'],
    [
      'one written before',
      { L1: { email: 'a', ...claim('a') } },
      update('L1', 'a'),
      'write a | L1 email=a claims=a | written',
    ],
    [
      'a new address',
      { L1: { email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'move a>b, write b | L1 email=b claims=b | written',
    ],
    [
      'a new address, after a crash on the way to another',
      { L1: { email: 'a', intents: ['b'], ...claim('a') } },
      update('L1', 'c'),
      'move a>c, move b>c, write c | L1 email=c claims=c | written',
    ],
    [
      'a new address, while another claims the old one',
      { L1: { email: 'a', ...claim('a', 3) }, L2: claim('a', 2) },
      update('L1', 'b', { createdMs: 3 }),
      'write b | L1 email=b claims=b; L2 email=a claims=a | ask L2 | written',
    ],
    [
      'a new address, while its old one is written by its owner',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'write b | L1 email=b claims=b | written',
    ],
    [
      'a Lead whose address a Contact has',
      { C1: { email: 'a', ...claim('a') } },
      update('L1', 'a', { createdMs: 9 }),
      '- | L1 claims=a | writer.outranked',
    ],
    [
      'a Contact whose address a Lead has',
      { L1: { email: 'a', ...claim('a', 9) } },
      update('C1', 'a'),
      'write a | C1 email=a claims=a | written',
    ],
    [
      'the newer of two Contacts',
      { C1: { email: 'a', ...claim('a', 1) } },
      update('C2', 'a', { createdMs: 2 }),
      'write a | C2 email=a claims=a | written',
    ],
    [
      'the older of two Contacts',
      { C2: { email: 'a', ...claim('a', 2) } },
      update('C1', 'a', { createdMs: 1 }),
      '- | C1 claims=a | writer.outranked',
    ],
    [
      'two of the same second: the greater id',
      { C2: { email: 'a', ...claim('a') } },
      update('C1', 'a'),
      '- | C1 claims=a | writer.outranked',
    ],
    [
      'another object last',
      { L1: { email: 'a', ...claim('a', 1) } },
      update('X1', 'a', { createdMs: 9 }),
      '- | X1 claims=a | writer.outranked',
    ],
    [
      'one that is outranked at its new address: it goes into that profile',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'b', ...claim('b') } },
      update('L1', 'b'),
      'move a>b | L1 claims=b | ask C1 | writer.outranked',
    ],
    [
      'the Contact of a converted Lead takes its profile along',
      { L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'b'),
      'move a>b, write b | C1 email=b claims=b; L1 converted | written',
    ],
    [
      'the Contact of a converted Lead with the same address',
      { L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'a'),
      'write a | C1 email=a claims=a; L1 converted | written',
    ],
    [
      'one that came back after it was forgotten',
      { L1: { email: 'a', state: 'gone', forgotten: 'forgotten' } },
      update('L1', 'a'),
      'unforget a, write a | L1 email=a claims=a | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided('email', rows, about)).toBe(shown);
  });
});

describe.each(['user-id', 'hybrid'] as const)('an update in a %s project', (projectType) => {
  it.each<[string, Rows, MessageRef, string]>([
    ['a new record', {}, update('L1', 'a'), 'write L1 with a | L1 email=a id=L1 claims=a | written'],
    ['no usable address', {}, update('L1', null), 'write L1 with null | L1 id=L1 | written'],
    [
      'a new address moves with the user',
      { L1: { userId: 'L1', email: 'a', ...claim('a') } },
      update('L1', 'b'),
      'write L1 with b | L1 email=b id=L1 claims=b | written',
    ],
    [
      'an address given up goes to the next in line',
      { L1: { userId: 'L1', email: 'a', ...claim('a', 2) }, L2: { userId: 'L2', ...claim('a', 1) } },
      update('L1', 'b', { createdMs: 2 }),
      'write L1 with b | L1 email=b id=L1 claims=b | ask L2 | written',
    ],
    [
      'a Lead whose address a Contact has is written without it',
      { C1: { userId: 'C1', email: 'a', ...claim('a') } },
      update('L1', 'a'),
      'write L1 with null | L1 id=L1 claims=a | written',
    ],
    [
      'a Contact takes its address from the Lead that has it',
      { L1: { userId: 'L1', email: 'a', ...claim('a') } },
      update('C1', 'a'),
      'set L1, write C1 with a | C1 email=a id=C1 claims=a; L1 id=L1 claims=a | written',
    ],
    [
      'the Contact of a converted Lead takes its profile in',
      { L1: { userId: 'L1', email: 'a', state: 'converted', convertedTo: 'C1' } },
      update('C1', 'a'),
      'move L1>C1, write C1 with a | C1 email=a id=C1 claims=a; L1 converted | written',
    ],
  ])('%s', (_what, rows, about, shown) => {
    expect(decided(projectType, rows, about)).toBe(shown);
  });
});

describe('a removal', () => {
  const one = { L1: { email: 'a', ...claim('a') } };
  it.each<[string, Rows, MessageRef, Partial<Policy>, string]>([
    ['delete', one, removal('L1'), {}, 'delete a | L1 gone | written'],
    ['forget', one, removal('L1'), { onDelete: 'forget' }, 'forget a | L1 email=a gone forgotten | written'],
    ['unsubscribe', one, removal('L1'), { onDelete: 'unsubscribe' }, 'unsubscribe a | L1 email=a gone | written'],
    ['ignore', one, removal('L1'), { onDelete: 'ignore' }, '- | L1 email=a gone | salesforce.deleted'],
    [
      'flag',
      one,
      removal('L1', { flagFields: { Deleted: true } }),
      { onDelete: 'flag' },
      'set a | L1 email=a gone | written',
    ],
    ['flag without a field', one, removal('L1'), { onDelete: 'flag' }, '- | L1 email=a gone | writer.no_flag_field'],
    ['of a record never seen', {}, removal('L1'), {}, '- | L1 gone | salesforce.deleted'],
    [
      'of one that shares its profile: untouched, and the heir is asked for',
      { ...one, L2: claim('a', 0) },
      removal('L1'),
      {},
      '- | L1 gone; L2 email=a claims=a | ask L2 | writer.profile_shared',
    ],
    [
      'of one that is outranked: nobody is asked for',
      { L1: claim('a'), C1: { email: 'a', ...claim('a') } },
      removal('L1'),
      {},
      '- | L1 gone | salesforce.deleted',
    ],
    [
      'of a filtered record: the profile stays, the claim goes',
      one,
      removal('L1', { gone: false, outcome: 'filtered', reason: 'mapping.filtered' }),
      {},
      '- | L1 email=a withdrawn | mapping.filtered',
    ],
    [
      'of a Contact takes the profiles of its Leads with it',
      { C1: { email: 'b', ...claim('b') }, L1: { email: 'a', state: 'converted', convertedTo: 'C1' } },
      removal('C1'),
      {},
      'delete b, delete a | C1 gone; L1 converted | written',
    ],
    [
      'twice',
      { L1: { email: 'a', state: 'gone', forgotten: 'forgotten' } },
      removal('L1'),
      { onDelete: 'forget' },
      '- | L1 email=a gone forgotten | salesforce.deleted',
    ],
  ])('%s', (_what, rows, about, more, shown) => {
    expect(decided('email', rows, about, more)).toBe(shown);
  });

  it('hands the address on where profiles are records', () => {
    const rows = { L1: { userId: 'L1', email: 'a', ...claim('a', 2) }, L2: { userId: 'L2', ...claim('a', 1) } };
    expect(decided('hybrid', rows, removal('L1'))).toBe('delete L1 | L1 gone | ask L2 | written');
    expect(decided('hybrid', rows, removal('L1'), { onDelete: 'ignore' })).toBe(
      '- | L1 email=a id=L1 gone | ask L2 | salesforce.deleted',
    );
    const after = { ...rows, L1: { userId: 'L1', email: 'a', state: 'gone' as const } };
    expect(decided('hybrid', after, update('L2', 'a'))).toBe(
      'set L1, write L2 with a | L2 email=a id=L2 claims=a; L1 id=L1 gone | written',
    );
  });
});

describe('a conversion', () => {
  it.each<[string, Rows, string]>([
    [
      'before the Contact is known',
      { L1: { email: 'a', ...claim('a') } },
      '- | L1 email=a converted | salesforce.converted',
    ],
    [
      'with a Contact of another address: it is asked for, to take the profile in',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'b', ...claim('b') } },
      '- | L1 email=a converted | ask C1 | salesforce.converted',
    ],
    [
      'with a Contact that has the profile already',
      { L1: { email: 'a', ...claim('a') }, C1: { email: 'a', ...claim('a') } },
      '- | L1 converted | salesforce.converted',
    ],
    [
      'into a Contact that is deleted',
      { L1: { email: 'a', ...claim('a') }, C1: { state: 'gone' } },
      'delete a | L1 converted | written',
    ],
  ])('%s', (_what, rows, shown) => {
    expect(decided('email', rows, rename('L1', 'C1'))).toBe(shown);
  });
});

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
