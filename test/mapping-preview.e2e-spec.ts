import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemo, type Demo } from './support/demo.js';
import { openRecordingProxy } from './support/recording-proxy.js';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { waitFor } from './support/wait.js';

/** The preview keeps its promise: what it shows is, to the letter, what the services then send, and afterwards nothing is left to show. */

const run = promisify(execFile);
const SAMPLE = '25';

interface Shown {
  readonly recordId: string;
  readonly fate: string;
  readonly body: { readonly dataFields: Record<string, unknown> } | null;
  readonly mergeNestedObjects: boolean | null;
  readonly profile: string;
  readonly difference: readonly unknown[] | null;
}

interface Sent {
  readonly dataFields: { readonly Salesforce?: { readonly Id?: string } };
}

describe.each(['email', 'hybrid'] as const)('in a project of type %s', (projectType) => {
  let sandbox: SandboxProcess;
  let proxy: Awaited<ReturnType<typeof openRecordingProxy>>;
  let stack: Demo;
  /** Two records with one address; the Contact has it. */
  let loser: string;
  let owner: string;

  beforeAll(async () => {
    sandbox = await startSandbox({
      ITERABLE_PROJECT_TYPE: projectType,
      SANDBOX_LEADS: '60',
      SANDBOX_CONTACTS: '60',
      SANDBOX_ACCOUNTS: '10',
    });
    // Before there is anybody to hear of them, so that only the backfills send them
    const address = 'two-records@example.com';
    loser = await sandbox.createRecord('Lead', { LastName: 'Lead', Company: 'Engines', Email: address });
    owner = await sandbox.createRecord('Contact', { LastName: 'Contact', Email: address });
    proxy = await openRecordingProxy(sandbox.iterableUrl);
    const settings = { ...sandbox.settings, ITERABLE_BASE_URL: proxy.url, ITERABLE_PROJECT_TYPE: projectType };
    stack = await startDemo({ ...settings, ITERABLE_SETTLE_SECONDS: '0.5', BATCHER_WINDOW_MS: '500' });
  });
  afterAll(async () => {
    await stack?.stop();
    await proxy?.close();
    await sandbox?.stop();
  });

  async function sync(...args: string[]): Promise<string> {
    const env = {
      PATH: process.env['PATH'],
      SYNC_URL: stack.consoleUrl,
      CONSOLE_TOKEN: stack.token,
      MAPPINGS_DIR: stack.mappingsDir,
    };
    return (await run(process.execPath, ['dist/apps/console/src/cli/main.js', ...args], { env })).stdout;
  }
  async function preview(...who: string[]): Promise<Shown[]> {
    const lines = (await sync('mapping', 'preview', ...who, '--json')).trimEnd().split('\n');
    return lines.map((line) => JSON.parse(line) as Shown);
  }
  /** The body that was last sent for each record. */
  function lastSent(): Map<string, Sent> {
    const bulk = proxy.passed.filter(({ path }) => path === '/api/users/bulkUpdate');
    const users = bulk.flatMap(({ body }) => (JSON.parse(body) as { users: Sent[] }).users);
    return new Map(users.map((user) => [user.dataFields.Salesforce?.Id ?? '', user]));
  }

  it('shows what is sent then, and nothing more once it was sent', async () => {
    const samples = async () => [
      ...(await preview('--sample', SAMPLE, '--object', 'Contact')),
      ...(await preview('--sample', SAMPLE, '--object', 'Lead')),
    ];
    const before = await samples();
    expect(before.map(({ recordId }) => recordId)).toEqual(expect.arrayContaining([loser, owner]));

    for (const object of ['Contact', 'Lead']) await sync('backfill', 'start', '--object', object, '--watch');

    const sent = lastSent();
    const written = before.filter(({ fate }) => fate === 'written');
    expect(written.length).toBeGreaterThan(40);
    for (const { recordId, body, mergeNestedObjects } of written) {
      expect(sent.get(recordId)).toEqual({ ...body, mergeNestedObjects });
    }
    for (const { recordId, fate } of before) if (fate !== 'written') expect(sent.has(recordId)).toBe(false);
    expect(before.find(({ recordId }) => recordId === loser)?.fate).toBe(
      projectType === 'email' ? 'outranked' : 'written',
    );

    await waitFor('profiles that are as shown', async () => {
      const after = (await samples()).filter(({ fate }) => fate === 'written');
      return after.every(({ profile, difference }) => profile === 'found' && difference?.length === 0);
    });
  });
});
