import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics } from '@libs/contracts';
import { createEmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type SandboxProcess } from '../../../../test/support/sandbox.js';
import { consoleSettings } from '../console.config.js';
import { createConsoleService } from '../console.module.js';
import { recordPreview } from '../core/preview-answers.js';

const ROOT = resolve(import.meta.dirname, '../../../..');
const ENTRY = join(ROOT, 'dist/apps/console/src/cli/main.js');
const SAMPLE = join(ROOT, 'test/fixtures/mapping-sample');
const TOKEN = 'a-token-for-the-test';
const directory = mkdtempSync(join(tmpdir(), 'preview-cli-'));

/** `sync mapping preview` as a process of its own; without an environment it knows no console. */
async function preview(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  if (!existsSync(ENTRY)) throw new Error(`${ENTRY} is not there: npm run build`);
  const child = spawn(process.execPath, [ENTRY, 'mapping', 'preview', ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'], DATA_DIR: directory, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...printed };
}

function file(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}

/** The same JSON always as the same text: the order of keys is none of it. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}

describe("the incumbent's sample, without an org, a project or a console", () => {
  const args = ['--record', join(SAMPLE, 'before.json'), '--object', 'Lead', '--dir', join(SAMPLE, 'mappings')];
  const after: unknown = JSON.parse(readFileSync(join(SAMPLE, 'after.json'), 'utf8'));

  it('becomes the body that it must, to the letter', async () => {
    const { code, out, err } = await preview(args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(canonical(JSON.parse(out))).toBe(canonical(after));
    expect(out).toBe(`${JSON.stringify(JSON.parse(out), null, 2)}\n`);
  });

  it('the same for machines, with everything around it', async () => {
    const { code, out } = await preview([...args, '--json']);
    expect(code).toBe(0);
    const shown = recordPreview.parse(JSON.parse(out));
    expect(canonical(shown.body)).toBe(canonical(after));
    expect(shown).toMatchObject({
      object: 'Lead',
      recordId: '00Q4H00000nabD0UAI',
      mapping: { file: 'Lead.json' },
      soql: null,
      record: { Status: '3 - Marketing Qualified' },
      fate: 'written',
      difference: null,
    });
  });

  it('in a project by user id the record id is the key and the address a field', async () => {
    const { out } = await preview(args, { ITERABLE_PROJECT_TYPE: 'user-id' });
    const { email, dataFields } = after as { email: string; dataFields: object };
    expect(JSON.parse(out)).toEqual({ userId: '00Q4H00000nabD0UAI', dataFields: { email, ...dataFields } });
  });
});

describe('a saved row', () => {
  mkdirSync(join(directory, 'mappings'));
  file(
    'mappings/Lead.yaml',
    "object: Lead\nwhen: Status != 'Old'\nfields:\n  Email: email\n  Owner.Name: dataFields.Owner\n",
  );
  const saved = (row: object) => ['--record', file('row.json', JSON.stringify(row)), '--object', 'Lead'];

  it('that is not sent prints no body and says why; the mapping files are those of MAPPINGS_DIR', async () => {
    const { code, out, err } = await preview(saved({ Email: 'a@example.com', Owner: null, Status: 'Old' }));
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toBe('The condition `when` of the mapping does not hold for the record.\n');
  });

  it('that cannot be mapped: exit code 1', async () => {
    file(
      'mappings/Lead.yaml',
      'object: Lead\nfields: { Email: email, X: dataFields.X }\ntype: { dataFields.X: long }\n',
    );
    const { code, err } = await preview(saved({ Email: 'a@example.com', X: 'many' }));
    expect(code).toBe(1);
    expect(err).toContain('Here: the value for dataFields.X is no long.');
    expect(err).not.toContain('many');
  });

  it('that lacks a field says which', async () => {
    file('mappings/Lead.yaml', 'object: Lead\nfields: { Email: email, Owner.Name: dataFields.Owner }\n');
    const { code, out, err } = await preview(saved({ Email: 'A@Example.com' }));
    expect({ code, body: JSON.parse(out) as unknown }).toEqual({
      code: 0,
      body: { email: 'a@example.com', dataFields: {} },
    });
    expect(err).toBe('The record does not have Owner.Name: left out of the body.\n');
  });

  it.each<[string, () => readonly string[], number, string]>([
    ['no object', () => ['--record', file('row.json', '{}')], 2, '--record needs --object.'],
    ['no file', () => ['--record', 'gone.json', '--object', 'Lead'], 2, '--record: gone.json cannot be read (ENOENT)'],
    ['no JSON', () => ['--record', file('bad.json', '{'), '--object', 'Lead'], 2, 'bad.json is no JSON'],
    [
      'several rows',
      () => ['--record', file('rows.json', '[{}]'), '--object', 'Lead'],
      2,
      'rows.json is not one record',
    ],
    [
      'an object that is not mapped',
      () => ['--record', file('row.json', '{}'), '--object', 'Account'],
      2,
      'Account is not mapped. Mapped: Lead.',
    ],
    ['no directory', () => [...saved({}), '--dir', 'nowhere'], 2, 'nowhere cannot be read (ENOENT)'],
    ['a record beside it', () => [...saved({}), 'a@example.com'], 2, '--record shows one saved row'],
    ['the files of the console', () => [...saved({}), '--deployed'], 2, '--deployed goes by the files of the console'],
  ])('refuses %s', async (_, args, expected, message) => {
    const { code, out, err } = await preview(args());
    expect({ code, out }).toEqual({ code: expected, out: '' });
    expect(err).toContain(message);
  });

  it('refuses files with mistakes: exit code 1', async () => {
    file('mappings/Lead.yaml', 'object: Lead\nfeilds: {}\n');
    const { code, err } = await preview(saved({}));
    expect(code).toBe(1);
    expect(err).toContain('Lead.yaml:2:1: unknown key "feilds"; did you mean "fields"?');
  });
});

describe('records of the org', () => {
  let sandbox: SandboxProcess;
  let close: () => Promise<unknown>;
  let environment: Record<string, string>;
  let id: string;

  beforeAll(async () => {
    sandbox = await startSandbox();
    id = await sandbox.createRecord('Lead', { LastName: 'Byron', Company: 'Poems', Email: 'byron@example.com' });
    const log = createEmbeddedLog({ dataDir: mkdtempSync(join(tmpdir(), 'preview-cli-log-')), partitions: 2 });
    await log.applyTopics(allTopics);
    const settings = loadSettings('console', consoleSettings, {
      ...sandbox.settings,
      CONSOLE_TOKEN: TOKEN,
      MAPPINGS_DIR: join(ROOT, 'mappings'),
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
    environment = { SYNC_URL: await service.app.getUrl(), CONSOLE_TOKEN: TOKEN };
    close = async () => {
      await service.close();
      await log.close();
      await sandbox.stop();
    };
    file('mappings/Lead.yaml', 'object: Lead\nfields: { Email: email, LastName: dataFields.Name.Last }\n');
  });
  afterAll(() => close());

  it('are shown by the files here, for a person', async () => {
    const { code, out, err } = await preview([id], environment);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(new RegExp(`^Lead ${id} by Lead\\.yaml \\(version [0-9a-f]+\\)\n`));
    expect(out).toContain(`FROM Lead WHERE Id IN ('${id}')`);
    expect(out).toContain(
      'Body (mergeNestedObjects: true, nested objects are merged)\n{\n  "email": "byron@example.com",\n  "dataFields": {\n    "Name": {\n      "Last": "Byron"\n    }\n  }\n}\n',
    );
    expect(out).toContain('Difference: all of it, there is no profile\n  dataFields.Name.Last  (nothing) -> "Byron"\n');
  });

  it('are shown by the files of the console, as JSON lines', async () => {
    const { code, out } = await preview(['--sample', '5', '--object', 'Lead', '--deployed', '--json'], environment);
    expect(code).toBe(0);
    const shown = out
      .trimEnd()
      .split('\n')
      .map((line) => recordPreview.parse(JSON.parse(line)));
    expect(shown).toMatchObject([{ recordId: id, body: { dataFields: { Company: { Name: 'Poems' } } } }]);
  });

  it.each([
    [['nobody@example.com'], 1, 'No Lead in Salesforce has this address.'],
    [['00Q5f000005bwLFEAY'], 1, 'Salesforce shows no Lead 00Q5f000005bwLFEAY'],
    [[], 2, 'Say which records'],
    [['x', '--sample', '2'], 2, 'Say which records'],
    [['00Qnonsense'], 2, '00Qnonsense is neither a record id'],
    [['--sample', '2'], 2, '--sample needs --object.'],
    [['--sample', '99', '--object', 'Lead'], 2, 'a whole number from 1 to 50'],
    [['a@example.com', '--object', 'Lead'], 2, '--object goes with --sample or --record'],
    [['a@example.com', '--dir', 'nowhere'], 2, 'nowhere cannot be read (ENOENT)'],
    [['a@example.com', '--dir', '.', '--deployed'], 2, '--deployed goes by the files of the console'],
  ])('%j is refused', async (args, expected, message) => {
    const { code, out, err } = await preview(args, environment);
    expect({ code, out }).toEqual({ code: expected, out: '' });
    expect(err).toContain(message);
  });

  it('files with mistakes are refused, line by line', async () => {
    mkdirSync(join(directory, 'broken'));
    file('broken/Lead.yaml', 'object: Lead\nfields: { Emial: email }\n');
    const { code, err } = await preview([id, '--dir', 'broken'], environment);
    expect(code).toBe(1);
    expect(err).toContain(
      'Lead.yaml:2:11: the integration user cannot see Lead.Emial: gone, misspelt or hidden by field-level security; did you mean "Email"?',
    );
  });
});
