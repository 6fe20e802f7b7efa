import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { allTopics, topics } from '@libs/contracts';
import { createEmbeddedLog, decode, type EventLog } from '@libs/event-log';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { clientOf, openSandbox } from '../support/sandbox-in-process.js';
import { waitFor } from '../support/wait.js';

/** A real process, killed without warning while changes pour in, over and over. */
const KILLS = 8;
const ENTRY = 'dist/test/support/listener-process.js';

let sandbox: Sandbox;
let org: ReturnType<typeof clientOf>;
let dataDir: string;
let log: EventLog;
let child: ChildProcess | null = null;

beforeEach(async () => {
  sandbox = await openSandbox();
  org = clientOf(sandbox);
  dataDir = mkdtempSync(join(tmpdir(), 'listener-crash-'));
  log = createEmbeddedLog({ dataDir, partitions: 2, sessionTimeoutMs: 1_000 });
  await log.applyTopics(allTopics);
});
afterEach(async () => {
  await kill();
  await log.close();
  await sandbox.close();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The line from which on no change may be missing. */
const FOLLOWING = 'following changes from now on';
/** It holds the lease, and may not have subscribed yet. */
const LISTENING = 'this instance listens';

/** Starts the listener; resolves when it has said so. */
async function start(line = LISTENING): Promise<void> {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ...org.settings, DATA_DIR: dataDir, SALESFORCE_CHANNELS: '/data/LeadChangeEvent' };
  const started = spawn(process.execPath, [ENTRY], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  child = started;
  let printed = '';
  started.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  await waitFor(line, () => {
    if (started.exitCode !== null) throw new Error(`the listener ended with ${started.exitCode}:\n${printed}`);
    return printed.includes(line);
  });
}

async function kill(): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function published(): Promise<string[]> {
  const ids: string[] = [];
  for await (const records of log.read(topics.changes, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topics.changes, value);
      if (decoded.ok) ids.push(decoded.value.recordId);
    }
  }
  return ids;
}

describe('a listener that is killed', () => {
  it(`loses no change in ${KILLS} kills at any moment`, async () => {
    const created: string[] = [];
    const enough = new AbortController();
    await start(FOLLOWING);
    const writer = (async () => {
      for (let n = 0; !enough.signal.aborted; n += 1) {
        created.push(await org.createRecord('Lead', { LastName: `L${n}`, Company: 'C', Email: `l${n}@example.com` }));
        await delay(2);
      }
    })();
    for (let round = 0; round < KILLS; round += 1) {
      // Anywhere from before the subscription to between two positions that are stored
      await delay(Math.random() * 900);
      await kill();
      await start();
    }
    enough.abort();
    await writer;
    await waitFor(
      'every lead',
      async () => {
        const there = new Set(await published());
        return created.every((id) => there.has(id));
      },
      60_000,
      250,
    );
    expect(created.length).toBeGreaterThan(KILLS * 20);
    // Repeats are allowed, strangers are not
    expect(new Set(await published())).toEqual(new Set(created));

    // The position was kept all along: a last kill in a quiet moment repeats nothing
    await delay(1_500);
    const before = (await published()).length;
    await kill();
    await start();
    const last = await org.createRecord('Lead', { LastName: 'Last', Company: 'C', Email: 'last@example.com' });
    await waitFor('the last lead', async () => (await published()).includes(last));
    expect((await published()).length).toBe(before + 1);
  });
});
