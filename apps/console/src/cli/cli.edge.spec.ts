import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics, topics, type Status } from '@libs/contracts';
import { createEmbeddedLog, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { consoleSettings } from '../console.config.js';
import { createConsoleService } from '../console.module.js';
import { accountingAnswer } from '../core/accounting-answers.js';
import {
  backfillsAnswer,
  deadLettersAnswer,
  flowAnswer,
  healthAnswer,
  job,
  mappingAnswer,
  type ServiceHealth,
} from '../core/answers.js';
import { ensureToken } from '../token.js';

const ENTRY = resolve(import.meta.dirname, '../../../../dist/apps/console/src/cli/main.js');
const LEAD = '00Q5f000005bwLFEAY';

let log: EmbeddedLog;
let service: RunningService;
let url: string;
let dataDir: string;
let services: ServiceHealth[] = [];

/** `sync` as a process of its own, as a user starts it. */
function sync(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { PATH: process.env['PATH'], SYNC_URL: url, DATA_DIR: dataDir, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, ...printed }));
  return { child, printed, ended };
}
const run = async (args: readonly string[], environment?: Readonly<Record<string, string>>) =>
  sync(args, environment).ended;

const say = async (id: string, type: Status['type'], data: Status['data'] = {}, by = 'backfill') =>
  log.append([{ topic: topics.status, key: id, value: { id, type, data, time: Date.now(), by } }]);
const counts = {
  queried: 9,
  enqueued: 9,
  written: 7,
  superseded: 0,
  filtered: 0,
  skipped: 1,
  expanded: 0,
  dead: 1,
  total: 9,
  reasons: {},
  elapsedMs: 3_000,
};

/** Answers commands as the backfill service would: by what object they name. */
async function answerCommands(signal: AbortSignal): Promise<void> {
  for await (const records of log.read(topics.commands, { signal })) {
    for (const { value } of records) {
      const { id, type, data } = topics.commands.schema.parse(JSON.parse(value ?? ''));
      const versions = { Lead: 'a1' };
      if (type === 'mapping.reload' && id === 'good')
        await say(id, 'completed', { versions, changed: ['Lead'] }, 'mapper');
      if (type === 'mapping.reload' && id === 'broken') {
        await say(id, 'rejected', { reason: 'refused', mistakes: ['Lead.yaml:2:1: no'], versions }, 'mapper');
      }
      if (data['object'] === 'Opportunity') await say(id, 'rejected', { reason: 'Opportunity has no mapping file' });
      if (data['object'] === 'Lead') {
        await say(id, 'accepted', { total: 9 });
        await say(id, 'completed', { ...counts, summary: 'completed, 7 written, 1 skipped, 1 dead' });
      }
      if (data['object'] === 'Contact') await say(id, 'progress', { ...counts, written: 2, skipped: 0, dead: 0 });
    }
  }
}

const stop = new AbortController();
beforeAll(async () => {
  if (!existsSync(ENTRY)) throw new Error(`${ENTRY} is not there: npm run build`);
  dataDir = mkdtempSync(join(tmpdir(), 'console-cli-'));
  log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const settings = loadSettings('console', consoleSettings, { DATA_DIR: dataDir });
  const spec = createConsoleService({ healthSource: async () => services, announce: () => undefined });
  service = await startService(spec, settings, {
    log,
    metrics: createMetrics(),
    health: new Health(['log']),
    logger: createLogger('console', 'silent'),
  });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
  void answerCommands(stop.signal);
});
afterAll(async () => {
  stop.abort();
  await service.close();
  await log.close();
});

describe('sync status', () => {
  it('prints the headline first, with the token of the data directory', async () => {
    const { code, out, err } = await run(['status']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out.split('\n')[0]).toBe('Ready, no change synced yet');
    expect(out).toContain('Batcher');
  });

  it('prints JSON of a known shape', async () => {
    const { code, out } = await run(['status', '--json']);
    expect(code).toBe(0);
    const view = z.object({
      health: healthAnswer,
      flow: flowAnswer,
      backfills: z.array(job),
      deadLetters: deadLettersAnswer,
    });
    expect(view.parse(JSON.parse(out)).health.headline.level).toBe('ok');
  });

  it('exits with 1 when something needs attention', async () => {
    services = [{ name: 'mapper', state: 'unreachable', checks: [] }];
    await vi.waitFor(async () => {
      const { code, out } = await run(['status']);
      expect([code, out.split('\n')[0]]).toEqual([1, 'Attention: mapper does not answer']);
    }, 20_000);
    services = [];
  });
});

describe('sync backfill', () => {
  it('starts one and follows it to its end', async () => {
    const { code, out, err } = await run([
      'backfill',
      'start',
      '--object',
      'Lead',
      '--where',
      "Status = 'New'",
      '--watch',
    ]);
    expect(code).toBe(0);
    expect(err).toContain("Watching Lead where Status = 'New'");
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      "Lead where Status = 'New': completed, 7 written, 1 skipped, 1 dead in 3.0 s (3.0/s)",
    );
  });

  it('follows as JSON lines, the last of which is the end', async () => {
    const { code, out } = await run(['backfill', 'start', '--object', 'Lead', '--id', 'json-1', '--watch', '--json']);
    expect(code).toBe(0);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => job.parse(JSON.parse(line)));
    expect(lines.at(-1)).toMatchObject({ id: 'json-1', state: 'completed', progress: { written: 7 } });
  });

  it('without --watch says whether it was accepted', async () => {
    const { code, out } = await run(['backfill', 'start', '--object', 'Lead', '--id', 'quick-1']);
    expect(code).toBe(0);
    expect(out).toMatch(/^Started Lead: .*sync backfill watch quick-1\n$/);
  });

  it.each([[['--watch']], [[]], [['--json']]])('exits with 1 when it is rejected (%j)', async (more) => {
    const { code, out } = await run(['backfill', 'start', '--object', 'Opportunity', ...more]);
    expect(code).toBe(1);
    expect(out).toContain('Opportunity has no mapping file');
  });

  it('at Ctrl-C only stops watching', async () => {
    const { child, printed, ended } = sync(['backfill', 'start', '--object', 'Contact', '--id', 'slow-1', '--watch']);
    await vi.waitFor(() => expect(printed.out).toContain('running: 2 of 9'), 20_000);
    child.kill('SIGINT');
    const { code, err } = await ended;
    expect(code).toBe(0);
    expect(err).toContain('the backfill goes on. Watch it again: sync backfill watch slow-1');
    const again = run(['backfill', 'watch', 'slow-1']);
    await say('slow-1', 'failed', { ...counts, reason: 'Salesforce refuses the user' });
    expect(await again).toMatchObject({
      code: 1,
      out: expect.stringContaining('Contact: failed, Salesforce refuses the user'),
    });
  });

  it('lists them, also as JSON', async () => {
    expect((await run(['backfill', 'list'])).out).toMatch(/^slow-1 +failed +Contact/m);
    const { backfills } = backfillsAnswer.parse(JSON.parse((await run(['backfill', 'list', '--json'])).out));
    expect(backfills.map(({ id }) => id)).toContain('json-1');
  });

  it.each([
    [['backfill', 'start'], 'Give either --object or --ids.'],
    [['backfill', 'start', '--object', 'Lead', '--ids', LEAD], 'Give either --object or --ids.'],
    [['backfill', 'start', '--ids', LEAD, '--where', 'x'], '--where needs --object.'],
    [['backfill', 'start', '--ids', 'nonsense'], 'no record id: nonsense'],
    [['backfill', 'start', '--object', 'Lead; DROP'], 'object: not the API name of an object'],
    [['backfill', 'start', '--objct', 'Lead'], "unknown option '--objct'"],
    [['backfill', 'watch'], "missing required argument 'id'"],
    [['backfil'], "unknown command 'backfil'"],
    [['tail', '--topic', 'gossip'], 'Allowed choices are status, outcomes'],
  ])('%j is bad usage: exit code 2', async (args, message) => {
    const { code, out, err } = await run(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });
});

describe('sync mapping reload', () => {
  it('says what is in force now', async () => {
    const { code, out } = await run(['mapping', 'reload', '--id', 'good']);
    expect(code).toBe(0);
    expect(out).toBe(
      'Applied: Lead. In force:\n  Lead a1\nProfiles of before stay as they are until a change or a backfill.\n',
    );
  });

  it('exits with 1 when the files are refused, and names every mistake', async () => {
    const { code, out } = await run(['mapping', 'reload', '--id', 'broken']);
    expect(code).toBe(1);
    expect(out).toBe('Refused, 1 mistake:\n  Lead.yaml:2:1: no\nStill in force:\n  Lead a1\n');
    const { out: json } = await run(['mapping', 'reload', '--id', 'broken', '--json']);
    expect(mappingAnswer.parse(JSON.parse(json))).toMatchObject({ state: 'rejected', mistakes: ['Lead.yaml:2:1: no'] });
  });
});

describe('sync tail', () => {
  it('prints what comes, until Ctrl-C', async () => {
    const { child, printed, ended } = sync(['tail', '--json']);
    await vi.waitFor(async () => {
      await say('tail-1', 'progress', { written: 1 });
      expect(printed.out).toContain('tail-1');
    }, 20_000);
    child.kill('SIGINT');
    const { code, out } = await ended;
    expect(code).toBe(0);
    for (const line of out.trimEnd().split('\n')) {
      expect(JSON.parse(line)).toMatchObject({ topic: 'status', id: 'tail-1', type: 'progress', data: { written: 1 } });
    }
  });
});

describe('what is not there', () => {
  let stranger: Server;
  let strangerUrl: string;
  beforeAll(async () => {
    stranger = createServer((_, response) => response.writeHead(404).end('<html>')).listen(0, '127.0.0.1');
    await once(stranger, 'listening');
    strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  });
  afterAll(() => stranger.close());

  it('a console that is not running: exit code 3', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve_) => gone.close(resolve_));
    for (const args of [['status'], ['tail'], ['backfill', 'watch', 'x'], ['backfill', 'start', '--object', 'Lead']]) {
      const { code, err } = await run(args, { SYNC_URL: `http://127.0.0.1:${port}` });
      expect([args, code]).toEqual([args, 3]);
      expect(err).toBe(
        `sync: The console at http://127.0.0.1:${port} does not answer (ECONNREFUSED): start it (npm start), or set SYNC_URL to where it runs.\n`,
      );
    }
  });

  it('something else at the address: exit code 3', async () => {
    expect(await run(['status', '--url', strangerUrl])).toMatchObject({
      code: 3,
      err: expect.stringContaining('is not a console (it answered 404)'),
    });
  });

  it('a wrong token, none, a bad setting: exit code 2', async () => {
    expect(await run(['status'], { CONSOLE_TOKEN: 'a-wrong-token-of-someone' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('refuses the token'),
    });
    expect(await run(['status'], { DATA_DIR: '/nowhere' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('No token: set CONSOLE_TOKEN'),
    });
    expect(await run(['status'], { SYNC_URL: 'not a url' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('SYNC_URL: '),
    });
    expect(ensureToken({ DATA_DIR: dataDir }).source).toBe('file');
  });

  it('an unknown backfill: exit code 1', async () => {
    expect(await run(['backfill', 'watch', 'nobody'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('knows no backfill nobody'),
    });
  });
});

describe('sync topics apply', () => {
  it('has nothing to do on the embedded log', async () => {
    expect(await run(['topics', 'apply'])).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('makes its topics by itself at start'),
    });
    expect(JSON.parse((await run(['topics', 'apply', '--json'])).out)).toEqual({ topics: [] });
  });

  it('makes them on Kafka, once, and refuses other partitions than exist', async () => {
    const kafka = {
      KAFKA_BROKERS: inject('kafkaBrokers'),
      KAFKA_TOPIC_PREFIX: `cli-${Date.now()}.`,
      KAFKA_PARTITIONS: '2',
    };
    const results = async () =>
      z
        .object({ topics: z.array(z.object({ topic: z.string(), result: z.string() })) })
        .parse(JSON.parse((await run(['topics', 'apply', '--json'], kafka)).out)).topics;
    expect(await results()).toEqual(allTopics.map(({ name }) => ({ topic: name, result: 'created' })));
    expect(await results()).toEqual(allTopics.map(({ name }) => ({ topic: name, result: 'unchanged' })));
    expect((await run(['topics', 'apply'], kafka)).out).toMatch(/^salesforce\.changes\.v1 +unchanged\n/);
    expect(await run(['topics', 'apply'], { ...kafka, KAFKA_PARTITIONS: '3' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('partitions'),
    });
  });

  it('says that no broker answers: exit code 3', async () => {
    const { code, err } = await run(['topics', 'apply'], { KAFKA_BROKERS: '127.0.0.1:1' });
    expect(code).toBe(3);
    expect(err).toContain('The brokers at 127.0.0.1:1 do not answer');
  });

  it('refuses bad settings', async () => {
    expect(await run(['topics', 'apply'], { KAFKA_BROKERS: 'nonsense' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('KAFKA_BROKERS: must be host:port'),
    });
  });
});

it('accounting says that every change is accounted for, also as JSON', async () => {
  await vi.waitFor(async () => {
    const { code, out } = await run(['accounting']);
    expect([code, out.split('\n')[0]]).toEqual([0, expect.stringMatching(/^Accounted for: every change since \d{4}-/)]);
  }, 10_000);
  const { code, out } = await run(['accounting', '--json']);
  expect(code).toBe(0);
  expect(accountingAnswer.parse(JSON.parse(out))).toMatchObject({ gap: 0, confirmed: false, gaps: [] });
});

it('help exits with 0 and tells the exit codes', async () => {
  const { code, out } = await run(['--help']);
  expect(code).toBe(0);
  expect(out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 .*\n {2}3 /);
});
