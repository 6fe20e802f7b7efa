import { afterEach, describe, expect, it } from 'vitest';
import { toRecordId, type Identity, type ProjectType, type UserMessage } from '@libs/contracts';
import { waitFor } from '../support/wait.js';
import { leadId, Stage } from './stage.js';

/** The writer moves, merges, removes and unsubscribes profiles, against the sandbox over HTTP, in each type of project. */

let stage: Stage;

afterEach(async () => {
  await stage.close();
});

const contactId = (n: number) => toRecordId(`0035f00000${String(n).padStart(5, '0')}`) ?? '';
const LEAD = leadId(1);
const CONTACT = contactId(1);
const ALL = { allMarketing: true, channelIds: [], messageTypeIds: [] };
/** Shorter than Iterable asks for, longer than the sandbox's pipelines take here. */
const SETTLE = { ITERABLE_SETTLE_SECONDS: '0.3' };

async function open(projectType: ProjectType, own: Record<string, string> = {}): Promise<void> {
  stage = await new Stage({
    projectType,
    switches: { visibilityDelayBulkMs: 100, visibilityDelaySingleMs: 150 },
  }).open();
  await stage.startWriter({ ITERABLE_PROJECT_TYPE: projectType, ...SETTLE, ...own });
}

let modstampMs = 0;

/** Tells the writer of records one after the other, each when the one before is accounted for. */
async function tell(...messages: ReadonlyArray<Partial<UserMessage> & { readonly recordId: string }>): Promise<void> {
  for (const message of messages) {
    modstampMs += 1_000;
    const recordType = message.recordId.startsWith('003') ? 'Contact' : 'Lead';
    const userId = message.kind === undefined ? { userId: message.recordId } : {};
    await stage.tell('realtime', [{ recordType, version: { modstampMs, fetchedAtMs: 0 }, ...userId, ...message }]);
    await waitFor('everything to be committed', async () => (await stage.uncommitted()) === 0);
  }
}

const lead = (email: string | null, more: object = {}) => ({
  recordId: LEAD,
  email,
  dataFields: { From: 'lead', LeadOnly: 'x' },
  ...more,
});
const contact = (email: string | null, more: object = {}) => ({
  recordId: CONTACT,
  email,
  dataFields: { From: 'contact', LeadOnly: null },
  ...more,
});
const gone = (recordId: string, more: object = {}) =>
  ({ recordId, kind: 'removal', gone: true, outcome: 'skipped', reason: 'salesforce.deleted', ...more }) as const;

const profile = (of: Parameters<Stage['profile']>[0]) => stage.profile(of);
const shown = async (of: Parameters<Stage['profile']>[0], want: object | null) =>
  waitFor(`the profile ${JSON.stringify(want)}`, () => {
    const found = profile(of);
    if (want === null || found === null) return found === want;
    return Object.entries(want).every(([key, value]) => JSON.stringify(found[key]) === JSON.stringify(value));
  });

describe('an address changes', () => {
  it('the profile moves, before it is written', async () => {
    await open('email');
    await tell(lead('a@example.com'), lead('b@example.com', { dataFields: { From: 'later' } }));
    await shown({ email: 'b@example.com' }, { From: 'later', LeadOnly: 'x' });
    expect(profile({ email: 'a@example.com' })).toBeNull();
    expect(stage.sandbox.requests({ endpoint: 'users/updateEmail' })).toHaveLength(1);
  });

  it('to one that has a profile: it is merged into that', async () => {
    await open('email');
    await stage.put({ email: 'b@example.com', dataFields: { Newsletter: 'yes' } });
    await tell(lead('a@example.com'), lead('b@example.com'));
    await shown({ email: 'b@example.com' }, { From: 'lead', Newsletter: 'yes' });
    expect(profile({ email: 'a@example.com' })).toBeNull();
  });

  it.each(['user-id', 'hybrid'] as const)('in a %s project it is a field', async (projectType) => {
    await open(projectType);
    await tell(lead('a@example.com'), lead('b@example.com'));
    await shown({ userId: LEAD }, { email: 'b@example.com' });
    expect(stage.sandbox.stats().users).toBe(1);
  });

  it('and changes back, within one window and after', async () => {
    await open('email');
    await tell(lead('a@example.com'), lead('b@example.com'), lead('a@example.com'));
    await shown({ email: 'a@example.com' }, { From: 'lead' });
    expect(profile({ email: 'b@example.com' })).toBeNull();
  });
});

describe('a lead is converted', () => {
  it.each([
    ['with the same address', 'a@example.com'],
    ['with another address', 'c@example.com'],
  ])('%s: the contact goes on with its profile', async (_how, address) => {
    await open('email');
    await tell(lead('a@example.com'), { recordId: LEAD, kind: 'rename', toRecordId: CONTACT }, contact(address));
    await shown({ email: address }, { From: 'contact' });
    expect(profile({ email: address })).not.toHaveProperty('LeadOnly');
    expect(stage.sandbox.stats().users).toBe(1);
  });

  it.each(['user-id', 'hybrid'] as const)('in a %s project the profiles become one', async (projectType) => {
    await open(projectType);
    await tell(lead('a@example.com'), contact('a@example.com'));
    await shown({ userId: LEAD }, { From: 'lead', email: undefined });
    await tell({ recordId: LEAD, kind: 'rename', toRecordId: CONTACT });
    expect(await stage.redriven()).toContain(CONTACT);
    await tell(contact('a@example.com'));
    await shown({ userId: CONTACT }, { From: 'contact', email: 'a@example.com' });
    expect(profile({ userId: LEAD })).toBeNull();
  });
});

describe('a record is deleted', () => {
  it.each(['email', 'user-id', 'hybrid'] as const)('delete, in a %s project', async (projectType) => {
    await open(projectType, { ON_DELETE: 'delete' });
    await tell(lead('a@example.com'), gone(LEAD));
    await waitFor('the profile to go', () => stage.sandbox.stats().users === 0);
    await tell(lead('a@example.com'));
    await waitFor('it to come back with its record', () => stage.sandbox.stats().users === 1);
  });

  it('flag, and undelete takes the flag back', async () => {
    await open('email', { ON_DELETE: 'flag' });
    const deleted = (value: boolean) => ({ Salesforce: { Deleted: value } });
    await tell(lead('a@example.com', { dataFields: deleted(false) }), gone(LEAD, { flagFields: deleted(true) }));
    await shown({ email: 'a@example.com' }, deleted(true));
    await tell(lead('a@example.com', { dataFields: deleted(false) }));
    await shown({ email: 'a@example.com' }, deleted(false));
  });

  it('unsubscribe', async () => {
    await open('email', { ON_DELETE: 'unsubscribe' });
    await tell(lead('a@example.com'), gone(LEAD));
    await waitFor('the opt-out', () => unsubscribed('a@example.com').length > 0);
  });

  it('forget, and undelete makes Iterable know the person again', async () => {
    await open('email', { ON_DELETE: 'forget' });
    await tell(lead('a@example.com'), gone(LEAD));
    await waitFor('the profile to go', () => stage.sandbox.stats().users === 0);
    await tell(lead('a@example.com'));
    await shown({ email: 'a@example.com' }, { From: 'lead' });
    expect(await stage.deadLetters()).toEqual([]);
  });

  it('leaves a profile alone that another record claims, and asks for that one', async () => {
    await open('email', { ON_DELETE: 'delete' });
    await tell(lead('a@example.com'), contact('a@example.com'), gone(CONTACT));
    expect(profile({ email: 'a@example.com' })).toMatchObject({ From: 'contact' });
    expect(await stage.redriven()).toEqual([LEAD]);
    await tell(lead('a@example.com'));
    await shown({ email: 'a@example.com' }, { From: 'lead' });
  });
});

describe('consent', () => {
  it.each(['email', 'user-id', 'hybrid'] as const)('an opt-out is followed, in a %s project', async (projectType) => {
    await open(projectType);
    await tell(lead('a@example.com'), lead('a@example.com', { optOut: ALL }));
    const key = projectType === 'email' ? 'a@example.com' : LEAD;
    await waitFor('the opt-out', () => unsubscribed(key).length > 0);
    const before = unsubscribed(key);
    await tell(lead('a@example.com')); // Salesforce says yes again
    expect(unsubscribed(key)).toEqual(before);
    expect(await stage.deadLetters()).toEqual([]);
  });

  it('a new profile of somebody who said no is unsubscribed as soon as it is there', async () => {
    await open('email');
    await tell(lead('a@example.com', { optOut: ALL }));
    await waitFor('the opt-out', () => unsubscribed('a@example.com').length > 0);
  });

  it('goes with the address', async () => {
    await open('email');
    await tell(lead('a@example.com', { optOut: ALL }), lead('b@example.com', { optOut: ALL }));
    await waitFor('the opt-out', () => unsubscribed('b@example.com').length > 0);
  });
});

describe('one address, two records', () => {
  it('hybrid: the contact has it, and the lead is written without', async () => {
    await open('hybrid');
    await tell(contact('a@example.com'), lead('a@example.com'));
    await shown({ userId: CONTACT }, { email: 'a@example.com' });
    await shown({ userId: LEAD }, { email: undefined, From: 'lead' });
  });

  it('hybrid: a profile from before the sync, known by the address alone, is the person', async () => {
    await open('hybrid');
    await stage.put({ email: 'a@example.com', dataFields: { Newsletter: 'yes' } });
    await tell(lead('a@example.com'));
    await shown({ userId: LEAD }, { email: 'a@example.com', Newsletter: 'yes', From: 'lead' });
    expect(stage.sandbox.stats().users).toBe(1);
    expect(await stage.deadLetters()).toEqual([]);
  });

  it('email: the loser is counted', async () => {
    await open('email');
    await tell(contact('a@example.com'), lead('a@example.com'));
    expect(profile({ email: 'a@example.com' })).toMatchObject({ From: 'contact' });
    expect(await stage.tally()).toMatchObject({ written: 1, 'skipped writer.outranked': 1 });
  });
});

describe('a restart', () => {
  it('in the middle of a move goes on from where it was, and forgets no profile', async () => {
    await open('email', { ITERABLE_SETTLE_SECONDS: '30' });
    await tell(lead('a@example.com'));
    await stage.writers.pop()?.close();
    await stage.startWriter(SETTLE);
    // The address moves, and the writer stops before anything is booked: the next one finds a newer address.
    stage.fault('latency', { options: { delayMs: 60_000 }, match: 'bulkUpdate' });
    await stage.tell('realtime', [
      lead('b@example.com', { version: { modstampMs: 1e6, fetchedAtMs: 0 }, userId: LEAD }),
    ]);
    await waitFor('the move', () => stage.sandbox.requests({ endpoint: 'users/updateEmail' }).length === 1);
    await waitFor('the intent', async () => (await intents()).includes('b@example.com'));
    stage.faults.clear();
    await stage.tell('realtime', [
      lead('c@example.com', { version: { modstampMs: 2e6, fetchedAtMs: 0 }, userId: LEAD }),
    ]);
    await stage.writers.pop()?.close();
    await stage.startWriter(SETTLE);
    await shown({ email: 'c@example.com' }, { From: 'lead' });
    await waitFor('everything', async () => (await stage.uncommitted()) === 0);
    expect(stage.sandbox.stats().users).toBe(1);
  });
});

async function intents(): Promise<string[]> {
  return (await stage.identities()).flatMap(({ intents: some }: Identity) => some ?? []);
}

function unsubscribed(key: string): readonly unknown[] {
  const found = profile(key.includes('@') ? { email: key } : { userId: key });
  return (found?.['unsubscribedChannelIds'] as readonly unknown[] | undefined) ?? [];
}
