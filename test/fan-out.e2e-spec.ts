import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { topics, type Outcome, type Status } from '@libs/contracts';
import { memoryOf } from './support/memory.js';
import { sample } from './support/metrics.js';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { services, startStack, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';

/** Contacts of one Account. Seeded Contacts have an Account 95 times of 100. */
const LARGE = 50_000;
const SEEDED = 53_500;
/** Heap of the two services that do the work: without a bound on what is in hand they would end. MiB. */
const HEAP_MIB = 192;

let sandbox: SandboxProcess;
let stack: Stack;
let mappings: string;

beforeAll(async () => {
  mappings = mkdtempSync(join(tmpdir(), 'mappings-'));
  cpSync('mappings', mappings, { recursive: true });
  writeFileSync(
    join(mappings, 'Registration__c.yaml'),
    [
      'object: Registration__c',
      'identity: { belongsTo: Contact__c }',
      'fields:',
      '  Contact__r.Email: email',
      '  Name: dataFields.Registration.Name',
      '  Contact__r.LastName: dataFields.Registration.Guest',
    ].join('\n'),
  );
  sandbox = await startSandbox();
  // While there is but one Account, it is that of all of them
  await sandbox.admin('POST', '/seed', { accounts: 1, contacts: SEEDED });
  const others = services.filter((app) => app !== 'mapper' && app !== 'backfill');
  const own = { MAPPINGS_DIR: mappings };
  stack = await startStack({ brokers: inject('kafkaBrokers'), sandbox, instances: 1, only: others, own });
  const heap = { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` };
  await Promise.all([stack.start('mapper', heap), stack.start('backfill', heap)]);
});
afterAll(async () => {
  await stack?.stop();
  await sandbox?.stop();
  rmSync(mappings, { recursive: true, force: true });
});

const email = () => `${randomUUID()}@example.com`;

async function shows(address: string, path: string, value: string | null): Promise<void> {
  const read = async () => {
    let at: unknown = (await sandbox.profile(address))?.dataFields;
    for (const name of path.split('.')) at = (at as Record<string, unknown> | undefined)?.[name];
    return at ?? null;
  };
  await waitFor(`${path} to be ${value}`, async () => (await read()) === value, 60_000, 100);
}

async function outcomesOf(recordId: string): Promise<Outcome[]> {
  return (await stack.readAll(topics.outcomes)).filter((outcome) => outcome.recordId === recordId);
}

const jobs = async (): Promise<Status[]> =>
  (await stack.readAll(topics.status)).filter(({ id }) => id.startsWith('fan-out-'));

describe('a parent that changes, on Kafka', () => {
  it('carries the new name of an Account to the profiles of its Contacts, in real time', async () => {
    const account = await sandbox.createRecord('Account', { Name: 'Before' });
    const [one, two, other] = [email(), email(), email()];
    for (const address of [one, two])
      await sandbox.createRecord('Contact', { LastName: 'Of it', Email: address, AccountId: account });
    await sandbox.createRecord('Contact', { LastName: 'Of none', Email: other });
    for (const address of [one, two]) await shows(address, 'Company.Name', 'Before');
    await shows(other, 'Name.Last', 'Of none');
    await sandbox.updateRecord('Account', account, { Name: 'After' });
    for (const address of [one, two]) await shows(address, 'Company.Name', 'After');
    const ends = await waitFor('the end of the change', async () => {
      const found = (await outcomesOf(account)).filter(({ kind }) => kind === 'expanded');
      return found.length === 0 ? null : found;
    });
    expect(ends.every(({ reason, lane }) => reason === 'mapper.fanned_out' && lane === 'realtime')).toBe(true);
    const followed = (await stack.readAll(topics.changes)).filter(({ source }) => source === 'fan-out');
    expect(followed.every(({ recordType, lane }) => recordType === 'Contact' && lane === 'realtime')).toBe(true);
    expect(await jobs()).toEqual([]);
  });

  it('carries Contacts along when their Account is merged into another, of which no event tells', async () => {
    const address = email();
    const winner = await sandbox.createRecord('Account', { Name: 'Winner' });
    const loser = await sandbox.createRecord('Account', { Name: 'Loser' });
    const contact = await sandbox.createRecord('Contact', { LastName: 'Moved', Email: address, AccountId: loser });
    await shows(address, 'Company.Name', 'Loser');
    await sandbox.admin('POST', '/salesforce/merge', { object: 'Account', winner, losers: [loser] });
    await shows(address, 'Company.Name', 'Winner');
    const followed = (await stack.readAll(topics.changes)).filter(({ recordId }) => recordId === contact);
    expect(followed.map(({ source }) => source)).toContain('fan-out');
  });

  it('carries the new name of an owner to Leads and Contacts', async () => {
    const login = `${randomUUID()}@acme.example`;
    const owner = await sandbox.createRecord('User', {
      Username: login,
      Email: login,
      Alias: 'owner',
      LastName: 'Owner',
    });
    const [lead, contact] = [email(), email()];
    await sandbox.createRecord('Lead', { LastName: 'Owned', Company: 'C', Email: lead, OwnerId: owner });
    await sandbox.createRecord('Contact', { LastName: 'Owned', Email: contact, OwnerId: owner });
    for (const address of [lead, contact]) await shows(address, 'Name.Last', 'Owned');
    const name = `Renamed ${randomUUID().slice(0, 8)}`;
    await sandbox.updateRecord('User', owner, { LastName: name });
    for (const address of [lead, contact]) await shows(address, 'Owner.Name', name);
  });

  it('carries a Contact, and what belongs to it of a custom object, to one profile, and takes that away with its record', async () => {
    const address = email();
    const contact = await sandbox.createRecord('Contact', { LastName: 'Miss', Email: address });
    const registration = await sandbox.createRecord('Registration__c', { Name: 'Fair', Contact__c: contact });
    await shows(address, 'Registration.Name', 'Fair');
    await shows(address, 'Registration.Guest', 'Miss');
    await sandbox.updateRecord('Contact', contact, { LastName: 'Married' });
    await shows(address, 'Name.Last', 'Married');
    await shows(address, 'Registration.Guest', 'Married');
    const followed = (await stack.readAll(topics.changes)).filter(({ recordId }) => recordId === registration);
    expect(followed.map(({ source }) => source)).toContain('fan-out');
    // Written and followed: its own changes count once, as written
    expect((await outcomesOf(contact)).map(({ kind }) => kind)).not.toContain('expanded');
    await sandbox.admin('POST', '/salesforce/records', {
      kind: 'delete',
      object: 'Registration__c',
      ids: [registration],
    });
    await shows(address, 'Registration.Name', null);
    await shows(address, 'Registration.Guest', null);
    await shows(address, 'Name.Last', 'Married');
  });

  it(`follows an Account with ${LARGE} Contacts beside the real-time lane, in bounded memory`, async () => {
    const accounts = await sandbox.query('SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId');
    const largest = accounts
      .filter((row) => row['AccountId'] !== null)
      .toSorted((a, b) => Number(b['n']) - Number(a['n']))[0];
    const account = String(largest?.['AccountId']);
    const of = `AccountId = '${account}'`;
    const contacts = Number(largest?.['n']);
    expect(contacts).toBeGreaterThan(LARGE);
    const name = `Large ${randomUUID().slice(0, 8)}`;
    await sandbox.updateRecord('Account', account, { Name: name });

    const started = await waitFor('progress of the job', async () =>
      (await jobs()).find(({ type, data }) => type === 'progress' && Number(data['written']) > 0),
    );
    const accepted = (await jobs()).find(({ id, type }) => id === started.id && type === 'accepted');
    expect(accepted?.data).toMatchObject({
      object: 'Contact',
      fanOut: { from: 'Account', through: 'AccountId', records: 1 },
      total: contacts,
    });

    // A Lead of the moment does not wait for any of it.
    const address = email();
    const lead = await sandbox.createRecord('Lead', { LastName: 'Meanwhile', Company: 'C', Email: address });
    await waitFor('the profile of the Lead', () => sandbox.profile(address), 120_000);
    const ended = (await jobs()).filter(({ type }) => type === 'completed');
    expect(ended, 'the Lead is written while the job runs').toEqual([]);
    expect((await outcomesOf(lead)).every(({ lane }) => lane === 'realtime')).toBe(true);

    const completed = await waitFor(
      'the end of the job',
      async () => (await jobs()).find(({ type }) => type === 'completed' || type === 'failed'),
      280_000,
      500,
    );
    const { queried, enqueued, written, skipped, superseded, dead } = completed.data as Record<string, number>;
    expect({ queried, enqueued, dead }).toEqual({ queried: contacts, enqueued: contacts, dead: 0 });
    expect((written ?? 0) + (skipped ?? 0) + (superseded ?? 0)).toBe(contacts);
    for (const order of ['ASC', 'DESC']) {
      const [row] = await sandbox.query(
        `SELECT Email FROM Contact WHERE ${of} AND Email != null ORDER BY Id ${order} LIMIT 1`,
      );
      await shows(String(row?.['Email']).toLowerCase(), 'Company.Name', name);
    }
    const [mapper] = stack.of('mapper');
    if (mapper === undefined) throw new Error('the mapper is gone');
    expect(await sample(mapper, 'sync_mapper_fan_out_jobs_total{object="Contact"}')).toBe(1);
    for (const app of ['mapper', 'backfill'] as const) {
      const [service] = stack.of(app);
      console.info(`${app}: peak of ${memoryOf(service?.child.pid ?? 0)} MiB resident for ${contacts} Contacts`);
      expect(service, `the ${app} lives with its heap of ${HEAP_MIB} MiB`).toBeDefined();
    }
  }, 300_000);
});
