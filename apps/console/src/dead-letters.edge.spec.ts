import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics, DEAD_LETTERS_TARGET, topics, type DeadLetter } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apiRoutes } from './api.routes.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';
import { errorAnswer } from './core/answers.js';

const TOKEN = 'a-token-for-the-test';
const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';
const NOON = Date.UTC(2026, 10, 24, 12);
let log: EmbeddedLog;
let service: RunningService;
let url: string;

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

const ask = (path: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return fetch(`${url}/api/dead-letters${path}`, { ...init, headers });
};
const post = (path: string, body: unknown) => ask(path, { method: 'POST', body: JSON.stringify(body) });
const list = async (query = '') => apiRoutes.listDeadLetters.answer.parse(await (await ask(query)).json());

async function commands() {
  const read = [];
  for await (const records of log.read(topics.commands, { untilEnd: true })) {
    for (const { key, value } of records) {
      const decoded = decode(topics.commands, value);
      if (decoded.ok) read.push({ key, ...decoded.value });
    }
  }
  return read;
}

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-letters-'));
  log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const letters = [
    letter(1),
    letter(2, { lastTime: NOON + 60_000 }),
    letter(3, { recordType: 'Contact', recordId: CONTACT, code: 'mapping.type_mismatch', stage: 'mapper' }),
  ];
  await log.append(letters.map((value) => ({ topic: topics.deadLetters, key: value.recordId ?? '', value })));
  const settings = loadSettings('console', consoleSettings, { DATA_DIR: dataDir, CONSOLE_TOKEN: TOKEN });
  const spec = createConsoleService({ healthSource: async () => [], announce: () => undefined });
  const logger = createLogger('console', 'silent');
  service = await startService(spec, settings, { log, metrics: createMetrics(), health: new Health(['log']), logger });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
  await vi.waitFor(async () => expect((await list()).total).toBe(3), 10_000);
});
afterAll(async () => {
  await service.close();
  await log.close();
});

describe('dead letters', () => {
  it('are grouped by code, with distinct records and references', async () => {
    expect(await list()).toMatchObject({
      total: 3,
      records: 2,
      complete: true,
      groups: [
        { code: 'iterable.invalid_email', count: 2, records: 1, remedy: expect.any(String) },
        { code: 'mapping.type_mismatch', newest: [{ recordId: CONTACT, stage: 'mapper', offsets: ['0:3'] }] },
      ],
    });
  });

  it.each([
    ['?code=mapping.type_mismatch', 1],
    ['?code=mapping.type_mismatch,iterable.invalid_email', 3],
    ['?object=Lead', 2],
    [`?id=${CONTACT}`, 1],
    ['?from=2026-11-24T12:00:30Z', 1],
    ['?to=2026-11-24T13:00:30%2B01:00', 2],
    ['?object=Lead&code=mapping.type_mismatch', 0],
  ])('are found by %s', async (query, total) => {
    expect((await list(query)).total).toBe(total);
  });

  it('come with as many references as are asked for', async () => {
    expect((await list('?limit=1')).groups[0]?.newest).toHaveLength(1);
  });

  it.each([
    ['?limit=0', 'limit: '],
    ['?limit=1001', 'limit: '],
    ['?code=', 'code.0: '],
    ['?object=Lead;', 'object.0: not the API name of an object'],
    ['?id=00Q', 'id.0: not an 18-character Salesforce record id'],
    ['?from=yesterday', 'from: '],
  ])('are not asked for by %s', async (query, message) => {
    const response = await ask(query);
    expect(response.status).toBe(400);
    expect(errorAnswer.parse(await response.json()).error).toMatchObject({
      code: 'console.bad_request',
      message: expect.stringContaining(message),
    });
  });
});

describe('a redrive', () => {
  it('is a command, answered with its id and what matches; then a job as a backfill is', async () => {
    const response = await post('/redrive', { codes: ['iterable.invalid_email'], to: '2026-11-24T12:00:30Z' });
    expect(response.status).toBe(202);
    const { id, matching } = apiRoutes.redriveDeadLetters.answer.parse(await response.json());
    expect(matching).toEqual({ letters: 1, records: 1, complete: true });
    expect((await commands()).at(-1)).toEqual({
      key: DEAD_LETTERS_TARGET,
      id,
      type: 'dead-letters.redrive',
      data: { codes: ['iterable.invalid_email'], to: '2026-11-24T12:00:30Z' },
      by: 'console',
    });
    await vi.waitFor(async () => {
      const answer = await fetch(`${url}/api/backfills/${id}`, { headers: { authorization: `Bearer ${TOKEN}` } });
      expect(apiRoutes.getBackfill.answer.parse(await answer.json())).toMatchObject({
        state: 'sent',
        redrive: { codes: ['iterable.invalid_email'], to: '2026-11-24T12:00:30Z' },
      });
    }, 10_000);
  });

  it('keeps the id that was given, and takes many records', async () => {
    const response = await post('/redrive', { id: 'mine', ids: Array.from({ length: 20_000 }, () => LEAD) });
    expect([response.status, await response.json()]).toEqual([
      202,
      { id: 'mine', matching: { letters: 2, records: 1, complete: true } },
    ]);
  });

  it.each([
    ['redrive', {}, 'say which: codes, objects, ids, from or to'],
    ['redrive', { id: 'only an id' }, 'say which: codes, objects, ids, from or to'],
    ['redrive', { codes: [] }, 'codes: '],
    ['redrive', { ids: ['00Q'] }, 'ids.0: not an 18-character Salesforce record id'],
    ['redrive', { from: '2026-11-24T12:00:00Z', to: '2026-11-24T12:00:00Z' }, 'from must be before to'],
    ['redrive', { codes: ['x'], everything: true }, 'Unrecognized key: "everything"'],
    ['continue', { minutes: 0 }, 'minutes: '],
    ['continue', { minutes: 1_441 }, 'minutes: '],
    ['continue', { for: 'ever' }, 'Unrecognized key: "for"'],
  ])('%s %j is refused, and nothing is sent', async (verb, body, message) => {
    const before = (await commands()).length;
    const response = await post(`/${verb}`, body);
    expect(response.status).toBe(400);
    expect(errorAnswer.parse(await response.json()).error.message).toContain(message);
    expect(await commands()).toHaveLength(before);
  });
});

describe('to go on after a safety stop', () => {
  it.each([
    [{ minutes: 30, id: 'c1' }, 30],
    [{ id: 'c2' }, 10],
  ])('is a command: %j', async (body, minutes) => {
    const response = await post('/continue', body);
    expect([response.status, await response.json()]).toEqual([202, { id: body.id, minutes }]);
    expect((await commands()).at(-1)).toEqual({
      key: DEAD_LETTERS_TARGET,
      id: body.id,
      type: 'dead-letters.continue',
      data: { minutes },
      by: 'console',
    });
  });
});
