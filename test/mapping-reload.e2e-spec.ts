import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDemo, type Demo } from './support/demo.js';
import { waitFor } from './support/wait.js';

const run = promisify(execFile);

interface Health {
  readonly headline: { readonly level: string; readonly text: string };
  readonly mappings: {
    readonly inForce: ReadonlyArray<{ readonly object: string; readonly version: string }>;
    readonly refused: { readonly mistakes: readonly string[] } | null;
  };
}

let demo: Demo;
beforeAll(async () => {
  demo = await startDemo();
});
afterAll(async () => {
  await demo?.stop();
});

async function health(): Promise<Health> {
  const headers = { authorization: `Bearer ${demo.token}` };
  return (await (await fetch(`${demo.consoleUrl}/api/health`, { headers })).json()) as Health;
}

const versionOf = ({ mappings }: Health, object: string) =>
  mappings.inForce.find((one) => one.object === object)?.version;

const metrics = async () => (await fetch(`${demo.consoleUrl}/metrics`)).text();

async function reload(): Promise<{ code: number; stdout: string }> {
  const env = { PATH: process.env['PATH'], SYNC_URL: demo.consoleUrl, CONSOLE_TOKEN: demo.token };
  return run(process.execPath, ['dist/apps/console/src/cli/main.js', 'mapping', 'reload'], { env }).then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
}

it('a line added to a running sync is in the next profile; a broken edit is told and stops nothing; mended, all is well', async () => {
  const { sandbox } = demo;
  const file = join(demo.mappingsDir, 'Lead.yaml');
  const shipped = readFileSync(file, 'utf8');
  const address = `${randomUUID()}@example.com`;
  const id = await sandbox.createRecord('Lead', { LastName: 'Hopper', Company: 'Navy', Email: address });
  const field = async (name: string) => (await sandbox.profile(address))?.dataFields[name];
  await waitFor('the profile', () => sandbox.profile(address));
  const before = await waitFor('the version in force', async () => versionOf(await health(), 'Lead'));

  // One line; and then a change of that field alone, which the listener dropped a moment ago
  const withLine = `${shipped.trimEnd()}\n  Salutation: dataFields.Salutation\n`;
  writeFileSync(file, withLine);
  const after = await waitFor('the new version', async () => {
    const version = versionOf(await health(), 'Lead');
    return version !== before && version;
  });
  expect(await metrics()).toContain(`sync_mapper_mapping_info{object="Lead",version="${after}"} 1`);
  expect(await metrics()).not.toContain(before);
  await sandbox.updateRecord('Lead', id, { Salutation: 'Dr.' });
  await waitFor('the new field', async () => (await field('Salutation')) === 'Dr.');

  writeFileSync(file, withLine.replace('  Salutation:', '  Salutatoin:'));
  const broken = await waitFor('the refusal', async () => {
    const now = await health();
    return now.mappings.refused === null ? null : now;
  });
  expect(broken.headline.level).toBe('attention');
  expect(broken.mappings.refused?.mistakes.join()).toMatch(
    /^Lead\.yaml:\d\d:3: the integration user cannot see Lead\.Salutatoin: .*did you mean "Salutation"\?$/,
  );
  expect(versionOf(broken, 'Lead')).toBe(after);
  expect(await metrics()).toContain('sync_mapping_broken{app="mapper"} 1');
  expect((await fetch(`${demo.consoleUrl}/health/ready`)).status).toBe(200);
  const refused = await reload();
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain('Lead.Salutatoin');
  await sandbox.updateRecord('Lead', id, { Salutation: 'Prof.' });
  await waitFor('a change by the last good version', async () => (await field('Salutation')) === 'Prof.');

  writeFileSync(file, withLine);
  const mended = await reload();
  expect(mended.code).toBe(0);
  expect(mended.stdout).toContain(after);
  await waitFor('a calm headline', async () => (await health()).headline.level === 'ok');
  expect(await metrics()).toContain('sync_mapping_broken{app="mapper"} 0');
  expect((await health()).mappings.refused).toBeNull();
});
