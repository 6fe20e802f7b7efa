import { describe, expect, it } from 'vitest';
import { differences } from './expected.js';
import { imageOf, type OnDelete, type ShownProfile } from './model.js';
import { Org, type OrgRecord } from './org.js';

/** Ann and Bob claim one address, Cy opted out and moved, Di was converted, Ed is deleted, Flo has lost her address. */
function anOrg(): { org: Org; by: Record<string, OrgRecord> } {
  const org = new Org([]);
  const names = ['ann', 'bob', 'cy', 'di', 'dee', 'ed', 'flo'];
  org.create('Contact', { email: 'A@x.io ', firstName: 'Ann' }, 1_000);
  org.create('Lead', { email: 'a@x.io', own: 'Hot' }, 2_000);
  const [cy] = org.create('Contact', { email: 'b@x.io', optedOut: true }, 3_000);
  org.update(cy?.id ?? '', { email: 'c@x.io' }, 4_000);
  const [di] = org.create('Lead', { email: 'd@x.io' }, 5_000);
  org.convert(di?.id ?? '', null, 6_000);
  const [ed] = org.create('Contact', { email: 'e@x.io' }, 7_000);
  org.delete(ed?.id ?? '', 8_000);
  const [flo] = org.create('Contact', { email: 'f@x.io' }, 9_000);
  org.update(flo?.id ?? '', { email: null }, 10_000);
  return { org, by: Object.fromEntries(org.all().map((record, at) => [names[at] ?? '', record])) };
}

const { org, by } = anOrg();
const record = (name: string): OrgRecord => by[name] as OrgRecord;
const idOf = (name: string): string => record(name).id;

function shown(name: string, email: string | null, changes: Partial<ShownProfile> = {}): ShownProfile {
  return { email, userId: null, data: imageOf(record(name)), unsubscribed: name === 'cy', ...changes };
}

const right = {
  email: [shown('ann', 'a@x.io'), shown('cy', 'c@x.io'), shown('dee', 'd@x.io')],
  hybrid: [
    shown('ann', 'a@x.io', { userId: idOf('ann') }),
    shown('bob', null, { userId: idOf('bob') }),
    shown('cy', 'c@x.io', { userId: idOf('cy') }),
    shown('dee', 'd@x.io', { userId: idOf('dee') }),
    shown('flo', null, { userId: idOf('flo') }),
  ],
};

type Mutation = readonly [why: string, change: (profiles: ShownProfile[]) => ShownProfile[], told: string];

const told = (projectType: 'email' | 'hybrid', profiles: ShownProfile[], onDelete: OnDelete = 'delete') =>
  differences(org, profiles, { projectType, onDelete });

describe('what is told of an email project', () => {
  it('is nothing when all is right', () => {
    expect(told('email', right.email)).toEqual([]);
  });

  it.each<Mutation>([
    ['a profile is missing', (all) => all.slice(1), `a@x.io: no profile; ${idOf('ann')} owns it`],
    ['an address has two', (all) => [...all, shown('ann', 'a@x.io')], 'a@x.io: 2 profiles'],
    [
      'it has what is another’s',
      ([ann, ...all]) => [
        { ...(ann as ShownProfile), data: { ...imageOf(record('ann')), Lead: { Rating: 'Hot' } } },
        ...all,
      ],
      'a@x.io: has {',
    ],
    ['an address was left', (all) => [...all, shown('cy', 'b@x.io')], 'b@x.io: a profile, though whoever had'],
    ['a person is deleted', (all) => [...all, shown('ed', 'e@x.io')], 'e@x.io: a profile, though whoever had'],
    ['it comes from nowhere', (all) => [...all, shown('ed', 'z@x.io')], 'z@x.io: a profile, though nobody ever'],
    ['it has no address', (all) => [...all, shown('bob', null)], '(none): a profile, though nobody ever'],
    [
      'an opt-out does not show',
      ([ann, cy, ...all]) => [ann as ShownProfile, { ...(cy as ShownProfile), unsubscribed: false }, ...all],
      'c@x.io: somebody opted out',
    ],
    [
      'nobody opted out',
      ([ann, ...all]) => [{ ...(ann as ShownProfile), unsubscribed: true }, ...all],
      'a@x.io: is unsubscribed, and nobody',
    ],
  ])('%s', (_, change, message) => {
    expect(told('email', change([...right.email]))).toEqual([expect.stringContaining(message)]);
  });

  it('is nothing of what may or may not be: the profile of one who lost her address', () => {
    expect(told('email', [...right.email, shown('flo', 'f@x.io')])).toEqual([]);
  });

  it.each<[OnDelete, Partial<ShownProfile>, string[]]>([
    ['ignore', {}, []],
    ['flag', {}, [expect.stringContaining('is deleted and not flagged') as string]],
    ['flag', { data: { Salesforce: { Id: idOf('ed'), Deleted: true } } }, []],
    ['unsubscribe', {}, ['e@x.io: is deleted and not unsubscribed']],
    ['unsubscribe', { unsubscribed: true }, []],
    ['forget', {}, ['e@x.io: a profile, though whoever had the address is deleted']],
  ])('when deleted people are to be treated with %s', (onDelete, changes, expected) => {
    expect(told('email', [...right.email, shown('ed', 'e@x.io', changes)], onDelete)).toEqual(expected);
  });
});

describe('what is told of a hybrid project', () => {
  it('is nothing when all is right', () => {
    expect(told('hybrid', right.hybrid)).toEqual([]);
  });

  it.each<Mutation>([
    ['a profile is missing', (all) => all.slice(1), `${idOf('ann')}: no profile`],
    [
      'the next in line has the address, too',
      ([ann, bob, ...all]) => [ann as ShownProfile, { ...(bob as ShownProfile), email: 'a@x.io' }, ...all],
      `${idOf('bob')}: email is a@x.io, not null`,
    ],
    ['the Lead is still there', (all) => [...all, shown('di', null, { userId: idOf('di') })], 'the Lead goes on as'],
    ['a person is deleted', (all) => [...all, shown('ed', null, { userId: idOf('ed') })], 'though it is deleted'],
    ['it is of no record', (all) => [...all, shown('ed', null, { userId: 'x' })], 'x: a profile of no record'],
  ])('%s', (_, change, message) => {
    expect(told('hybrid', change([...right.hybrid]))).toContainEqual(expect.stringContaining(message));
  });
});
