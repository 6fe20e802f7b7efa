import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics, topics, type Command, type DeadLetter, type Status } from '@libs/contracts';
import { createEmbeddedLog, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { consoleSettings } from '../console.config.js';
import { createConsoleService } from '../console.module.js';
import { continueAccepted, deadLettersAnswer, job, type ServiceHealth } from '../core/answers.js';
import { SAFETY_STOP_CHECK } from '../core/safety-stop.js';

const ENTRY = resolve(import.meta.dirname, '../../../../dist/apps/console/src/cli/main.js');
const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const NOON = Date.UTC(2026, 10, 24, 12);

let log: EmbeddedLog;
let service: RunningService;
let url: string;
let dataDir: string;
let services: ServiceHealth[] = [];

/** `sync dead-letters` as a process of its own. */
async function run(...args: readonly string[]) {
  const child = spawn(process.execPath, [ENTRY, 'dead-letters', ...args], {
    env: { PATH: process.env['PATH'], SYNC_URL: url, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (printed.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...printed };
}

const say = async (id: string, type: Status['type'], data: Status['data'] = {}) =>
  log.append([{ topic: topics.status, key: id, value: { id, type, data, time: Date.now(), by: 'backfill' } }]);
const progress = {
  queried: 2,
  enqueued: 2,
  written: 1,
  superseded: 0,
  filtered: 0,
  skipped: 0,
  expanded: 0,
  dead: 1,
  total: 2,
  reasons: {},
  elapsedMs: 2_000,
};

/** Every command up to now. */
async function sent(): Promise<Command[]> {
  const found: Command[] = [];
  for await (const records of log.read(topics.commands, { untilEnd: true })) {
    for (const { value } of records) found.push(topics.commands.schema.parse(JSON.parse(value ?? '')));
  }
  return found;
}

/** Answers as the backfill service would. */
async function answerCommands(signal: AbortSignal): Promise<void> {
  for await (const records of log.read(topics.commands, { signal })) {
    for (const { value } of records) {
      const { id, type } = topics.commands.schema.parse(JSON.parse(value ?? ''));
      if (type !== 'dead-letters.redrive') continue;
      if (id === 'refused') await say(id, 'rejected', { command: type, reason: 'data: more than 2,000,000 records' });
      else {
        await say(id, 'accepted', { redrive: { letters: 2, noRecord: 0 }, total: 2 });
        await say(id, 'completed', { ...progress, summary: 'completed, 1 written, 0 skipped, 1 dead' });
      }
    }
  }
}

const letter = (n: number, over: Partial<DeadLetter> = {}): DeadLetter => ({
  recordType: 'Lead',
  recordId: LEAD,
  offsets: [`0:${n}`],
  jobIds: [],
  lane: 'realtime',
  stage: 'writer',
  code: 'iterable.invalid_email',
  message: 'no address',
  attempts: 1,
  firstTime: NOON,
  lastTime: NOON,
  ...over,
});

const stop = new AbortController();
beforeAll(async () => {
  if (!existsSync(ENTRY)) throw new Error(`${ENTRY} is not there: npm run build`);
  dataDir = mkdtempSync(join(tmpdir(), 'letters-cli-'));
  log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const letters = [
    letter(1),
    letter(2, { recordType: 'Contact', recordId: CONTACT }),
    letter(3, { recordType: 'Contact', recordId: CONTACT, code: 'mapping.type_mismatch', lastTime: NOON + 1_000 }),
  ];
  await log.append(letters.map((value) => ({ topic: topics.deadLetters, key: value.recordId ?? '', value })));
  const settings = loadSettings('console', consoleSettings, { DATA_DIR: dataDir });
  const spec = createConsoleService({ healthSource: async () => services, announce: () => undefined });
  const logger = createLogger('console', 'silent');
  service = await startService(spec, settings, { log, metrics: createMetrics(), health: new Health(['log']), logger });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
  void answerCommands(stop.signal);
  await vi.waitFor(async () => expect((await run('list')).out).toContain('mapping.type_mismatch'), 20_000);
});
afterAll(async () => {
  stop.abort();
  await service.close();
  await log.close();
});

describe('sync dead-letters list', () => {
  it('tells what there is by code, and what to do', async () => {
    const { code, out, err } = await run('list');
    expect(code).toBe(0);
    expect(out).toMatch(/^mapping\.type_mismatch: 1 dead letter of 1 record, the newest .* ago\n {2}A value of /);
    expect(out).toContain('\niterable.invalid_email: 2 dead letters of 2 records');
    expect(err).toBe('See them: sync dead-letters show <code>\n');
  });

  it.each([
    [['--code', 'iterable.invalid_email'], 2],
    [['--code', 'iterable.invalid_email', 'mapping.type_mismatch'], 3],
    [['--code', 'iterable.invalid_email', '--code', 'mapping.type_mismatch'], 3],
    [['--object', 'Contact'], 2],
    [['--since', '2026-11-24T12:00:01Z'], 1],
    [['--until', '2026-11-24T12:00:01Z', '--object', 'Lead'], 1],
    [['--object', 'Invoice__c'], 0],
  ])('%j as JSON of a known shape', async (filters, total) => {
    const { code, out } = await run('list', ...filters, '--json');
    expect([code, deadLettersAnswer.parse(JSON.parse(out)).total]).toEqual([0, total]);
  });

  it('says that there is none', async () => {
    expect(await run('list', '--object', 'Invoice__c')).toEqual({ code: 0, out: 'No dead letter.\n', err: '' });
  });
});

describe('sync dead-letters show', () => {
  it('shows those of a record, also by its id of 15 characters', async () => {
    const { code, out } = await run('show', CONTACT.slice(0, 15));
    expect(code).toBe(0);
    expect(out.split('\n').filter((line) => line.includes(CONTACT))).toEqual([
      `  2026-11-24T12:00:01.000Z Contact ${CONTACT} (writer, realtime): no address [changes 0:3]`,
      `  2026-11-24T12:00:00.000Z Contact ${CONTACT} (writer, realtime): no address [changes 0:2]`,
    ]);
    expect(out).not.toContain(LEAD);
  });

  it('shows those of a code, as many as are asked for', async () => {
    const { out } = await run('show', 'iterable.invalid_email', '--limit', '1');
    expect(out).toContain('iterable.invalid_email: 2 dead letters of 2 records\n');
    expect(out).toContain('  … 1 older ones\n');
  });

  it('of nothing: exit code 1', async () => {
    expect(await run('show', 'iterable.forgotten')).toEqual({
      code: 1,
      out: '',
      err: 'sync: There is no dead letter of iterable.forgotten. See sync dead-letters list.\n',
    });
  });
});

describe('sync dead-letters redrive', () => {
  it('says what matches, and follows it to its end', async () => {
    const { code, out, err } = await run('redrive', '--code', 'iterable.invalid_email', '--watch');
    expect(code).toBe(0);
    expect(err).toContain('2 dead letters of 2 records match\nWatching redrive iterable.invalid_email (');
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      'redrive iterable.invalid_email: completed, 1 written, 0 skipped, 1 dead in 2.0 s (1.0/s)',
    );
    expect((await sent()).at(-1)).toMatchObject({
      type: 'dead-letters.redrive',
      data: { codes: ['iterable.invalid_email'] },
    });
  });

  it('sends every filter, and the id that is given', async () => {
    const file = join(dataDir, 'ids.txt');
    writeFileSync(file, `${CONTACT}\n`);
    const records = ['--object', 'Lead', 'Contact', '--id', LEAD.slice(0, 15), `@${file}`];
    const span = ['--since', '2026-11-24T12:00:00Z', '--until', '2026-11-24T13:00:00Z'];
    const { code, out } = await run('redrive', ...records, ...span, '--command-id', 'mine', '--json');
    expect([code, job.parse(JSON.parse(out)).id]).toEqual([0, 'mine']);
    expect((await sent()).at(-1)).toEqual({
      id: 'mine',
      type: 'dead-letters.redrive',
      by: 'console',
      data: {
        objects: ['Lead', 'Contact'],
        ids: [LEAD, CONTACT],
        from: '2026-11-24T12:00:00Z',
        to: '2026-11-24T13:00:00Z',
      },
    });
  });

  it.each([[['--watch']], [[]]])('exits with 1 when it is rejected (%j)', async (more) => {
    const { code, out } = await run('redrive', '--object', 'Lead', '--command-id', 'refused', ...more);
    expect(code).toBe(1);
    expect(out).toContain('redrive of Lead: rejected, data: more than 2,000,000 records');
  });

  it.each([
    [['redrive'], 'Say which dead letters: --code, --object, --id, --since or --until.'],
    [['redrive', '--watch', '--json'], 'Say which dead letters'],
    [['redrive', '--id', 'nonsense'], '--id: no record id: nonsense'],
    [['redrive', '--since', 'yesterday'], 'from: Invalid ISO datetime'],
    [['redrive', '--since', '2026-11-24T12:00:00Z', '--until', '2026-11-24T11:00:00Z'], 'from must be before to'],
    [['list', '--object', 'Lead;'], 'object.0: not the API name of an object'],
    [['show'], "missing required argument 'what'"],
    [['show', 'x', '--limit', '0'], 'It is a whole number from 1 to 1000.'],
    [['continue', '--minutes', 'ten'], 'It is a whole number from 1 to 1440.'],
    [['redirve'], "unknown command 'redirve'"],
  ])('%j is bad usage: exit code 2, and nothing is sent', async (args, message) => {
    const before = (await sent()).length;
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
    expect(await sent()).toHaveLength(before);
  });
});

describe('sync dead-letters continue', () => {
  it('lets go on who is stopped', async () => {
    services = [
      {
        name: 'mapper',
        state: 'not-ready',
        checks: [{ name: SAFETY_STOP_CHECK, ok: false, detail: 'the backfill lane is not read' }],
      },
    ];
    await vi.waitFor(async () => {
      expect(await run('continue', '--minutes', '30')).toEqual({
        code: 0,
        out: 'Sent to mapper: for 30 minutes no safety stop holds anything back. See sync status.\n',
        err: '',
      });
    }, 20_000);
    expect((await sent()).at(-1)).toMatchObject({ type: 'dead-letters.continue', data: { minutes: 30 } });
    services = [];
  });

  it('says so when nobody is', async () => {
    await vi.waitFor(async () => {
      const { code, out, err } = await run('continue', '--json');
      expect([code, continueAccepted.parse(JSON.parse(out)).minutes]).toEqual([0, 10]);
      expect(err).toBe('No safety stop holds now, as far as the console knows.\n');
    }, 20_000);
  });
});
