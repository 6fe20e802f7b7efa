import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { allTopics, toRecordId, topics, type Status } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { startService } from '@libs/service';
import { backfillSettings } from './backfill.config.js';
import { backfillService } from './backfill.module.js';

const CONTACT = toRecordId('003000000000001') as string;
const open: Array<() => unknown> = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

async function answersOf(log: EmbeddedLog): Promise<Array<[string, Status['type']]>> {
  const found: Array<[string, Status['type']]> = [];
  for await (const records of log.read(topics.status, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.status, value);
      if (decoded.ok && decoded.value.type !== 'progress') found.push([decoded.value.id, decoded.value.type]);
    }
  }
  return found;
}

describe('the backfill service on a log', () => {
  it('goes by the mapping files as they are now, and leaves the commands of others to them', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'backfill-'));
    const write = (object: string) =>
      writeFileSync(join(directory, `${object}.yaml`), `object: ${object}\nfields:\n  Email: email\n`);
    write('Lead');
    const log = createEmbeddedLog({ dataDir: ':memory:', partitions: 2 });
    open.push(() => rmSync(directory, { recursive: true, force: true }));
    open.push(() => log.close());
    await log.applyTopics(allTopics);
    const settings = backfillSettings.parse({
      MAPPINGS_DIR: directory,
      SALESFORCE_LOGIN_URL: 'http://127.0.0.1:9',
      SALESFORCE_CLIENT_ID: 'unused',
      SALESFORCE_CLIENT_SECRET: 'unused',
    });
    const health = new Health();
    const logger = createLogger('backfill', 'silent');
    const service = await startService(backfillService, settings, { log, metrics: createMetrics(), health, logger });
    open.push(() => service.close());
    const send = async (id: string, type: string, data: Record<string, unknown> = {}) =>
      log.append([{ topic: topics.commands, key: 'x', value: { id, type, data } }]);
    const said = (expected: Array<[string, string]>) =>
      vi.waitFor(async () => expect(await answersOf(log)).toEqual(expected), { timeout: 20_000, interval: 20 });

    await send('reload', 'mapping.reload');
    await send('nobody', 'nobody.knows');
    await send('stop', 'dead-letters.continue', { minutes: 5 });
    await send('all', 'dead-letters.redrive');
    await send('before', 'backfill.start', { ids: [CONTACT] });
    await said([
      ['nobody', 'rejected'],
      ['stop', 'accepted'],
      ['all', 'rejected'],
      ['before', 'rejected'],
    ]);
    write('Contact');
    await vi.waitFor(() => expect(JSON.stringify(health.report())).toContain('Contact'), { timeout: 20_000 });
    await send('after', 'backfill.start', { ids: [CONTACT] });
    await said([
      ['nobody', 'rejected'],
      ['stop', 'accepted'],
      ['all', 'rejected'],
      ['before', 'rejected'],
      ['after', 'accepted'],
    ]);
  });
});
