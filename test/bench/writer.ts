/**
 * How much of Iterable's allowance the writer uses in a large backfill, and how long single real-time changes take with and without
 * one: `node dist/test/bench/writer.js`. The sandbox enforces the documented limit: 5 requests a second of 1,000 users.
 *
 *   --users N                 users of the backfill (1,000,000)
 *   --variant writer|pipeline the writer's process alone with its topics full, or everything from the simulated org on (writer)
 *   --log kafka|embedded      (kafka); the writer alone runs on Kafka only
 *   --realtime-per-second N,… rates of single changes, each measured for --phase-seconds without a backfill and with one; '' for none
 *                             (0.5,2,10,50)
 *   --phase-seconds N         (60)
 *   --cpu-prof DIR            writes a CPU profile of each writer process there
 *   --json                    figures as JSON
 */
import { cpus, totalmem } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { coresUsed, cpuUsageOf } from '../support/cpu.js';
import { memoryOf } from '../support/memory.js';
import { sample } from '../support/metrics.js';
import { waitFor } from '../support/wait.js';
import { ChangeWatch, makeChanges } from './lanes/changes.js';
import { allowanceUsed, figuresOf, spreadOf, type RequestFigures, type Spread } from './lanes/figures.js';
import { pipeline } from './lanes/pipeline.js';
import { RequestWatch } from './lanes/request-watch.js';
import { allowance, DEADLINE_MS, usersIn, WINDOW_MS, type Scene } from './lanes/scene.js';
import { writerAlone } from './lanes/writer-alone.js';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    variant: { type: 'string', default: 'writer' },
    log: { type: 'string', default: 'kafka' },
    'realtime-per-second': { type: 'string', default: '0.5,2,10,50' },
    'phase-seconds': { type: 'string', default: '60' },
    'cpu-prof': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const oneOf = <const T extends string>(name: string, value: string, allowed: readonly T[]): T => {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new Error(`--${name} is one of ${allowed.join(', ')}`);
  return found;
};
const users = Number(values.users);
const variant = oneOf('variant', values.variant, ['writer', 'pipeline']);
const log = oneOf('log', values.log, ['kafka', 'embedded']);
if (variant === 'writer' && log === 'embedded') throw new Error('the embedded log is for --variant pipeline');
const rates = values['realtime-per-second'].split(',').filter(Boolean).map(Number);
const phaseSeconds = Number(values['phase-seconds']);

interface Backfill extends Omit<RequestFigures, 'lastAnswerAt'> {
  /** From when work waited to the last answer. */
  readonly seconds: number;
  /** What Iterable's limit makes of so many users. */
  readonly floorSeconds: number;
  /** By the sandbox's log and clock. */
  readonly allowanceUsed: number;
  /** By the writer's own count of the allowance: of the time in which work was waiting. `null`: it has not counted. */
  readonly allowanceUsedByMetrics: number | null;
  readonly cores: Readonly<Record<string, number>>;
  readonly peakMiB: Readonly<Record<string, number>>;
}

interface Phase {
  readonly perSecond: number;
  readonly backfill: boolean;
  /** From the change to Iterable's answer. */
  readonly total: Spread;
  /** From the append of its update to the writer's topic. */
  readonly writer: Spread;
  readonly requests: number;
  readonly tooFast: number;
  readonly backfillUsersPerSecond: number;
  readonly cores: Readonly<Record<string, number>>;
}

async function measureBackfill(scene: Scene): Promise<Backfill> {
  const watch = await RequestWatch.begin(scene.sandbox);
  const before = await usersIn(scene.sandbox);
  const { atMs, newUsers } = await scene.begin('all');
  const from = cpuUsageOf(scene.pids());
  await waitFor(
    `${newUsers} users in Iterable`,
    async () => (await watch.look()).length > 0 && (await usersIn(scene.sandbox)) - before >= newUsers,
    DEADLINE_MS,
    500,
  );
  const cores = coresUsed(from, cpuUsageOf(scene.pids()));
  const { lastAnswerAt, ...figures } = figuresOf(await watch.look());
  const seconds = (lastAnswerAt - atMs) / 1_000;
  await scene.end();
  const allowed = await sample({ url: scene.writerUrl() }, 'sync_writer_allowance_users_total');
  return {
    ...figures,
    seconds,
    floorSeconds: newUsers / (allowance.requestsPerSecond * allowance.usersPerRequest),
    allowanceUsed: allowanceUsed(figures.users, seconds, allowance),
    allowanceUsedByMetrics: allowed > 0 ? figures.users / allowed : null,
    cores,
    peakMiB: Object.fromEntries(Object.entries(scene.pids()).map(([name, pid]) => [name, memoryOf(pid)])),
  };
}

async function measurePhase(scene: Scene, perSecond: number, backfill: boolean): Promise<Phase> {
  if (backfill) {
    const begun = await RequestWatch.begin(scene.sandbox);
    await scene.begin(phaseSeconds);
    await waitFor('the backfill to begin', async () => (await begun.look()).length >= 3, DEADLINE_MS);
  }
  const changesFrom = await ChangeWatch.begin(scene.log);
  const watch = await RequestWatch.begin(scene.sandbox);
  const from = cpuUsageOf(scene.pids());
  const changes = await makeChanges(perSecond, phaseSeconds, () => scene.change());
  const to = cpuUsageOf(scene.pids());
  const { requests, tooFast, users: written } = figuresOf(await watch.look());
  if (backfill && !(await scene.isWaiting())) throw new Error('the backfill was over too early: it needs more --users');
  await scene.end();
  const { total, writer } = await changesFrom.latenciesOf(changes);
  return {
    perSecond,
    backfill,
    total: spreadOf(total),
    writer: spreadOf(writer),
    requests,
    tooFast,
    backfillUsersPerSecond: backfill ? (written - changes.length) / phaseSeconds : 0,
    cores: coresUsed(from, to),
  };
}

const percent = (share: number | null) => (share === null ? '-' : `${(100 * share).toFixed(1)} %`);
const ms = (value: number | null) => (value === null ? '-' : `${Math.round(value)} ms`);
const shares = (cores: Readonly<Record<string, number>>) =>
  Object.entries(cores)
    .map(([name, share]) => `${name} ${share.toFixed(2)}`)
    .join(', ');

function backfillAsText(one: Backfill): string {
  const peaks = Object.entries(one.peakMiB).map(([name, mib]) => `${name} ${mib}`);
  return [
    `backfill: ${one.users} users in ${one.seconds.toFixed(1)} s (floor ${one.floorSeconds.toFixed(1)} s)`,
    `    allowance used ${percent(one.allowanceUsed)} (by the writer's metrics ${percent(one.allowanceUsedByMetrics)}), ` +
      `${one.requests} requests of ${one.usersPerRequest.toFixed(0)} users, ${one.tooFast} of them too fast`,
    `    cores used: ${shares(one.cores)}`,
    `    peak MiB: ${peaks.join(', ')}`,
  ].join('\n');
}

function phasesAsText(alone: Phase, busy: Phase): string {
  const ratio = (a: number | null, b: number | null) => (a === null || b === null ? '-' : (b / a).toFixed(1));
  const line = (what: string, one: Spread, other: Spread) =>
    `    ${what}: p50 ${ms(one.p50Ms)} and ${ms(other.p50Ms)} (× ${ratio(one.p50Ms, other.p50Ms)}), ` +
    `p99 ${ms(one.p99Ms)} and ${ms(other.p99Ms)} (× ${ratio(one.p99Ms, other.p99Ms)}), longest ${ms(other.longestMs)}`;
  return [
    `${alone.perSecond} changes a second, without a backfill and with one (${alone.total.changes} and ${busy.total.changes} changes):`,
    line('from the change to the answer', alone.total, busy.total),
    line('from the append to the answer', alone.writer, busy.writer),
    `    the backfill gets ${busy.backfillUsersPerSecond.toFixed(0)} users/s meanwhile; ${alone.requests} and ${busy.requests} requests, ` +
      `${alone.tooFast + busy.tooFast} too fast; cores used: ${shares(busy.cores)}`,
  ].join('\n');
}

const profile = values['cpu-prof'];
const writerSettings: Record<string, string> =
  profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${resolve(profile)}` };
const most = rates.reduce((sum, rate) => sum + rate * phaseSeconds * 2, 0);
const scene =
  variant === 'writer'
    ? await writerAlone({ users, writerSettings })
    : await pipeline({ log, leads: users, changes: most, writerSettings });
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
const say = (text: string) => void (values.json || process.stdout.write(`${text}\n`));
say(`${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Node ${machine.node}`);
say(`${variant === 'writer' ? 'the writer alone' : `the whole pipeline, windows of ${WINDOW_MS} ms`}, log: ${log}`);
try {
  const backfill = await measureBackfill(scene);
  say(backfillAsText(backfill));
  const phases: Phase[] = [];
  for (const rate of rates) {
    const alone = await measurePhase(scene, rate, false);
    const busy = await measurePhase(scene, rate, true);
    phases.push(alone, busy);
    say(phasesAsText(alone, busy));
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine, variant, log, backfill, phases })}\n`);
} finally {
  await scene.close();
}
