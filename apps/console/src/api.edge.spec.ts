import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { allTopics, BACKFILL_TARGET, topics, type DeadLetter, type Outcome, type Status } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { loadSettings } from '@libs/config';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apiRoutes, type ApiRoute } from './api.routes.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';
import { errorAnswer, type ServiceHealth } from './core/answers.js';
import { CONTENT_SECURITY_POLICY } from './page.controller.js';

const TOKEN = 'a-token-for-the-test';
const LEAD = '00Q5f000005bwLFEAY';
const now = Date.now();

let log: EmbeddedLog;
let service: RunningService;
let url: string;
let announced = '';
let healthNow: ServiceHealth[] = [{ name: 'batcher', state: 'ready', checks: [] }];

const outcome = (offset: number, over: Partial<Outcome> = {}): Outcome => ({
  recordType: 'Lead',
  recordId: LEAD,
  offsets: [`0:${offset}`],
  jobIds: [],
  lane: 'realtime',
  kind: 'written',
  commitTimestamp: now - 4_000,
  time: now,
  ...over,
});
const status = (id: string, type: Status['type'], data: Status['data']): Status => ({
  id,
  type,
  data,
  time: now,
  by: 'backfill',
});
const letter: DeadLetter = {
  recordType: 'Lead',
  recordId: LEAD,
  offsets: ['0:9'],
  jobIds: [],
  stage: 'decode',
  code: 'event-log.invalid_message',
  message: 'not JSON',
  attempts: 1,
  firstTime: now,
  lastTime: now,
};

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${TOKEN}`, ...(init.headers as Record<string, string>) },
  });
const answerOf = async <R extends ApiRoute>(route: R, path: string = route.path) =>
  route.answer.parse(await (await ask(path)).json()) as Awaited<ReturnType<R['answer']['parse']>>;
const post = (body: unknown) =>
  ask('/api/backfills', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-api-'));
  log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const settings = loadSettings('console', consoleSettings, {
    DATA_DIR: dataDir,
    CONSOLE_TOKEN: TOKEN,
    HTTP_PORT: '0',
  });
  const spec = createConsoleService({ healthSource: async () => healthNow, announce: (text) => (announced += text) });
  const parts = {
    log,
    metrics: createMetrics(),
    health: new Health(['log']),
    logger: createLogger('console', 'silent'),
  };
  service = await startService(spec, settings, parts);
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
});
afterAll(async () => {
  await service.close();
  await log.close();
});

describe('the token', () => {
  it.each(Object.values(apiRoutes))('is needed by $method $path', async ({ method, path }) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: TOKEN }]) {
      const response = await fetch(`${url}${path}`, { method, headers });
      expect(response.status).toBe(401);
      const { error } = errorAnswer.parse(await response.json());
      expect(error.code).toBe('console.unauthorized');
      expect(error.message).toContain('Authorization: Bearer');
      expect(error.message).not.toContain(TOKEN);
    }
  });

  it('is needed by unknown routes too, and not by health and metrics', async () => {
    expect((await fetch(`${url}/api/nothing`)).status).toBe(401);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
  });

  it('is not told again when it was given', () => {
    expect(announced).toContain('CONSOLE_TOKEN');
    expect(announced).not.toContain(TOKEN);
  });
});

describe('the page', () => {
  it.each([
    ['/', 'text/html'],
    ['/assets/app.js', 'text/javascript'],
    ['/assets/app.css', 'text/css'],
    ['/assets/icon.svg', 'image/svg+xml'],
  ])('%s is served with a strict policy', async (path, type) => {
    const response = await fetch(`${url}${path}`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`);
    expect(response.headers.get('content-security-policy')).toBe(CONTENT_SECURITY_POLICY);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const text = await response.text();
    expect(text).not.toMatch(/(?:src|href)="(?:https?:)?\/\/|\sstyle="|\son[a-z]+="|url\(/);
  });

  it('asks for no file that is not there', async () => {
    const files = ['/', '/assets/app.js'];
    for (const file of files) {
      const text = await (await fetch(`${url}${file}`)).text();
      const named = text.matchAll(/(?:src|href)="(\/[^"]+)"|from '\.\/([^']+)'/g);
      for (const [, path, module] of named) {
        const response = await fetch(`${url}${path ?? `/assets/${module}`}`);
        expect([path ?? module, response.status]).toEqual([path ?? module, 200]);
      }
    }
  });

  it.each(['/assets/..%2fmain.ts', '/assets/api.controller.ts', '/assets/nothing.js'])(
    'serves no other file: %s',
    async (path) => {
      expect((await fetch(`${url}${path}`)).status).toBe(404);
    },
  );
});

describe('health and flow', () => {
  it('tell what the log says', async () => {
    await log.append(
      [1, 2].map(
        (n) =>
          ({
            topic: topics.changes,
            key: LEAD,
            partition: 0,
            value: {
              recordType: 'Lead',
              recordId: LEAD,
              changeType: 'UPDATE',
              source: 'cdc',
              lane: 'realtime',
              commitTimestamp: now - n,
            },
          }) as const,
      ),
    );
    await log.append(
      [outcome(0), outcome(0), outcome(7, { kind: 'skipped', reason: 'mapping.no_email' })].map((value) => ({
        topic: topics.outcomes,
        key: LEAD,
        value,
      })),
    );
    await vi.waitFor(async () => {
      const flow = await answerOf(apiRoutes.flow, '/api/flow?minutes=5');
      expect(flow.objects).toMatchObject([
        { object: 'Lead', total: { written: 1, skipped: 1 }, newestSynced: now - 4_000 },
      ]);
      expect(flow.minutes).toHaveLength(5);
    }, 10_000);
    await vi.waitFor(async () => {
      const { waiting, stages, headline } = await answerOf(apiRoutes.health);
      expect(waiting.changes).toBe(1);
      expect(stages.find(({ id }) => id === 'batcher')).toMatchObject({ state: 'ok', waiting: 2 });
      expect(headline).toMatchObject({
        level: 'ok',
        text: expect.stringMatching(/^In sync, newest change \d+ s old$/),
      });
    }, 10_000);
  });

  it('turn to attention when a service says so', async () => {
    healthNow = [
      {
        name: 'iterable-writer',
        state: 'not-ready',
        checks: [{ name: 'iterable', ok: false, detail: 'Iterable refuses the key' }],
      },
    ];
    await vi.waitFor(async () => {
      expect((await answerOf(apiRoutes.health)).headline).toEqual({
        level: 'attention',
        text: 'Attention: Iterable refuses the key',
      });
    }, 10_000);
    healthNow = [];
  });

  it.each(['0', '121', 'many'])('refuse minutes=%s', async (minutes) => {
    const response = await ask(`/api/flow?minutes=${minutes}`);
    expect(response.status).toBe(400);
    expect(errorAnswer.parse(await response.json()).error).toMatchObject({
      code: 'console.bad_request',
      message: expect.stringContaining('minutes: '),
    });
  });
});

describe('backfills', () => {
  async function commands() {
    const read = [];
    for await (const records of log.read(topics.commands, { untilEnd: true })) {
      for (const { key, value } of records) read.push({ key, decoded: decode(topics.commands, value) });
    }
    return read;
  }

  it('are started by a command, and told as they go on', async () => {
    const response = await post({ object: 'Lead', where: "Status = 'New'" });
    expect(response.status).toBe(202);
    const { id } = apiRoutes.startBackfill.answer.parse(await response.json());
    expect((await commands()).at(-1)).toEqual({
      key: BACKFILL_TARGET,
      decoded: {
        ok: true,
        value: { id, type: 'backfill.start', data: { object: 'Lead', where: "Status = 'New'" }, by: 'console' },
      },
    });
    await vi.waitFor(async () => {
      expect(await answerOf(apiRoutes.getBackfill, `/api/backfills/${id}`)).toMatchObject({
        state: 'sent',
        object: 'Lead',
        by: 'console',
      });
    }, 10_000);
    await log.append(
      [status(id, 'progress', { queried: 9, written: 4, total: 9, elapsedMs: 2_000 })].map((value) => ({
        topic: topics.status,
        key: id,
        value,
      })),
    );
    await vi.waitFor(async () => {
      expect((await answerOf(apiRoutes.listBackfills)).backfills[0]).toMatchObject({
        id,
        state: 'running',
        ratePerSecond: 2,
        etaMs: 2_500,
      });
    }, 10_000);
  });

  it('keep the id that was given, and take a list of ids that is larger than 100 kB', async () => {
    const response = await post({ id: 'mine', ids: Array.from({ length: 8_000 }, () => LEAD) });
    expect([response.status, await response.json()]).toEqual([202, { id: 'mine' }]);
    await vi.waitFor(async () => {
      expect(await answerOf(apiRoutes.getBackfill, '/api/backfills/mine')).toMatchObject({ idCount: 8_000 });
    }, 10_000);
  });

  it.each([
    [{}, 'give either object or ids'],
    [{ object: 'Lead', ids: [LEAD] }, 'give either object or ids'],
    [{ ids: ['00Q'] }, 'ids.0: not an 18-character Salesforce record id'],
    [{ ids: [LEAD], where: 'x' }, 'where needs object'],
    [{ object: 'Lead', since: 'yesterday' }, 'since: '],
    [
      { object: 'Lead', since: '2026-11-24T12:00:00Z', hole: { reason: 'silent', fromMs: 1 } },
      'Unrecognized key: "hole"',
    ],
    [{ object: 'Lead', speed: 9 }, 'Unrecognized key: "speed"'],
    [[], 'expected object'],
  ])('refuse %j, and send nothing', async (body, message) => {
    const before = (await commands()).length;
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(errorAnswer.parse(await response.json()).error).toMatchObject({
      code: 'console.bad_request',
      message: expect.stringContaining(message),
    });
    expect(await commands()).toHaveLength(before);
  });

  it('refuse what is no JSON or too large in the same form', async () => {
    const headers = { 'content-type': 'application/json' };
    for (const [body, code] of [
      ['{', 400],
      [JSON.stringify({ where: 'x'.repeat(1_100_000) }), 413],
    ] as const) {
      const response = await ask('/api/backfills', { method: 'POST', body, headers });
      expect(response.status).toBe(code);
      expect(errorAnswer.parse(await response.json()).error.code).toBe('console.bad_request');
    }
  });

  it('that are unknown are not found', async () => {
    const response = await ask('/api/backfills/nobody');
    expect(response.status).toBe(404);
    expect(errorAnswer.parse(await response.json()).error).toMatchObject({
      code: 'console.not_found',
      message: expect.stringContaining('nobody'),
    });
  });
});

it('dead letters are grouped and explained', async () => {
  await log.append([{ topic: topics.deadLetters, key: LEAD, value: letter }]);
  await vi.waitFor(async () => {
    expect(await answerOf(apiRoutes.listDeadLetters)).toMatchObject({
      total: 1,
      complete: true,
      groups: [{ code: letter.code, count: 1, remedy: expect.any(String), newest: [{ recordId: LEAD }] }],
    });
  }, 10_000);
});

describe('events', () => {
  /** Reads the stream until `enough`, then leaves. */
  async function collect(
    types: string,
    enough: (text: string) => boolean,
    meanwhile: () => Promise<unknown> = async () => undefined,
  ) {
    const leave = new AbortController();
    const response = await ask(`/api/events?types=${types}`, { signal: leave.signal });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    await meanwhile();
    let text = '';
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk as Uint8Array).toString();
      if (enough(text)) break;
    }
    leave.abort();
    return text
      .split('\n\n')
      .filter(Boolean)
      .map((block) => {
        const [, type = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        return { type: type as keyof typeof apiRoutes.events.events, data: JSON.parse(data) as unknown };
      });
  }

  it('give the overview at once and again', async () => {
    const events = await collect(
      'overview',
      (text) => text.split('event: overview').length > 2 && text.endsWith('\n\n'),
    );
    for (const { type, data } of events) expect(apiRoutes.events.events[type].parse(data)).toBeTruthy();
    expect(events.map(({ type }) => type)).toEqual(['overview', 'overview']);
  });

  it('give status and outcomes as they come, and say what was left out', async () => {
    const events = await collect(
      'status,outcomes',
      (text) => text.includes('omitted') && text.includes('event: status') && text.endsWith('\n\n'),
      () =>
        log.append([
          ...Array.from({ length: 250 }, (_, index) => ({
            topic: topics.outcomes,
            key: LEAD,
            partition: 1,
            value: outcome(100 + index),
          })),
          { topic: topics.status, key: 'j', value: status('j', 'accepted', {}) },
        ]),
    );
    const outcomes = events.flatMap(({ type, data }) =>
      type === 'outcomes' ? [apiRoutes.events.events.outcomes.parse(data)] : [],
    );
    expect(outcomes.reduce((sum, { items, omitted }) => sum + items.length + omitted, 0)).toBe(250);
    expect(outcomes[0]?.items).toHaveLength(200);
    expect(events.find(({ type }) => type === 'status')?.data).toMatchObject({ id: 'j', type: 'accepted' });
  });

  it('refuse an unknown type', async () => {
    expect((await ask('/api/events?types=gossip')).status).toBe(400);
  });
});

it('a route that is not described does not exist', async () => {
  const response = await ask('/api/mapping');
  expect(response.status).toBe(404);
  expect(errorAnswer.parse(await response.json()).error.message).toContain('GET /api/mapping.');
});
