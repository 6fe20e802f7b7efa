import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { loadSettings } from '@libs/config';
import { allTopics } from '@libs/contracts';
import { createEmbeddedLog } from '@libs/event-log';
import { createMetrics, Health, type Logger } from '@libs/observability';
import { startService } from '@libs/service';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startSandbox, type SandboxProcess } from '../../../test/support/sandbox.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';
import { errorAnswer } from './core/answers.js';
import { previewAnswer, type PreviewAnswer, type RecordPreview } from './core/preview-answers.js';

const TOKEN = 'a-token-for-the-test';
const LEAD = `object: Lead
fields:
  Id: dataFields.Salesforce.Id
  Email: email
  FirstName: dataFields.Name.First
  LastName: dataFields.Name.Last
  NumberOfEmployees: dataFields.Employees
`;
const CONTACT = `object: Contact
fields:
  Email: email
  FirstName: dataFields.Name.First
  LastName: dataFields.Name.Last
  Title: dataFields.Title
`;
const REGISTRATION = `object: Registration__c
fields:
  Status__c: dataFields.Registration.Status
  Contact__r.Email: email
identity:
  belongsTo: Contact__c
`;
const files = [
  { name: 'Lead.yaml', text: LEAD },
  { name: 'Contact.yaml', text: CONTACT },
  { name: 'Registration__c.yaml', text: REGISTRATION },
];

let sandbox: SandboxProcess;
const closers: Array<() => Promise<unknown>> = [];
/** Everything that any console logged. */
let logged = '';

async function openConsole(environment: Readonly<Record<string, string>>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-preview-'));
  const mappings = join(dataDir, 'mappings');
  mkdirSync(mappings);
  for (const { name, text } of files) writeFileSync(join(mappings, name), text);
  const log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const settings = loadSettings('console', consoleSettings, {
    DATA_DIR: dataDir,
    MAPPINGS_DIR: mappings,
    CONSOLE_TOKEN: TOKEN,
    ...environment,
  });
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      logged += chunk.toString();
      done();
    },
  });
  const logger = pino({ level: 'trace' }, stream) as Logger;
  const spec = createConsoleService({ healthSource: async () => [], announce: () => undefined });
  const service = await startService(spec, settings, {
    log,
    metrics: createMetrics(),
    health: new Health(['log']),
    logger,
  });
  await service.app.listen(0, '127.0.0.1');
  const url = await service.app.getUrl();
  closers.push(async () => {
    await service.close();
    await log.close();
  });
  const ask = (body: unknown) =>
    fetch(`${url}/api/mappings/preview`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
  return {
    ask,
    async preview(body: unknown): Promise<PreviewAnswer> {
      const response = await ask(body);
      const answer: unknown = await response.json();
      expect([response.status, response.ok ? null : answer]).toEqual([200, null]);
      return previewAnswer.parse(answer);
    },
    async one(body: unknown): Promise<RecordPreview> {
      const { records } = await this.preview(body);
      expect(records).toHaveLength(1);
      return records[0] as RecordPreview;
    },
    async refused(body: unknown) {
      const response = await ask(body);
      return { status: response.status, ...errorAnswer.parse(await response.json()).error };
    },
  };
}
type Console = Awaited<ReturnType<typeof openConsole>>;
let desk: Console;

let made = 0;
const email = () => `someone-${(made += 1)}@example.com`;
const lead = (address: string | null, more: object = {}) =>
  sandbox.createRecord('Lead', { LastName: 'Lovelace', Company: 'Engines', Email: address, ...more });
const contact = (address: string | null, more: object = {}) =>
  sandbox.createRecord('Contact', { LastName: 'Lovelace', Email: address, ...more });
const write = async (...users: object[]) => {
  const headers = { 'api-key': 'sandbox', 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify({ users }) };
  expect((await fetch(`${sandbox.iterableUrl}/api/users/bulkUpdate`, init)).status).toBe(200);
};
const withLead = (text: string) => [{ name: 'Lead.yaml', text }];

beforeAll(async () => {
  sandbox = await startSandbox();
  desk = await openConsole(sandbox.settings);
});
afterAll(async () => {
  for (const close of closers) await close();
  await sandbox.stop();
});

describe('a record', () => {
  it('is shown with the query, the row, the body and the difference; nothing is written', async () => {
    const address = email();
    const id = await lead(address, { FirstName: 'Ada', NumberOfEmployees: 7 });
    await write({
      email: address,
      dataFields: { Name: { First: 'Augusta', Nick: 'Addie' }, Title: 'Countess', Seen: true },
    });
    await vi.waitFor(async () => expect(await sandbox.profile(address)).not.toBeNull(), 20_000);
    const before = await sandbox.profile(address);

    const shown = await desk.one({ id: id.slice(0, 15) });

    expect(shown).toMatchObject({ object: 'Lead', recordId: id, fate: 'written', profile: 'found' });
    expect(shown.soql).toMatch(/^SELECT Id,.*\bNumberOfEmployees\b.* FROM Lead WHERE Id IN \('/);
    expect(shown.record).toMatchObject({ Id: id, FirstName: 'Ada', Email: address });
    expect(shown.record).not.toHaveProperty('attributes');
    expect(shown.body).toEqual({
      email: address,
      dataFields: {
        Salesforce: { Id: id },
        Name: { First: 'Ada', Last: 'Lovelace' },
        Employees: 7,
        Title: null, // of the Contacts' mapping
      },
    });
    expect(shown.mergeNestedObjects).toBe(true);
    expect(shown.difference).toEqual([
      { path: 'dataFields.Salesforce.Id', kind: 'added', after: id },
      { path: 'dataFields.Name.First', kind: 'changed', before: 'Augusta', after: 'Ada' },
      { path: 'dataFields.Name.Last', kind: 'added', after: 'Lovelace' },
      { path: 'dataFields.Employees', kind: 'added', after: 7 },
      { path: 'dataFields.Title', kind: 'cleared', before: 'Countess' },
    ]);
    expect(shown.text).toContain('It changes 5 fields there.');
    expect(await sandbox.profile(address)).toEqual(before);
  });

  it('whose body was written shows no difference', async () => {
    const address = email();
    const id = await lead(address, { FirstName: 'Ada' });
    const { body, mergeNestedObjects, ...first } = await desk.one({ id });
    expect(first).toMatchObject({ profile: 'none', text: expect.stringContaining('Iterable has no such profile') });
    await write({ ...body, mergeNestedObjects });
    await vi.waitFor(async () => expect((await desk.one({ id })).profile).toBe('found'), 20_000);
    expect(await desk.one({ id })).toMatchObject({
      difference: [],
      text: expect.stringContaining('It changes nothing'),
    });
  });

  it('goes by the files that are sent, before they ship', async () => {
    const id = await lead(email(), { FirstName: 'Ada' });
    const text = `${LEAD}transform: { dataFields.Greeting: "'Dear ' & FirstName" }\nmerge: replace\n`;
    const shown = await desk.one({ id, files: withLead(text) });
    expect(shown.body?.['dataFields']).toMatchObject({ Greeting: 'Dear Ada' });
    expect(shown.mergeNestedObjects).toBe(false);
    expect(shown.mapping.version).not.toBe((await desk.one({ id })).mapping.version);
  });

  it.each<[string, () => Promise<string>, string | undefined, Partial<RecordPreview>]>([
    [
      'filtered',
      () => lead(email()),
      `${LEAD}when: LastName = 'Byron'\n`,
      { fate: 'filtered', reason: 'mapping.filtered' },
    ],
    ['without an address', () => lead(null), undefined, { fate: 'skipped', reason: 'mapping.no_email' }],
    [
      'of a wrong type',
      () => lead(email()),
      `${LEAD}type: { dataFields.Name.Last: long }\n`,
      {
        fate: 'failed',
        reason: 'mapping.type_mismatch',
        text: expect.stringContaining('Here: the value for dataFields.Name.Last is no long. It would end') as string,
      },
    ],
    [
      'that is deleted',
      async () => {
        const id = await lead(email());
        await sandbox.admin('POST', '/salesforce/records', { kind: 'delete', object: 'Lead', ids: [id] });
        return id;
      },
      undefined,
      { fate: 'deleted', reason: 'salesforce.deleted' },
    ],
  ])('%s is not written, and it is said why', async (_, make, text, expected) => {
    const id = await make();
    const shown = await desk.one({ id, ...(text !== undefined && { files: withLead(text) }) });
    expect(shown).toMatchObject({ body: null, difference: null, ...expected });
    expect(shown.text.length).toBeGreaterThan(20);
  });

  it('that was converted names its Contact', async () => {
    const id = await lead(email());
    await sandbox.admin('POST', '/salesforce/convert', { leadId: id });
    const [row] = await sandbox.query(`SELECT ConvertedContactId FROM Lead WHERE Id = '${id}'`);
    expect(await desk.one({ id })).toMatchObject({
      fate: 'converted',
      body: null,
      text: expect.stringContaining(`sync mapping preview ${String(row?.['ConvertedContactId'])}`),
    });
  });

  it('that belongs to a person is written on that profile, if there is one', async () => {
    const address = email();
    const owner = await contact(address);
    const nobody = await contact(null);
    const ofOwner = await sandbox.createRecord('Registration__c', { Name: 'R1', Contact__c: owner });
    const ofNobody = await sandbox.createRecord('Registration__c', { Name: 'R2', Contact__c: nobody });
    const alone = await sandbox.createRecord('Registration__c', { Name: 'R3' });
    expect(await desk.one({ id: ofOwner })).toMatchObject({
      fate: 'written',
      body: { email: address, dataFields: { Registration: { Status: 'Registered' } } },
      text: expect.stringContaining(`that of Contact ${owner}`),
    });
    expect(await desk.one({ id: ofNobody })).toMatchObject({ fate: 'skipped', reason: 'writer.person_not_written' });
    expect(await desk.one({ id: alone })).toMatchObject({ fate: 'skipped', reason: 'mapping.belongs_to_nobody' });
  });

  it('shows what the person says no to', async () => {
    const id = await lead(email(), { HasOptedOutOfEmail: true });
    expect((await desk.one({ id })).optOut).toEqual({ allMarketing: true, channelIds: [], messageTypeIds: [] });
  });
});

describe('an address', () => {
  it('finds every record that has it, and says which of them has the profile', async () => {
    const address = "o'hara+7@example.com";
    const ids = [await lead(address), await lead(address.toUpperCase()), await contact(address)] as const;
    const { records } = await desk.preview({ email: ` ${address.toUpperCase()}` });
    expect(new Map(records.map(({ recordId, fate }) => [recordId, fate]))).toEqual(
      new Map([
        [ids[0], 'outranked'],
        [ids[1], 'outranked'],
        [ids[2], 'written'],
      ]),
    );
    for (const { claimants } of records) {
      expect(claimants[0]).toEqual({ object: 'Contact', recordId: ids[2], hasAddress: true });
      expect(claimants.map(({ hasAddress }) => hasAddress)).toEqual([true, false, false]);
    }
    // A record alone is told of the others too
    expect(await desk.one({ id: ids[0] })).toMatchObject({
      fate: 'outranked',
      reason: 'writer.outranked',
      difference: null,
      text: expect.stringContaining(`Here: Contact ${ids[2]}.`),
    });
  });

  it('that an expression makes cannot be looked up, and it is said', async () => {
    const address = email();
    const id = await lead(address);
    const text = `object: Lead\nfields: { LastName: dataFields.Name.Last }\ntransform: { email: Email }\n`;
    const refused = await desk.refused({ email: address, files: withLead(text) });
    expect(refused).toMatchObject({
      status: 404,
      message: expect.stringContaining('an expression makes it (Lead.yaml)'),
    });
    expect(await desk.preview({ id, files: withLead(text) })).toMatchObject({
      records: [{ fate: 'written', claimants: [{ recordId: id, hasAddress: true }] }],
      notes: [expect.stringContaining('Lead is not looked up by address')],
    });
  });
});

it('a sample shows the records that were changed last, the last first', async () => {
  const [first, second] = [await contact(email()), await contact(email())];
  await sandbox.admin('POST', '/clock', { advanceSeconds: 5 });
  await sandbox.updateRecord('Contact', first, { Title: 'Countess' });
  await sandbox.admin('POST', '/clock', { advanceSeconds: 5 });
  await sandbox.updateRecord('Contact', second, { Title: 'Countess' });
  const { records } = await desk.preview({ sample: 2, object: 'Contact' });
  expect(records.map(({ recordId }) => recordId)).toEqual([second, first]);
});

describe('in a project by user id', () => {
  let other: SandboxProcess;
  beforeAll(async () => {
    other = await startSandbox({ ITERABLE_PROJECT_TYPE: 'user-id' });
  });
  afterAll(() => other.stop());

  it('the address is a field, of its owner only', async () => {
    const there = await openConsole({ ...other.settings, ITERABLE_PROJECT_TYPE: 'user-id' });
    const address = email();
    const loser = await other.createRecord('Lead', { LastName: 'L', Company: 'C', Email: address });
    const owner = await other.createRecord('Contact', { LastName: 'C', Email: address });
    const { records, projectType } = await there.preview({ email: address });
    expect(projectType).toBe('user-id');
    const byId = new Map(records.map((one) => [one.recordId, one]));
    expect(byId.get(owner)).toMatchObject({ fate: 'written', body: { userId: owner, dataFields: { email: address } } });
    expect(byId.get(loser)).toMatchObject({
      fate: 'written',
      body: { userId: loser, dataFields: { email: null } },
      text: expect.stringContaining(`Its address goes to Contact ${owner}; this profile carries none.`),
    });
  });
});

describe('what cannot be shown', () => {
  it.each<[string, unknown, number, string]>([
    ['nothing asked', {}, 400, 'give one of id, email and sample'],
    ['two things asked', { id: '00Q', email: 'a@example.com' }, 400, 'give one of id, email and sample'],
    ['a sample of nothing', { sample: 2 }, 400, 'object and sample go together'],
    ['a sample too large', { sample: 51, object: 'Lead' }, 400, 'sample: '],
    ['what is no id', { id: '00Q5f000005bwLFAAA' }, 400, 'is no record id'],
    [
      'an id of an object that is not mapped',
      { id: '0015f00000ABCDE' },
      400,
      'Mapped: Contact, Lead, Registration__c.',
    ],
    ['an id that is not there', { id: '00Q5f000005bwLFEAY' }, 404, 'Salesforce shows no Lead 00Q5f000005bwLFEAY'],
    ['what is no address', { email: 'nobody' }, 400, 'no email address that Iterable would take'],
    [
      'an address that nobody has',
      { email: 'nobody@example.com' },
      404,
      'No Contact and no Lead in Salesforce has this address.',
    ],
    [
      'a sample of an object that is not mapped',
      { sample: 1, object: 'Account' },
      400,
      'Account is not mapped. Mapped: Contact',
    ],
    [
      'broken files',
      { id: '00Q5f000005bwLFEAY', files: withLead('object: Lead\nfeilds: {}\n') },
      400,
      'Lead.yaml:2:1: unknown key "feilds"; did you mean "fields"?',
    ],
    [
      'a field that the org does not show',
      { id: '00Q5f000005bwLFEAY', files: withLead('object: Lead\nfields: { Emial: email }\n') },
      400,
      'Lead.yaml:2:11: the integration user cannot see Lead.Emial: gone, misspelt or hidden by field-level security; did you mean "Email"?',
    ],
  ])('%s', async (_, body, status, message) => {
    const refused = await desk.refused(body);
    expect(refused).toMatchObject({ status, message: expect.stringContaining(message) });
    expect(refused.message).not.toContain('nobody@example.com');
  });

  it('no org: the settings that are lacking are named', async () => {
    const lost = await openConsole({});
    expect(await lost.refused({ id: '00Q5f000005bwLFEAY' })).toMatchObject({
      status: 400,
      code: 'console.not_configured',
      message: expect.stringContaining('SALESFORCE_LOGIN_URL'),
    });
  });

  it('an org that refuses', async () => {
    const shut = await openConsole({ ...sandbox.settings, SALESFORCE_CLIENT_SECRET: 'wrong' });
    expect(await shut.refused({ id: '00Q5f000005bwLFEAY' })).toMatchObject({
      status: 503,
      code: 'salesforce.access_refused',
    });
  });

  it.each([
    ['refuses', { ITERABLE_API_KEY: 'wrong' }, 'Iterable refuses the API key'],
    ['is not told of', { ITERABLE_API_KEY: '' }, 'give it ITERABLE_API_KEY'],
    ['does not answer', { ITERABLE_BASE_URL: 'http://127.0.0.1:1' }, 'No difference from the profile: '],
  ])('a project that %s: all but the difference', async (_, environment, note) => {
    const half = await openConsole({ ...sandbox.settings, ...environment });
    const id = await lead(email());
    const answer = await half.preview({ id });
    expect(answer).toMatchObject({
      records: [{ fate: 'written', profile: 'not-asked', difference: null, body: expect.any(Object) as object }],
      notes: [expect.stringContaining(note)],
    });
  });

  it('leaves nothing of a person in the log, nor does what can', () => {
    expect(logged).not.toBe('');
    expect(logged).not.toMatch(/@example\.com|lovelace/i);
  });
});
