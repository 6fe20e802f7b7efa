/**
 * `npm run bench`: how long a backfill of the seeded Leads takes, from the command to the last user readable in Iterable, with
 * the documented limit enforced by the sandbox (5 requests a second of 1,000 users). `--leads N`, `--log embedded|kafka|both`, `--json`.
 * `node dist/test/bench/writer.js` measures a million users, and real-time changes meanwhile.
 */
import { cpus, totalmem } from 'node:os';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { topics } from '@libs/contracts';
import { startBroker } from '../../tools/kafka/broker.mjs';
import { startDemo } from '../support/demo.js';
import { memoryOf } from '../support/memory.js';
import { startSandbox, type SandboxProcess } from '../support/sandbox.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

/** Requests a second and users a request that the sandbox allows. Source: facts/iterable.md §1.2. */
const CEILING_USERS_PER_SECOND = 5 * 1_000;
const DEADLINE_MS = 30 * 60 * 1_000;

interface Result {
  readonly log: 'embedded' | 'kafka';
  readonly leads: number;
  readonly users: number;
  readonly seconds: number;
  readonly usersPerSecond: number;
  /** Share of Iterable's ceiling, and seconds that it would take at least. */
  readonly shareOfCeiling: number;
  readonly floorSeconds: number;
  readonly requestsToIterable: number;
  readonly salesforceCalls: number;
  /** Peak resident memory by process, MiB. */
  readonly peakMiB: Record<string, number>;
}

interface Stats {
  readonly salesforce: { readonly apiRequests: number };
  readonly iterable: { readonly users: number; readonly requests: number };
}

async function measure(
  log: Result['log'],
  sandbox: Pick<SandboxProcess, 'query' | 'admin'>,
  start: () => Promise<void>,
  pids: Readonly<Record<string, number>>,
): Promise<Result> {
  const leads = (await sandbox.query('SELECT Id FROM Lead')).length;
  const expected = leads - (await sandbox.query('SELECT Id FROM Lead WHERE Email = null')).length;
  const stats = () => sandbox.admin<Stats>('GET', '/stats');
  const before = await stats();
  const began = performance.now();
  await start();
  await waitFor(
    `${expected} users in Iterable`,
    async () => (await stats()).iterable.users >= expected,
    DEADLINE_MS,
    100,
  );
  const seconds = (performance.now() - began) / 1000;
  const after = await stats();
  return {
    log,
    leads,
    users: expected,
    seconds,
    usersPerSecond: expected / seconds,
    shareOfCeiling: expected / seconds / CEILING_USERS_PER_SECOND,
    floorSeconds: expected / CEILING_USERS_PER_SECOND,
    requestsToIterable: after.iterable.requests - before.iterable.requests,
    salesforceCalls: after.salesforce.apiRequests - before.salesforce.apiRequests,
    peakMiB: Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, memoryOf(pid)])),
  };
}

async function onEmbedded(leads: number): Promise<Result> {
  const demo = await startDemo({
    SANDBOX_LEADS: String(leads),
    SANDBOX_CONTACTS: '1',
    SANDBOX_ACCOUNTS: '1',
    SANDBOX_CHANGES_PER_SECOND: '0',
    ITERABLE_SETTLE_SECONDS: '60',
  });
  try {
    const start = async () => {
      const response = await fetch(`${demo.consoleUrl}/api/backfills`, {
        method: 'POST',
        headers: { authorization: `Bearer ${demo.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ object: 'Lead' }),
      });
      if (!response.ok) throw new Error(`POST /api/backfills: ${response.status} ${await response.text()}`);
    };
    return await measure('embedded', demo.sandbox, start, {
      'everything, sandbox included': demo.process.child.pid ?? 0,
    });
  } finally {
    await demo.stop();
  }
}

async function onKafka(leads: number): Promise<Result> {
  const broker = await startBroker();
  const sandbox = await startSandbox();
  await sandbox.admin('POST', '/seed', { leads, contacts: 1, accounts: 1, seed: 1 });
  const stack = await startStack({
    brokers: broker.brokers,
    sandbox,
    instances: 1,
    own: { BATCHER_WINDOW_MS: '60000', KAFKA_SESSION_TIMEOUT_MS: '10000', ITERABLE_SETTLE_SECONDS: '60' },
  });
  try {
    const start = async () => {
      await stack.log.append([
        {
          topic: topics.commands,
          key: 'backfill',
          value: { id: randomUUID(), type: 'backfill.start', data: { object: 'Lead' } },
        },
      ]);
    };
    const pids = Object.fromEntries(stack.running.map((service) => [service.app, service.child.pid ?? 0]));
    return await measure('kafka', sandbox, start, pids);
  } finally {
    await stack.stop();
    await sandbox.stop();
    await broker.stop();
  }
}

function asText({
  log,
  leads,
  seconds,
  floorSeconds,
  usersPerSecond,
  shareOfCeiling,
  requestsToIterable,
  salesforceCalls,
  peakMiB,
}: Result): string {
  const memory = Object.entries(peakMiB).map(([name, mib]) => `    ${name}: ${mib} MiB peak`);
  return [
    `${log}: ${leads} leads in ${seconds.toFixed(1)} s (floor ${floorSeconds.toFixed(1)} s)`,
    `    ${usersPerSecond.toFixed(0)} users/s, ${(100 * shareOfCeiling).toFixed(0)} % of the ceiling; ${requestsToIterable} requests to Iterable, ${salesforceCalls} to Salesforce`,
    ...memory,
  ].join('\n');
}

const { values } = parseArgs({
  options: {
    leads: { type: 'string', default: '40000' },
    log: { type: 'string', default: 'both' },
    json: { type: 'boolean', default: false },
  },
});
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const results: Result[] = [];
if (values.log !== 'kafka') results.push(await onEmbedded(Number(values.leads)));
if (values.log !== 'embedded') results.push(await onKafka(Number(values.leads)));
process.stdout.write(
  values.json
    ? `${JSON.stringify({ machine, results })}\n`
    : `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Node ${machine.node}\n${results.map(asText).join('\n')}\n`,
);
