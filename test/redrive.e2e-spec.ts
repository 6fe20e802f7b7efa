import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DEAD_LETTERS_TARGET, topics, type DeadLetter, type RecordChange, type Status } from '@libs/contracts';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { startStack, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';

/** Leads that are in the org from the beginning, for a redrive that is long enough to be killed in the middle. */
const SEEDED = 25_000;
/** Fails for a record whose title is `broken`: what a wrong mapping does. */
const WRONG = `transform: { dataFields.Badge: "Title = 'broken' ? $error('no badge') : Title" }`;

let sandbox: SandboxProcess;
let stack: Stack;
let mappings: string;

beforeAll(async () => {
  mappings = mkdtempSync(join(tmpdir(), 'redrive-'));
  cpSync('mappings', mappings, { recursive: true });
  for (const object of ['Lead', 'Contact']) edit(object, (text) => `${text.trimEnd()}\n${WRONG}\n`);
  sandbox = await startSandbox();
  await sandbox.admin('POST', '/seed', { leads: SEEDED, contacts: 1, accounts: 1, seed: 1 });
  stack = await startStack({
    brokers: inject('kafkaBrokers'),
    sandbox,
    instances: 1,
    own: { MAPPINGS_DIR: mappings, ITERABLE_SETTLE_SECONDS: '0' },
  });
});
afterAll(async () => {
  await stack?.stop();
  await sandbox?.stop();
  rmSync(mappings, { recursive: true, force: true });
});

function edit(object: string, change: (text: string) => string): void {
  const file = join(mappings, `${object}.yaml`);
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

/** Takes the wrong line out, and waits until the mapper works by the new file. */
async function correct(object: string): Promise<void> {
  const applied = async () =>
    (await stack.readAll(topics.status)).filter(
      ({ type, data }) => type === 'mapping-applied' && data['cause'] === 'edit',
    );
  const before = (await applied()).length;
  edit(object, (text) => text.replace(WRONG, ''));
  await waitFor('the corrected mapping', async () => (await applied()).length > before);
}

const email = () => `${randomUUID()}@example.com`;
const person = (address: string, over: Record<string, string> = {}) => ({
  LastName: 'Hopper',
  Email: address,
  Title: 'broken',
  ...over,
});
const lead = (address: string, over: Record<string, string> = {}) =>
  sandbox.createRecord('Lead', { Company: 'Navy', ...person(address, over) });

async function letters(recordId: string): Promise<DeadLetter[]> {
  return (await stack.readAll(topics.deadLetters)).filter((letter) => letter.recordId === recordId);
}
const dies = (recordId: string, code: string, times = 1) =>
  waitFor(`${times} dead letters of ${recordId}`, async () => {
    const found = await letters(recordId);
    return found.length >= times && found.every((letter) => letter.code === code);
  });

/** As an operator does it: a message on the admin topic. */
async function redrive(data: Record<string, unknown>, id: string = randomUUID()): Promise<string> {
  const value = { id, type: 'dead-letters.redrive', data, by: 'test' };
  await stack.log.append([{ topic: topics.commands, key: DEAD_LETTERS_TARGET, value }]);
  return id;
}

const said = async (id: string) => (await stack.readAll(topics.status)).filter((status) => status.id === id);
const ended = (id: string): Promise<Status> =>
  waitFor(
    `the end of ${id}`,
    async () => (await said(id)).find(({ type }) => ['completed', 'failed', 'rejected'].includes(type)),
    120_000,
    250,
  );
const changesOf = async (id: string): Promise<RecordChange[]> =>
  (await stack.readAll(topics.changes)).filter(({ jobId }) => jobId === id);
const field = async (address: string, name: string) => (await sandbox.profile(address))?.dataFields[name];

describe('dead letters, once the cause is corrected', () => {
  it('of a wrong mapping are written by a redrive by code, with what Salesforce holds by then', async () => {
    const [first, second, fine] = [email(), email(), email()];
    const ids = [await lead(first), await lead(second)];
    await lead(fine, { Title: 'Admiral' });
    for (const id of ids) await dies(id, 'mapping.expression_failed');
    // A second letter of the same record, and newer data than the first one was about
    await sandbox.updateRecord('Lead', ids[0] ?? '', { LastName: 'Murray' });
    await dies(ids[0] ?? '', 'mapping.expression_failed', 2);
    await waitFor('the one beside them', () => sandbox.profile(fine));
    expect([await sandbox.profile(first), await sandbox.profile(second)]).toEqual([null, null]);

    await correct('Lead');
    const id = await redrive({ codes: ['mapping.expression_failed'] });
    expect(await ended(id)).toMatchObject({
      type: 'completed',
      by: 'backfill',
      data: {
        queried: 2,
        enqueued: 2,
        total: 2,
        written: 2,
        dead: 0,
        summary: 'completed, 2 written, 0 skipped, 0 dead',
      },
    });
    expect([await field(first, 'Name'), await field(second, 'Name')]).toMatchObject([
      { Last: 'Murray' },
      { Last: 'Hopper' },
    ]);
    const changes = await changesOf(id);
    expect(changes.map(({ recordId }) => recordId).toSorted()).toEqual(ids.toSorted());
    for (const change of changes) {
      expect(change).toMatchObject({ source: 'redrive', lane: 'backfill', changeType: 'SNAPSHOT' });
    }
  });

  it('of addresses that Iterable refused come with the address that was corrected in Salesforce', async () => {
    await sandbox.admin('POST', '/faults', {
      system: 'iterable',
      kind: 'partial-failures',
      options: { list: 'invalidEmails', share: 1 },
    });
    const [refused, corrected, other] = [email(), email(), email()];
    const id = await lead(refused, { Title: 'Captain' });
    const otherId = await lead(other, { Title: 'Captain' });
    await dies(id, 'iterable.invalid_email');
    await dies(otherId, 'iterable.invalid_email');
    await sandbox.updateRecord('Lead', id, { Email: corrected });
    await dies(id, 'iterable.invalid_email', 2);
    await sandbox.admin('DELETE', '/faults');
    const job = await redrive({ codes: ['iterable.invalid_email'] });
    expect(await ended(job)).toMatchObject({ type: 'completed', data: { enqueued: 2, written: 2 } });
    expect(await sandbox.profile(refused)).toBeNull();
    expect([await field(corrected, 'Title'), await field(other, 'Title')]).toEqual(['Captain', 'Captain']);
  });

  it('are found by object, by id and by time, and a command id does its work once', async () => {
    const contact = (address: string) => sandbox.createRecord('Contact', person(address));
    const [early, late, latest] = [email(), email(), email()];
    const ids = [await contact(early)];
    await dies(ids[0] ?? '', 'mapping.expression_failed');
    const from = new Date(Math.max(...(await letters(ids[0] ?? '')).map(({ lastTime }) => lastTime)) + 1).toISOString();
    ids.push(await contact(late), await contact(latest));
    for (const id of ids) await dies(id, 'mapping.expression_failed');
    await correct('Contact');

    const byId = await redrive({ ids: [ids[2]] });
    expect(await ended(byId)).toMatchObject({ type: 'completed', data: { enqueued: 1, written: 1 } });
    expect([await field(early, 'Title'), await field(late, 'Title')]).toEqual([undefined, undefined]);

    const byTime = await redrive({ objects: ['Contact'], from });
    expect(await ended(byTime)).toMatchObject({ type: 'completed', data: { enqueued: 2 } });
    expect([await field(early, 'Title'), await field(late, 'Title')]).toEqual([undefined, 'broken']);

    const byObject = await redrive({ objects: ['Contact'] });
    expect(await ended(byObject)).toMatchObject({ type: 'completed', data: { enqueued: 3, dead: 0 } });
    expect(await field(early, 'Title')).toBe('broken');

    await redrive({ objects: ['Contact'] }, byObject);
    await waitFor('the second answer', async () =>
      (await said(byObject)).some(({ data }) => data['duplicate'] === true),
    );
    expect(await changesOf(byObject)).toHaveLength(3);
  });

  it('are sent on from where it was after the backfill service was killed in the middle', async () => {
    const ids = (await sandbox.query('SELECT Id FROM Lead')).map(({ Id }) => String(Id)).slice(0, SEEDED);
    const now = Date.now();
    const letter = (recordId: string): DeadLetter => ({
      recordType: 'Lead',
      recordId,
      offsets: [],
      jobIds: [],
      stage: 'writer',
      code: 'iterable.bad_request',
      message: 'refused',
      attempts: 1,
      firstTime: now,
      lastTime: now,
    });
    for (let at = 0; at < ids.length; at += 5_000) {
      const slice = ids.slice(at, at + 5_000).map(letter);
      await stack.log.append(slice.map((value) => ({ topic: topics.deadLetters, key: value.recordId ?? '', value })));
    }
    const id = await redrive({ codes: ['iterable.bad_request'] });
    await waitFor('the first pages', async () => (await changesOf(id)).length >= 2_000, 60_000);
    const [backfill] = stack.of('backfill');
    await backfill?.kill();
    const before = (await changesOf(id)).length;
    expect(before).toBeLessThan(SEEDED);
    await stack.start('backfill');
    const { type, data } = await ended(id);
    expect({ type, data }).toMatchObject({ type: 'completed', data: { queried: SEEDED, total: SEEDED, dead: 0 } });
    const changes = await changesOf(id);
    expect(new Set(changes.map(({ recordId }) => recordId)).size).toBe(SEEDED);
    // At least once: of what was published when it was killed, at most the page in hand comes again
    expect(changes.length - SEEDED).toBeLessThanOrEqual(2_000);
    const counted = ['written', 'superseded', 'filtered', 'skipped'].map((kind) => Number(data[kind]));
    expect(counted.reduce((sum, count) => sum + count, 0)).toBe(data['enqueued']);
  });
});
