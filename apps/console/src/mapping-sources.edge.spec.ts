import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings } from '@libs/config';
import { createLogger, createMetrics } from '@libs/observability';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSandbox, type SandboxProcess } from '../../../test/support/sandbox.js';
import { consoleSettings } from './console.config.js';
import { createMappingSources, NotConfiguredError } from './mapping-sources.js';

let sandbox: SandboxProcess;
const sourcesWith = (environment: Readonly<Record<string, string>>) =>
  createMappingSources(loadSettings('console', consoleSettings, environment), {
    metrics: createMetrics(),
    logger: createLogger('console', 'silent'),
  });

beforeAll(async () => {
  sandbox = await startSandbox();
}, 60_000);
afterAll(async () => {
  await sandbox.stop();
});

describe('mapping sources', () => {
  it('read the files, the org and the project', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'mapping-sources-'));
    writeFileSync(join(directory, 'Lead.yaml'), 'object: Lead\n');
    const sources = sourcesWith({ ...sandbox.settings, MAPPINGS_DIR: directory });
    expect(sources.files()).toEqual([{ name: 'Lead.yaml', text: 'object: Lead\n' }]);
    expect((await sources.salesforce.describe('Lead')).fields.map(({ name }) => name)).toContain('Email');
    expect(await sources.salesforce.query('SELECT Id FROM Lead LIMIT 1')).toMatchObject({ records: expect.any(Array) });
    expect(await sources.getUser({ email: 'nobody@example.com' })).toBeNull();
    expect((await sources.getFields()).size).toBeGreaterThan(0);
    expect(() => sourcesWith({ MAPPINGS_DIR: join(directory, 'gone') }).files()).toThrow(NotConfiguredError);
  });

  it('name the settings that are lacking, when they are needed', async () => {
    const none = sourcesWith({});
    await expect(none.salesforce.describe('Lead')).rejects.toThrow('SALESFORCE_LOGIN_URL and SALESFORCE_CLIENT_ID');
    await expect(none.getFields()).rejects.toThrow('give it ITERABLE_API_KEY');
    const half = sourcesWith({ ...sandbox.settings, SALESFORCE_CLIENT_SECRET: '' });
    await expect(half.salesforce.describe('Lead')).rejects.toThrow(NotConfiguredError);
    await expect(half.salesforce.describe('Lead')).rejects.toThrow('SALESFORCE_CLIENT_SECRET');
  });
});
