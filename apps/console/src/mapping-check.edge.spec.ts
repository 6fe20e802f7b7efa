import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { loadSettings, readTextFiles } from '@libs/config';
import { allTopics } from '@libs/contracts';
import { createEmbeddedLog, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type SandboxProcess } from '../../../test/support/sandbox.js';
import { processContext } from './cli/context.js';
import { runCli } from './cli/program.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';
import { errorAnswer } from './core/answers.js';
import { checkAnswer, fieldsAnswer, type Finding } from './core/mapping-answers.js';

const TOKEN = 'a-token-for-the-test';
const GOOD = 'object: Lead\nfields:\n  Email: email\n  FirstName: dataFields.Name.First\n';

let sandbox: SandboxProcess;
let log: EmbeddedLog;
/** One that knows the org and the project, and one that was told nothing. */
let knowing: Console;
let unknowing: Console;

interface Console {
  readonly url: string;
  readonly service: RunningService;
}

async function startConsole(environment: Readonly<Record<string, string>>): Promise<Console> {
  const settings = loadSettings('console', consoleSettings, {
    CONSOLE_TOKEN: TOKEN,
    DATA_DIR: mkdtempSync(join(tmpdir(), 'console-check-')),
    ...environment,
  });
  const spec = createConsoleService({ healthSource: async () => [], announce: () => undefined });
  const logger = createLogger('console', 'silent');
  const service = await startService(spec, settings, {
    log,
    metrics: createMetrics(),
    health: new Health(['log']),
    logger,
  });
  await service.app.listen(0, '127.0.0.1');
  return { url: await service.app.getUrl(), service };
}

function directoryOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'mappings-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

const ask = (path: string, init: RequestInit = {}, { url } = knowing) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
  });
const post = (body: unknown, at = knowing) =>
  ask('/api/mappings/check', { method: 'POST', body: JSON.stringify(body) }, at);
const check = async (files: Readonly<Record<string, string>>) => {
  const named = Object.entries(files).map(([name, text]) => ({ name, text }));
  return checkAnswer.parse(await (await post({ files: named })).json());
};
const places = (findings: readonly Finding[]) =>
  findings.map(({ file, line, column, code, suggestion }) => [`${file}:${line}:${column}`, code, suggestion]);

/** `sync …` in this process, against one of the consoles. */
async function sync(args: readonly string[], { url } = knowing) {
  const printed = { out: '', err: '' };
  const into = (key: keyof typeof printed) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        printed[key] += chunk.toString();
        done();
      },
    });
  const context = processContext(new AbortController().signal, { SYNC_URL: url, CONSOLE_TOKEN: TOKEN });
  const code = await runCli(args, { ...context, out: into('out'), notes: into('err') });
  return { code, ...printed };
}

beforeAll(async () => {
  sandbox = await startSandbox();
  log = createEmbeddedLog({ dataDir: mkdtempSync(join(tmpdir(), 'console-check-log-')), partitions: 1 });
  await log.applyTopics(allTopics);
  const dataFields = { Company: { Employees: 12 }, Score: 'high' };
  await fetch(`${sandbox.iterableUrl}/api/users/update`, {
    method: 'POST',
    headers: { 'api-key': 'sandbox', 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'someone@example.com', dataFields }),
  });
  knowing = await startConsole({ ...sandbox.settings, MAPPINGS_DIR: directoryOf({ 'Lead.yaml': GOOD }) });
  unknowing = await startConsole({ MAPPINGS_DIR: '/nowhere/mappings' });
}, 60_000);
afterAll(async () => {
  await knowing.service.close();
  await unknowing.service.close();
  await log.close();
  await sandbox.stop();
});

describe('POST /api/mappings/check', () => {
  it('finds nothing wrong with good files, given or its own', async () => {
    expect(await check({ 'Lead.yaml': GOOD })).toEqual({ ok: true, errors: [], warnings: [] });
    expect(await (await post({})).json()).toEqual({ ok: true, errors: [], warnings: [] });
  });

  it('checks every source against the org and every target against the project', async () => {
    const lead = `object: Lead
fields:
  Email: email
  FristName: dataFields.Name.First
  Owner.Department: dataFields.Owner.Department
  Ownr.Name: dataFields.Owner.Name
  Score__c: dataFields.Score
  Company: dataFields.Company.Employees
  Rating: dataFields.Rating
values:
  dataFields.Rating: { map: { Hott: 1 } }
`;
    const { ok, errors, warnings } = await check({ 'Lead.yaml': lead });
    expect(ok).toBe(false);
    expect(places(errors)).toEqual([
      ['Lead.yaml:4:3', 'mapping.unknown_field', 'FirstName'],
      ['Lead.yaml:5:3', 'mapping.polymorphic_field', undefined],
      ['Lead.yaml:6:3', 'mapping.unknown_field', 'Owner.Name'],
      ['Lead.yaml:7:13', 'mapping.type_conflict', undefined],
      ['Lead.yaml:8:12', 'mapping.type_conflict', undefined],
    ]);
    expect(places(warnings)).toEqual([
      ['Lead.yaml:7:3', 'mapping.calculated_field', undefined],
      ['Lead.yaml:11:31', 'mapping.unknown_value', 'Hot'],
    ]);
  });

  it('checks what an opt-out unsubscribes from against the project', async () => {
    const consent = 'consent:\n  HasOptedOutOfEmail: { when: true, channels: [101, 999] }\n';
    const { errors } = await check({ 'Lead.yaml': `${GOOD}${consent}` });
    expect(places(errors)).toEqual([['Lead.yaml:6:3', 'mapping.unknown_subscription', undefined]]);
    expect(errors[0]?.message).toContain('the channel 999, which the Iterable project does not have; it has 101 (');
  });

  it('sees a field that field-level security hides as soon as it does', async () => {
    const seen = (visible: boolean) =>
      sandbox.admin('POST', '/salesforce/fields', { object: 'Lead', field: 'FirstName', visible });
    await seen(false);
    try {
      expect(places((await check({ 'Lead.yaml': GOOD })).errors)).toEqual([
        ['Lead.yaml:4:3', 'mapping.unknown_field', undefined],
      ]);
    } finally {
      await seen(true);
    }
    expect((await check({ 'Lead.yaml': GOOD })).ok).toBe(true);
  });

  it('finds no error in the mappings that ship', async () => {
    const files = readTextFiles('mappings', ['.yaml']);
    const { ok, errors, warnings } = checkAnswer.parse(await (await post({ files })).json());
    expect({ ok, errors }).toEqual({ ok: true, errors: [] });
    expect(places(warnings)).toEqual([]);
  });

  it('names an object that the org does not show, beside the mistakes of other files', async () => {
    const { errors } = await check({
      'Contact.yaml': 'object: Contact\nfeilds:\n  Email: email\n',
      'Lead.yaml': GOOD.replace('FirstName', 'FristName'),
      'Registation__c.yaml': 'object: Registation__c\nfields:\n  Email__c: email\n',
    });
    expect(places(errors)).toEqual([
      ['Contact.yaml:2:1', 'mapping.mistake', 'fields'],
      ['Lead.yaml:4:3', 'mapping.unknown_field', 'FirstName'],
      ['Registation__c.yaml:1:9', 'mapping.unknown_object', 'Registration__c'],
    ]);
  });

  it('tells a query that is too long for a URI', async () => {
    const many = Array.from({ length: 900 }, (_, index) => `  LongNameOfAField${index}__c: dataFields.F${index}\n`);
    const { errors } = await check({ 'Lead.yaml': `${GOOD}${many.join('')}` });
    expect(places(errors)[0]).toEqual(['Lead.yaml:1:9', 'mapping.too_many_fields', undefined]);
  });

  it.each([
    [{ files: [] }, 'files: '],
    [{ files: [{ name: '../Lead.yaml', text: '' }] }, 'files.0.name: must be a file name'],
    [{ files: [{ name: 'Lead.txt', text: '' }] }, 'files.0.name: must be a file name'],
    [{ files: [{ name: 'Lead.yaml' }] }, 'files.0.text: '],
    [{ file: 'Lead.yaml' }, 'Unrecognized key: "file"'],
  ])('refuses %j', async (body, message) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(errorAnswer.parse(await response.json()).error.message).toContain(message);
  });

  it('says which settings are lacking', async () => {
    for (const [body, message] of [
      [{ files: [{ name: 'Lead.yaml', text: GOOD }] }, 'SALESFORCE_LOGIN_URL and SALESFORCE_CLIENT_ID'],
      [{}, 'The console cannot read its mapping files: /nowhere/mappings cannot be read (ENOENT). Set MAPPINGS_DIR'],
    ] as const) {
      const response = await post(body, unknowing);
      const { error } = errorAnswer.parse(await response.json());
      expect([response.status, error.code]).toEqual([400, 'console.not_configured']);
      expect(error.message).toContain(message);
    }
  });

  it('says so when Iterable cannot be reached now', async () => {
    await sandbox.admin('POST', '/faults', { system: 'iterable', kind: 'http-500', match: 'getFields' });
    try {
      const response = await post({ files: [{ name: 'Lead.yaml', text: GOOD }] });
      expect([response.status, errorAnswer.parse(await response.json()).error.code]).toEqual([
        503,
        'iterable.unavailable',
      ]);
    } finally {
      await sandbox.admin('DELETE', '/faults');
    }
  });
});

describe('GET /api/mappings/fields/{object}', () => {
  const fields = async (path: string) => fieldsAnswer.parse(await (await ask(`/api/mappings/fields/${path}`)).json());

  it('lists what can be mapped, and what is mapped already', async () => {
    const { object, label, file, fields: listed, parents } = await fields('Lead');
    expect({ object, label, file }).toEqual({ object: 'Lead', label: 'Lead', file: 'Lead.yaml' });
    const of = (path: string) => listed.find((one) => one.path === path);
    expect(of('Email')).toEqual({
      path: 'Email',
      label: 'Email',
      type: 'email',
      length: 80,
      values: null,
      calculated: null,
      mappedTo: ['email'],
    });
    expect(of('Rating')).toMatchObject({ values: ['Hot', 'Warm', 'Cold'], mappedTo: [] });
    expect(of('Score__c')).toMatchObject({ calculated: 'formula' });
    expect(parents).toContainEqual({ path: 'Owner', objects: ['Group', 'User'] });
    expect(of('Owner.Email')).toBeUndefined();
  });

  it('lists those of parents by depth; of an owner that may be a queue name fields only', async () => {
    const lead = (await fields('Lead?depth=1')).fields.map(({ path }) => path);
    expect(lead).toContain('Owner.Email');
    expect(lead).not.toContain('Owner.Department');
    const contact = await fields('Contact?depth=2');
    expect(contact.file).toBeNull();
    expect(contact.fields.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['Email', 'Account.Name', 'Account.Owner.Department']),
    );
  });

  it.each([
    ['Laed', 404, 'The org shows no object Laed to the integration user; did you mean "Lead"?'],
    ['Zebra', 404, 'The org shows no object Zebra to the integration user'],
    ['Lead%2F..%2FUser', 404, 'The org shows no object'],
    ['Lead?depth=9', 400, 'depth: '],
  ])('%s is refused', async (path, status, message) => {
    const response = await ask(`/api/mappings/fields/${path}`);
    expect(response.status).toBe(status);
    expect(errorAnswer.parse(await response.json()).error.message).toContain(message);
  });
});

describe('sync mapping check', () => {
  it('prints each finding with its place, and exits with 1', async () => {
    const directory = directoryOf({ 'Lead.yaml': GOOD.replace('FirstName', 'FristName') });
    const { code, out } = await sync(['mapping', 'check', directory]);
    expect({ code, out }).toEqual({
      code: 1,
      out: `${directory}/Lead.yaml:4:3: the integration user cannot see Lead.FristName: it is gone, misspelt or hidden by field-level security; did you mean "FirstName"? [error mapping.unknown_field]
1 error, 0 warnings: ${directory}, against the org and the Iterable project.
`,
    });
    const json = await sync(['mapping', 'check', directory, '--json']);
    expect(json.code).toBe(1);
    expect(places(checkAnswer.parse(JSON.parse(json.out)).errors)).toEqual([
      [`${directory}/Lead.yaml:4:3`, 'mapping.unknown_field', 'FirstName'],
    ]);
  });

  it('exits with 0 when nothing is wrong, here or where the console is', async () => {
    const directory = directoryOf({ 'Lead.yaml': GOOD });
    expect(await sync(['mapping', 'check', directory])).toEqual({
      code: 0,
      out: `No mistake: ${directory}, against the org and the Iterable project.\n`,
      err: '',
    });
    expect(await sync(['mapping', 'check', '--deployed'])).toMatchObject({
      code: 0,
      out: 'No mistake: the files of the console, against the org and the Iterable project.\n',
    });
  });

  it('--offline asks nobody', async () => {
    const nobody = { url: 'http://127.0.0.1:1', service: knowing.service };
    const wrong = directoryOf({ 'Lead.yaml': GOOD.replace('fields', 'feilds') });
    expect(await sync(['mapping', 'check', wrong, '--offline'], nobody)).toEqual({
      code: 1,
      out: `${wrong}/Lead.yaml:2:1: unknown key "feilds"; did you mean "fields"? [error mapping.mistake]\n1 error, 0 warnings: ${wrong}, by structure alone.\n`,
      err: '',
    });
    const unseen = directoryOf({ 'Lead.yaml': GOOD.replace('FirstName', 'FristName') });
    const { code, out } = await sync(['mapping', 'check', unseen, '--offline', '--json'], nobody);
    expect([code, JSON.parse(out)]).toEqual([0, { ok: true, errors: [], warnings: [] }]);
    expect(await sync(['mapping', 'check', unseen], nobody)).toMatchObject({ code: 3 });
  });

  it.each([
    [['mapping', 'check', '/nowhere/mappings'], 2, '/nowhere/mappings cannot be read (ENOENT): name the directory'],
    [['mapping', 'check', '--deployed', '--offline'], 2, '--deployed checks the files of the console'],
    [['mapping', 'check', '.', '--deployed'], 2, '--deployed checks the files of the console'],
    [['mapping', 'fields'], 2, "missing required argument 'object'"],
    [['mapping', 'fields', 'Lead', '--depth', 'deep'], 2, 'It is a whole number from 0 to 3.'],
    [['mapping', 'fields', 'Laed'], 1, 'did you mean "Lead"?'],
  ])('%j exits with %i', async (args, code, message) => {
    expect(await sync(args)).toEqual({ code, out: '', err: expect.stringContaining(message) });
  });

  it('finds no mapping file in a directory that has none', async () => {
    const empty = directoryOf({ 'README.md': '' });
    const { code, out } = await sync(['mapping', 'check', empty]);
    expect(code).toBe(1);
    expect(out).toContain(`${empty}:1:1: no mapping file here`);
  });

  it('says what the console lacks: exit code 2', async () => {
    const directory = directoryOf({ 'Lead.yaml': GOOD });
    expect(await sync(['mapping', 'check', directory], unknowing)).toMatchObject({
      code: 2,
      err: expect.stringContaining('give it SALESFORCE_LOGIN_URL and SALESFORCE_CLIENT_ID'),
    });
  });
});

describe('sync mapping fields', () => {
  it('prints one field a line, with what it is mapped to', async () => {
    const { code, out } = await sync(['mapping', 'fields', 'Lead']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Lead: \d+ fields, 2 mapped by Lead\.yaml\n\nField +Label +Mapped to +Type\n/);
    expect(out).toMatch(/^FirstName +First Name +dataFields\.Name\.First +string\(40\)$/m);
    expect(out).toMatch(/^Rating +Rating +picklist: Hot, Warm, Cold$/m);
    expect(out).toMatch(/^Score__c +Score +double, formula$/m);
    expect(out).toMatch(/^ {2}Owner\.… +Group or User$/m);
  });

  it('prints JSON of a known shape', async () => {
    const { out } = await sync(['mapping', 'fields', 'Contact', '--depth', '1', '--json']);
    expect(fieldsAnswer.parse(JSON.parse(out)).fields.map(({ path }) => path)).toContain('Account.Industry');
  });
});
