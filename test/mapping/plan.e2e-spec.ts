import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemo, type Demo } from '../support/demo.js';
import { waitFor } from '../support/wait.js';

const run = promisify(execFile);
let demo: Demo;

beforeAll(async () => {
  demo = await startDemo({ ITERABLE_SETTLE_SECONDS: '0' }); // else opt-outs wait a minute behind the bulk update
});
afterAll(async () => {
  await demo?.stop();
});

async function plan(...args: string[]) {
  const env = { PATH: process.env['PATH'], SYNC_URL: demo.consoleUrl, CONSOLE_TOKEN: demo.token };
  const command = ['dist/apps/console/src/cli/main.js', 'mapping', 'plan', '--json', ...args];
  const { stdout } = await run(process.execPath, command, { env });
  return JSON.parse(stdout) as {
    objects: Array<{ object: string; state: string; cost?: { records: number } }>;
    started: Array<{ object: string }>;
  };
}

/** Waits until the plan says so of each object. */
const statesAre = (expected: Record<string, string>) =>
  waitFor(
    `the plan ${JSON.stringify(expected)}`,
    async () => {
      const states = Object.fromEntries((await plan()).objects.map(({ object, state }) => [object, state]));
      return JSON.stringify(states) === JSON.stringify(expected);
    },
    60_000,
  );

it('sync mapping plan: backfill, edit one line, backfill that object again', async () => {
  await statesAre({ Contact: 'needed', Lead: 'needed' });
  const first = await plan('--apply');
  expect(first.started.map(({ object }) => object)).toEqual(['Contact', 'Lead']);
  const leads = (await demo.sandbox.query('SELECT Id FROM Lead')).length;
  const planned = first.objects.find(({ object }) => object === 'Lead')?.cost?.records ?? 0;
  expect(planned).toBeGreaterThan(0);
  expect(planned).toBeLessThanOrEqual(leads); // the demo makes a record now and then
  await statesAre({ Contact: 'done', Lead: 'done' });
  expect((await plan('--apply')).started).toEqual([]);

  const file = join(demo.mappingsDir, 'Lead.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, `# a comment changes nothing\n${text}`);
  expect((await plan(demo.mappingsDir)).objects.map(({ state }) => state)).toEqual(['done', 'done']);

  writeFileSync(file, text.replace(/^(\s+)FirstName: .*$/m, '$1FirstName: dataFields.GivenName'));
  await statesAre({ Contact: 'done', Lead: 'needed' });
  expect((await plan('--apply')).started.map(({ object }) => object)).toEqual(['Lead']);
  await statesAre({ Contact: 'done', Lead: 'done' });
});
