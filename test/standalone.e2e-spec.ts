import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemo, type Demo } from './support/demo.js';
import { waitFor } from './support/wait.js';

const run = promisify(execFile);
let demo: Demo;

beforeAll(async () => {
  demo = await startDemo();
});
afterAll(async () => {
  await demo?.stop();
});

const email = () => `${randomUUID()}@example.com`;

/** The CLI as a person calls it; resolves with what it printed, whatever its exit code. */
async function sync(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], SYNC_URL: demo.consoleUrl, CONSOLE_TOKEN: demo.token };
  return run(process.execPath, ['dist/apps/console/src/cli/main.js', ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
}

async function api(path: string, token = demo.token): Promise<Response> {
  return fetch(`${demo.consoleUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
}

describe('npm start: everything in one process, with the sandbox', () => {
  it('carries a Lead made by Salesforce REST to GET /api/users/{email}, mapped', async () => {
    const address = email();
    const id = await demo.sandbox.createRecord('Lead', {
      FirstName: 'Grace',
      LastName: 'Hopper',
      Company: 'Navy',
      Email: address,
    });
    const profile = await waitFor('the profile', () => demo.sandbox.profile(address));
    expect(profile.dataFields).toMatchObject({
      Name: { First: 'Grace', Last: 'Hopper' },
      Company: { Name: 'Navy' },
      Salesforce: { Id: id },
    });
  });

  it('shows a flow of its own accord: a few records change every second', async () => {
    const flow = await waitFor('some written users', async () => {
      const body = (await (await api('/api/flow?minutes=60')).json()) as Record<string, unknown>;
      return JSON.stringify(body).includes('"written"') && body;
    });
    expect(flow).toBeTruthy();
    expect((await api('/api/health')).status).toBe(200);
    expect((await api('/api/health', 'wrong')).status).toBe(401);
  });

  it('backfills by the CLI, watched to its end', async () => {
    const { code, stdout } = await sync('backfill', 'start', '--object', 'Lead', '--watch', '--json');
    expect(code).toBe(0);
    const last = JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}') as {
      state: string;
      progress: { queried: number; enqueued: number; written: number; skipped: number; superseded: number };
    };
    expect(last.state).toBe('completed');
    const { queried, enqueued, written, skipped, superseded } = last.progress;
    expect(queried).toBeGreaterThan(0);
    expect(enqueued).toBe(queried);
    expect(written + skipped + superseded).toBe(enqueued);
  });

  it('answers `sync status` for people and machines, and says what to do when it is not there', async () => {
    expect((await sync('status')).stdout).toMatch(/\w/);
    expect(JSON.parse((await sync('status', '--json')).stdout)).toBeTypeOf('object');
    const refused = await sync('backfill', 'start', '--object', 'Nothing', '--watch');
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('Nothing has no mapping file');
  });

  it('leaves a field out of the next body when its mapping line is deleted', async () => {
    const file = join(demo.mappingsDir, 'Lead.yaml');
    const text = readFileSync(file, 'utf8');
    const without = text
      .split('\n')
      .filter((line) => !/^\s+FirstName:/.test(line))
      .join('\n');
    expect(without).not.toBe(text);
    writeFileSync(file, without);
    demo = await demo.restart();
    const address = email();
    await demo.sandbox.createRecord('Lead', { FirstName: 'Gone', LastName: 'Kept', Company: 'Navy', Email: address });
    const profile = await waitFor('the profile', () => demo.sandbox.profile(address));
    expect(profile.dataFields['Name']).toEqual({ Last: 'Kept' });
    writeFileSync(file, text);
  });

  it('writes nothing in a dry run', async () => {
    const dry = await startDemo({ ITERABLE_DRY_RUN: 'true' });
    try {
      const address = email();
      const id = await dry.sandbox.createRecord('Lead', { LastName: 'Dry', Company: 'Run', Email: address });
      await waitFor('a counted skip', async () =>
        (await (await fetch(`${dry.consoleUrl}/metrics`)).text()).includes('reason="writer.dry_run"'),
      );
      expect(id).toBeTruthy();
      expect(await dry.sandbox.profile(address)).toBeNull();
      const { requests } = await dry.sandbox.admin<{ requests: unknown[] }>('GET', '/iterable/requests');
      expect(requests).toEqual([]);
    } finally {
      await dry.stop();
    }
  });
});

describe('a bad start', () => {
  const start = (env: Record<string, string>) =>
    run(process.execPath, ['dist/apps/standalone/src/main.js'], { env: { PATH: process.env['PATH'], ...env } }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );

  it('ends with every bad setting named, and no value', async () => {
    const { code, stderr } = await start({
      BATCHER_WINDOW_MS: 'soon',
      ITERABLE_PROJECT_TYPE: 'secretive',
      SALESFORCE_LOGIN_URL: 'https://acme.my.salesforce.com',
    });
    expect(code).toBe(2);
    for (const name of ['BATCHER_WINDOW_MS', 'ITERABLE_PROJECT_TYPE', 'SALESFORCE_CLIENT_ID', 'ITERABLE_API_KEY'])
      expect(stderr).toContain(`${name}: `);
    expect(stderr).not.toContain('secretive');
    expect(stderr).not.toContain('    at ');
  });

  it('ends with every mistake of a mapping file, by file and line', async () => {
    const broken = join(demo.dataDir, 'broken');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(broken, { recursive: true });
    writeFileSync(join(broken, 'Lead.yaml'), 'object: Lead\nfeilds:\n  Email: email\n');
    const { code, stderr } = await start({
      MAPPINGS_DIR: broken,
      DATA_DIR: demo.dataDir,
      HTTP_PORT: '0',
      SANDBOX_SALESFORCE_PORT: '0',
      SANDBOX_PUBSUB_PORT: '0',
      SANDBOX_ITERABLE_PORT: '0',
      SANDBOX_ADMIN_PORT: '0',
    });
    expect(code).toBe(2);
    expect(stderr).toContain('Lead.yaml:2');
    expect(stderr).toContain('fields');
    expect(stderr).not.toContain('    at ');
  });
});
