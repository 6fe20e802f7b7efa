import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { loadSettings } from '@libs/config';
import { allTopics, BACKFILL_TARGET, topics, type Status } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { parseMappingFiles } from '@libs/mapping';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, versionsOf, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startSandbox, type SandboxProcess } from '../../../test/support/sandbox.js';
import { processContext, type Context } from './cli/context.js';
import { runCli } from './cli/program.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';
import { mappingPlanAnswer } from './core/plan-answers.js';

const TOKEN = 'a-token-for-the-test';
const LEAD = 'object: Lead\nfields:\n  Email: email\n';
const versions = versionsOf(parseMappingFiles([{ name: 'Lead.yaml', text: LEAD }]));
const now = Date.now();
let sandbox: SandboxProcess;
let leads: number;
let directory: string;

/** A console on a log of its own, with what it takes to ask it. */
async function openConsole(environment: Readonly<Record<string, string>>) {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-plan-'));
  const log: EmbeddedLog = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const settings = loadSettings('console', consoleSettings, {
    DATA_DIR: dataDir,
    CONSOLE_TOKEN: TOKEN,
    ...environment,
  });
  const service: RunningService = await startService(
    createConsoleService({ healthSource: async () => [], announce: () => undefined }),
    settings,
    { log, metrics: createMetrics(), health: new Health(['log']), logger: createLogger('console', 'silent') },
  );
  await service.app.listen(0, '127.0.0.1');
  const url = await service.app.getUrl();
  return {
    log,
    url,
    say: async (id: string, type: Status['type'], data: Status['data'], by: string, time = now) =>
      log.append([{ topic: topics.status, key: id, value: { id, type, data, time, by } }]),
    async ask(body: unknown) {
      const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
      return fetch(`${url}/api/mappings/plan`, { method: 'POST', body: JSON.stringify(body), headers });
    },
    async sync(args: readonly string[], own: Partial<Context> = {}) {
      const [out, notes] = [new PassThrough(), new PassThrough()];
      const context = processContext(new AbortController().signal, { SYNC_URL: url, CONSOLE_TOKEN: TOKEN });
      const code = await runCli(args, { ...context, confirm: undefined, out, notes, ...own });
      out.end();
      notes.end();
      return { code, out: await text(out), notes: await text(notes) };
    },
    async started(): Promise<unknown[]> {
      const data: unknown[] = [];
      for await (const records of log.read(topics.commands, { untilEnd: true, signal: new AbortController().signal })) {
        for (const { key, value } of records) {
          const decoded = decode(topics.commands, value);
          if (key === BACKFILL_TARGET && decoded.ok) data.push(decoded.value.data);
        }
      }
      return data;
    },
    async close() {
      await service.close();
      await log.close();
    },
  };
}
type OpenConsole = Awaited<ReturnType<typeof openConsole>>;

async function stateIs(console: OpenConsole, expected: Record<string, string>, body: unknown = {}): Promise<void> {
  await vi.waitFor(async () => {
    const { objects } = mappingPlanAnswer.parse(await (await console.ask(body)).json());
    expect(Object.fromEntries(objects.map(({ object, state }) => [object, state]))).toEqual(expected);
  }, 10_000);
}

beforeAll(async () => {
  sandbox = await startSandbox();
  leads = (await sandbox.query('SELECT Id FROM Lead')).length;
  directory = mkdtempSync(join(tmpdir(), 'plan-files-'));
  writeFileSync(join(directory, 'Lead.yaml'), LEAD);
}, 60_000);
afterAll(async () => {
  await sandbox.stop();
});

describe('sync mapping plan, against an org', () => {
  let console: OpenConsole;
  beforeAll(async () => {
    console = await openConsole(sandbox.settings);
  });
  afterAll(async () => {
    await console.close();
  });

  it('says so when the mapper has told nothing', async () => {
    expect(await console.sync(['mapping', 'plan'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('The mapper has not told which mappings are in force'),
    });
  });

  it('names what needs a backfill and its cost; asks on a terminal, and starts nothing on a no', async () => {
    await console.say('mapping', 'mapping-applied', { versions, changed: ['Lead'], cause: 'start' }, 'mapper');
    await stateIs(console, { Lead: 'needed' });
    const questions: string[] = [];
    const confirm = async (question: string) => questions.push(question) < 0;
    const { code, out } = await console.sync(['mapping', 'plan'], { confirm });
    expect(code).toBe(0);
    expect(out).toMatch(/^Lead {2}needs a backfill: this version is in force since .* and no backfill/);
    expect(out).toContain(`${leads} records: `);
    expect(out).toContain('To start: sync mapping plan --apply');
    expect(questions).toEqual(['Start 1 backfill (Lead)?']);
    expect(await console.started()).toEqual([]);
  });

  it('compares files that are to be shipped', async () => {
    expect((await console.sync(['mapping', 'plan', directory])).out).toContain('Lead  needs a backfill');
    const edited = join(directory, 'edited');
    mkdirSync(edited);
    writeFileSync(join(edited, 'Lead.yaml'), `${LEAD}  LastName: dataFields.Last\n`);
    const { out } = await console.sync(['mapping', 'plan', edited]);
    expect(out).toContain('Lead  not in force: the file here is not what is in force');
    expect(out).not.toContain('--apply');
    writeFileSync(join(edited, 'Lead.yaml'), 'object: Lead\nfeilds:\n');
    expect(await console.sync(['mapping', 'plan', edited])).toMatchObject({
      code: 1,
      notes: expect.stringContaining('Lead.yaml:2:1: unknown key "feilds"; did you mean "fields"?'),
    });
    expect(await console.sync(['mapping', 'plan', directory, '--apply'])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('ship the files first'),
    });
    expect(await console.sync(['mapping', 'plan', join(directory, 'gone')])).toMatchObject({
      code: 2,
      notes: expect.stringContaining('gone'),
    });
    expect(await console.started()).toEqual([]);
  });

  it('starts it with --apply, and then says that it is under way and done', async () => {
    const { code, out } = await console.sync(['mapping', 'plan', '--apply', '--json']);
    const { objects, started } = JSON.parse(out) as {
      objects: unknown;
      started: Array<{ object: string; id: string }>;
    };
    expect({ code, objects: mappingPlanAnswer.shape.objects.parse(objects) }).toMatchObject({
      code: 0,
      objects: [{ object: 'Lead', state: 'needed', cost: { records: leads } }],
    });
    expect(started).toEqual([{ object: 'Lead', id: expect.stringMatching(/^[\w-]{36}$/) }]);
    expect(await console.started()).toEqual([{ object: 'Lead' }]);
    const [{ id } = { id: '' }] = started;
    await console.say(id, 'accepted', { object: 'Lead', total: leads }, 'backfill', now + 1);
    await stateIs(console, { Lead: 'running' });
    await console.say(id, 'completed', {}, 'backfill', now + 2);
    await stateIs(console, { Lead: 'done' });
    expect((await console.sync(['mapping', 'plan', '--apply'])).out).toContain('Lead  up to date: backfilled');
    expect(await console.started()).toHaveLength(1);
  });

  it.each([[{ versions: { 'no object': 'a' } }], [{ versions: 7 }], [{ files: [] }]])('refuses %j', async (body) => {
    expect((await console.ask(body)).status).toBe(400);
  });
});

it('says what it cannot tell when the console does not know the org, or the org not the object', async () => {
  const alone = await openConsole({});
  const told = { versions: { Lead: 'a' }, changed: ['Lead'], cause: 'start' };
  try {
    await alone.say('mapping', 'mapping-applied', told, 'mapper');
    await stateIs(alone, { Lead: 'needed' });
    expect((await alone.sync(['mapping', 'plan'])).out).toContain(
      'What it costs cannot be told: The console does not know',
    );
  } finally {
    await alone.close();
  }
  const asked = await openConsole(sandbox.settings);
  try {
    const { objects } = mappingPlanAnswer.parse(await (await asked.ask({ versions: { Nothing__c: 'a' } })).json());
    expect(objects).toMatchObject([{ object: 'Nothing__c', state: 'not-in-force', costUnknown: expect.any(String) }]);
  } finally {
    await asked.close();
  }
});
