import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@libs/config';
import { allTopics, MAPPING_TARGET, topics, type Status } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { mappingVersion, parseMapping, type Mapping } from '@libs/mapping';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { apiRoutes, type ApiRoute } from './api.routes.js';
import { consoleSettings } from './console.config.js';
import { createConsoleService } from './console.module.js';

const TOKEN = 'a-token-for-the-test';
const LEAD_FILE = 'object: Lead\nfields:\n  Email: email\n  LastName: dataFields.Last\n';
const LEAD_VERSION = mappingVersion(parseMapping('Lead.yaml', LEAD_FILE) as Mapping);
const now = Date.now();
let log: EmbeddedLog;
let service: RunningService;
let url: string;

const ask = (path: string, init: RequestInit = {}) => {
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
  return fetch(`${url}${path}`, { ...init, headers });
};
const answerOf = async <R extends ApiRoute>(route: R) =>
  route.answer.parse(await (await ask(route.path)).json()) as Awaited<ReturnType<R['answer']['parse']>>;

beforeAll(async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'console-mappings-'));
  const mappingsDir = mkdtempSync(join(tmpdir(), 'console-files-'));
  writeFileSync(join(mappingsDir, 'Lead.yaml'), LEAD_FILE);
  log = createEmbeddedLog({ dataDir, partitions: 2 });
  await log.applyTopics(allTopics);
  const settings = loadSettings('console', consoleSettings, {
    DATA_DIR: dataDir,
    CONSOLE_TOKEN: TOKEN,
    MAPPINGS_DIR: mappingsDir,
  });
  const spec = createConsoleService({ healthSource: async () => [], announce: () => undefined });
  const logger = createLogger('console', 'silent');
  service = await startService(spec, settings, { log, metrics: createMetrics(), health: new Health(['log']), logger });
  await service.app.listen(0, '127.0.0.1');
  url = await service.app.getUrl();
});
afterAll(async () => {
  await service.close();
  await log.close();
});

describe('mappings', () => {
  const say = (id: string, type: Status['type'], data: Status['data']) =>
    log.append([{ topic: topics.status, key: id, value: { id, type, data, time: now, by: 'mapper' } }]);
  const versions = { Lead: 'a1' };
  const reload = (body: unknown) => ask('/api/mappings/reload', { method: 'POST', body: JSON.stringify(body) });
  /** Answers as the mapper would, each id once. */
  async function answerReloads(answer: (id: string) => Promise<unknown>, signal: AbortSignal): Promise<void> {
    for await (const records of log.read(topics.commands, { start: 'latest', signal })) {
      for (const { key, value } of records) {
        const decoded = decode(topics.commands, value);
        if (key === MAPPING_TARGET && decoded.ok && decoded.value.type === 'mapping.reload')
          await answer(decoded.value.id);
      }
    }
  }

  it('are shown as the mapper says, red while their files are refused', async () => {
    await say('mapping', 'mapping-applied', { versions, changed: ['Lead'], cause: 'start' });
    await say('mapping', 'mapping-refused', { versions, mistakes: ['Lead.yaml:2:1: no'], cause: 'edit' });
    await vi.waitFor(async () => {
      expect(await answerOf(apiRoutes.mappings)).toEqual({
        inForce: [
          {
            object: 'Lead',
            version: 'a1',
            since: now,
            backfill: { state: 'needed', reason: expect.stringContaining('no backfill of all records') },
          },
        ],
        refused: { mistakes: ['Lead.yaml:2:1: no'], since: now },
      });
    }, 10_000);
    await vi.waitFor(async () => {
      expect((await answerOf(apiRoutes.health)).headline).toEqual({
        level: 'attention',
        text: 'Attention: the mapping files are refused, the last good version stays in force: Lead.yaml:2:1: no',
      });
    }, 10_000);
    await say('mapping', 'mapping-applied', { versions, changed: [], cause: 'edit' });
    await vi.waitFor(async () => {
      expect((await answerOf(apiRoutes.mappings)).refused).toBeNull();
    }, 10_000);
  });

  it('are shown with their file while it has the version in force', async () => {
    await say('mapping', 'mapping-applied', { versions: { Lead: LEAD_VERSION }, changed: ['Lead'], cause: 'edit' });
    await vi.waitFor(async () => {
      expect((await answerOf(apiRoutes.mappings)).inForce).toMatchObject([
        { object: 'Lead', version: LEAD_VERSION, file: 'Lead.yaml', fields: 2 },
      ]);
    }, 10_000);
  });

  it('are reloaded by a command, whose answer is waited for; it is no backfill', async () => {
    const stop = new AbortController();
    const answered: string[] = [];
    const mapper = answerReloads(async (id) => {
      if (answered.includes(id)) return;
      answered.push(id);
      await say(id, 'completed', { versions, changed: ['Lead'] });
    }, stop.signal);
    try {
      const expected = { id: 'reload-1', state: 'completed', versions, changed: ['Lead'] };
      expect(await (await reload({ id: 'reload-1' })).json()).toEqual(expected);
      expect(await (await reload({ id: 'reload-1' })).json()).toEqual(expected);
      expect(await (await reload({})).json()).toMatchObject({ state: 'completed' });
      expect(answered).toHaveLength(2);
      const { backfills } = await answerOf(apiRoutes.listBackfills);
      expect(backfills.map(({ id }) => id)).not.toContain('reload-1');
    } finally {
      stop.abort();
      await mapper;
    }
  });

  it('says after 10 s that nobody answers', { timeout: 20_000 }, async () => {
    const response = await reload({ id: 'unheard' });
    expect([response.status, await response.json()]).toEqual([200, { id: 'unheard', state: 'sent' }]);
  });

  it.each([[{ object: 'Lead' }], [{ id: '' }]])('refuse %j', async (body) => {
    expect((await reload(body)).status).toBe(400);
  });
});
