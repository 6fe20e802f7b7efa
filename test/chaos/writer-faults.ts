/**
 * `node dist/test/chaos/writer-faults.js`: the writer under everything that can go wrong at Iterable, on real Kafka. A backfill of
 * Leads with people's edits beside it, while every second request is answered 429, a tenth fails, answers get lost or never come,
 * users are refused by themselves or take whole requests with them, Iterable is away for minutes, and the active of three writers
 * is killed again and again. Ends with a comparison of every Lead with its profile, of every change with its outcome and of every
 * bad user with its dead letter, and a look at each window of the request log. Exits 1 on any violation.
 * `--users N --hints true|false|both --outage-seconds N --kill-every N --seed N`; `--requests FILE` keeps the request log.
 */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { topics } from '@libs/contracts';
import { startBroker } from '../../tools/kafka/broker.mjs';
import type { LoggedRequest } from '../../apps/sandbox/src/iterable/index.js';
import { startSandbox } from '../support/sandbox.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';
import { Edits, plantForeignType, plantForgotten, plantInvalid, randomOf } from './fault-load.js';
import { lastingFaults, outageFaults, passingFaults, stormFault, type FaultSetting } from './fault-mix.js';
import { judge, render, uncommitted, type Truth } from './fault-verdict.js';
import { WriterKiller, WriterWatch } from './writer-watch.js';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '100000' },
    hints: { type: 'string', default: 'both' },
    'outage-seconds': { type: 'string', default: '300' },
    'kill-every': { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
    requests: { type: 'string' },
  },
});
const users = Number(values.users);
const seed = Number(values.seed);
const outageMs = Number(values['outage-seconds']) * 1_000;
const WRITERS = 3;
const PLANTED = 20;
/** Of each storm: the more users, the longer the work lasts. Milliseconds. */
const STORM_MS = 40_000 + users * 0.8;
const CALM_MS = 60_000;
/** Longest that what is left takes with the faults and kills going on, and then without kills. Milliseconds. */
const REST_MS = 300_000;
const DEADLINE_MS = 600_000;
/** Share of the users that make Iterable refuse whole requests: each costs a search of some ten requests. */
const mismatchShare = Math.min(0.002, 30 / users);
const LOOK_EVERY_MS = 10_000;

const began = Date.now();
const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

const broker = await startBroker();
const sandbox = await startSandbox({ SANDBOX_SEED: String(seed) });
await sandbox.admin('POST', '/seed', { leads: users, contacts: 1, accounts: 1, seed });
const usersPerRequest = Math.min(1_000, Math.max(50, Math.round(users / 100)));
const stack = await startStack({
  brokers: broker.brokers,
  sandbox,
  instances: 1,
  own: { ITERABLE_USERS_PER_REQUEST: String(usersPerRequest), LOG_LEVEL: 'warn' },
});
const startWriter = () => stack.start('iterable-writer', {}, false);
for (let extra = 1; extra < WRITERS; extra += 1) await startWriter();

const switchOn = (settings: readonly FaultSetting[]) =>
  Promise.all(settings.map((setting) => sandbox.admin('POST', '/faults', { system: 'iterable', ...setting })));
const switchTo = async (settings: readonly FaultSetting[]) => {
  await sandbox.admin('DELETE', '/faults');
  await switchOn([...settings, ...lastingFaults(mismatchShare)]);
};

const readRequests = async () =>
  (await sandbox.admin<{ requests: LoggedRequest[] }>('GET', '/iterable/requests?reads=true')).requests;
const watch = new WriterWatch(() => stack.of('iterable-writer'));

/** Lets a phase last, and says now and then where things are; `enough` ends it earlier. */
async function pass(phase: string, ms: number, enough: () => Promise<boolean> = () => Promise.resolve(false)) {
  say(phase);
  watch.phase = phase;
  const until = Date.now() + ms;
  while (Date.now() < until && !(await enough())) {
    await delay(Math.min(LOOK_EVERY_MS, Math.max(0, until - Date.now())));
    const { iterable } = await sandbox.admin<{ iterable: { users: number; requests: number } }>('GET', '/stats');
    const { mib = 0, paused = false } = watch.latest ?? {};
    const state = paused ? 'paused' : 'writing';
    say(`  ${iterable.users} users, ${iterable.requests} requests, active writer ${state}, ${mib} MiB`);
  }
}

const killer = new WriterKiller(Number(values['kill-every']) * 1_000, () => watch.active(), startWriter);
let edits: Edits | null = null;
try {
  const leads = await sandbox.query('SELECT Id, Email FROM Lead');
  const ids = leads.map((row) => String(row['Id']));
  const addresses = leads.flatMap(({ Email }) => (typeof Email === 'string' ? [Email.toLowerCase()] : []));
  const forgotten = new Set(addresses.filter((_, index) => index % Math.ceil(addresses.length / PLANTED) === 0));
  await plantForeignType(sandbox);
  await plantForgotten(sandbox, [...forgotten]);
  const truth: Truth = { mismatchShare, forgotten, invalid: new Set(await plantInvalid(sandbox, PLANTED)) };

  say(`${users} Leads, ${usersPerRequest} a request; the backfill begins`);
  const storms = { true: [true], false: [false], both: [true, false] }[values.hints];
  if (storms === undefined) throw new Error('--hints is true, false or both');
  await switchTo(passingFaults);
  const jobId = randomUUID();
  await stack.log.append([
    { topic: topics.commands, key: 'backfill', value: { id: jobId, type: 'backfill.start', data: { object: 'Lead' } } },
  ]);
  edits = new Edits(sandbox, ids, Math.max(5, Math.round(users / 10_000)), randomOf(seed));

  for (const hints of storms) {
    await switchTo([...passingFaults, stormFault(hints)]);
    await pass(`storm ${hints ? 'with' : 'without'} hints`, STORM_MS);
  }
  await switchTo(passingFaults);
  await pass('passing faults', CALM_MS);
  await switchTo(outageFaults);
  await pass('outage with kills', outageMs / 3);
  killer.pause();
  await pass('outage', (outageMs * 2) / 3);
  await switchTo(passingFaults);
  await waitFor(
    'an answer after the outage',
    async () => (await watch.active()) !== null && !watch.latest?.paused,
    90_000,
  );
  killer.resume();
  await pass('after the outage', CALM_MS);
  await edits.stop();
  await pass('rest', REST_MS, async () => (await uncommitted(stack)) === 0);
  await killer.stop();
  watch.phase = 'end';
  say('no kills any more');
  const isCompleted = async () =>
    (await stack.readAll(topics.status)).some(({ id, type }) => id === jobId && type === 'completed');
  await waitFor('everything to be read', async () => (await uncommitted(stack)) === 0, DEADLINE_MS, 1_000);
  await waitFor('the job to be complete', isCompleted, 60_000, 1_000);
  await watch.stop();

  const requestLog = await readRequests();
  if (values.requests !== undefined) writeFileSync(values.requests, JSON.stringify(requestLog));
  const verdict = await judge({
    stack,
    sandbox,
    truth,
    requestLog,
    watch,
    outagePhase: 'outage',
    kinds: [...passingFaults, ...outageFaults, ...lastingFaults(mismatchShare), stormFault(true)].map(
      ({ kind }) => kind,
    ),
  });
  const figures = render(verdict, [
    ['users, edits, seed', `${users}, ${edits.made}, ${seed}`],
    ['writers killed', killer.kills],
    ['seconds', Math.round((Date.now() - began) / 1_000)],
  ]);
  process.stdout.write(`\n${figures}\n`);
  for (const violation of verdict.violations.slice(0, 50)) process.stderr.write(`${violation}\n`);
  if (verdict.violations.length > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  for (const one of stack.running)
    process.stderr.write(`--- ${one.app} ${one.child.pid}\n${one.output().slice(-2_000)}\n`);
  process.exitCode = 1;
} finally {
  await edits?.stop().catch(() => undefined);
  await killer.stop().catch(() => undefined);
  await watch.stop();
  await stack.stop();
  await sandbox.stop();
  await broker.stop();
}
