import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemo, type Demo } from './support/demo.js';
import { sample } from './support/metrics.js';
import { waitFor } from './support/wait.js';

const run = promisify(execFile);
const LEADS = 3_000;
/** Leads that change while the mapping is wrong: too few to stop anything. */
const UNLUCKY = 5;

interface Job {
  readonly state: string;
  readonly progress: Readonly<Record<'queried' | 'written' | 'skipped' | 'superseded' | 'dead', number>>;
}

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo({ SANDBOX_CHANGES_PER_SECOND: '0', BATCHER_WINDOW_MS: '200' });
});
afterAll(async () => {
  await demo?.stop();
});

async function sync(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], SYNC_URL: demo.consoleUrl, CONSOLE_TOKEN: demo.token };
  return (await run(process.execPath, ['dist/apps/console/src/cli/main.js', ...args], { env })).stdout;
}

const jobs = async () => (JSON.parse(await sync('backfill', 'list', '--json')) as { backfills: Job[] }).backfills;

async function readiness(): Promise<{ readonly ready: boolean; readonly check: string | undefined }> {
  const response = await fetch(`${demo.consoleUrl}/health/ready`);
  const { checks } = (await response.json()) as { checks: ReadonlyArray<{ name: string; detail?: string }> };
  return { ready: response.ok, check: checks.find(({ name }) => name === 'mapper/dead-letters')?.detail };
}

/** Makes a record; its profile appears if it is synced. */
async function create(object: string): Promise<string> {
  const address = `${randomUUID()}@example.com`;
  const company = object === 'Lead' ? { Company: 'Navy' } : {};
  await demo.sandbox.createRecord(object, { LastName: 'Hopper', Email: address, ...company });
  return address;
}

it('a wrong mapping costs nobody: the backfill stops, real time flows, mended it goes on by itself, and what died is brought back', async () => {
  const { sandbox, mappingsDir, process: service } = demo;
  const file = join(mappingsDir, 'Lead.yaml');
  const shipped = readFileSync(file, 'utf8');
  await sandbox.admin('POST', '/seed', { leads: LEADS });
  writeFileSync(file, `${shipped.trimEnd()}\ntransform:\n  dataFields.Lead.Rank: $number(LastName)\n`);
  await sync('mapping', 'reload');

  // A few fail on their way: that stops nothing
  const unlucky = await Promise.all(Array.from({ length: UNLUCKY }, () => create('Lead')));
  const dead = 'sync_dead_letters_total{stage="mapper",code="mapping.expression_failed"}';
  await waitFor('their dead letters', async () => (await sample(service, dead)) === UNLUCKY);
  expect((await readiness()).ready).toBe(true);

  await sync('backfill', 'start', '--object', 'Lead', '--where', "LastName != 'Hopper'");
  await waitFor('the stop', async () => !(await readiness()).ready);
  expect(await sample(service, 'sync_safety_stop{stage="mapper",lane="backfill"}')).toBe(1);
  expect((await readiness()).check).toContain('sync dead-letters redrive --code mapping.expression_failed');
  const contact = await create('Contact');
  await waitFor('a change in real time', () => sandbox.profile(contact));
  expect(await sample(service, dead)).toBeLessThan(UNLUCKY + 100);
  const held = await sample(service, dead);

  writeFileSync(file, shipped);
  const job = await waitFor(
    'the end of the backfill',
    async () => (await jobs()).find(({ state }) => state === 'completed'),
    90_000,
  );
  const { queried, written, skipped, superseded } = job.progress;
  expect(queried).toBeGreaterThanOrEqual(LEADS);
  expect(written + skipped + superseded + job.progress.dead).toBe(queried);
  expect(job.progress.dead).toBe(held - UNLUCKY); // none after the stop
  expect((await readiness()).ready).toBe(true);

  expect(await sandbox.profile(unlucky[0] ?? '')).toBeNull();
  await sync('dead-letters', 'redrive', '--code', 'mapping.expression_failed', '--watch');
  for (const address of unlucky) await waitFor('the profile of one that died', () => sandbox.profile(address));
  expect(await sample(service, dead)).toBe(held);
});
