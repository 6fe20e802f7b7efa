import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, inject, it } from 'vitest';
import type { Lane, UserUpdate } from '@libs/contracts';
import {
  codeOfStruck,
  lastingFaults,
  outageFaults,
  passingFaults,
  stormFault,
  type FaultSetting,
} from '../chaos/fault-mix.js';
import { summarize } from '../chaos/request-summary.js';
import { readFates } from '../support/fates.js';
import { activeOf } from '../support/metrics.js';
import { startProcess, type ServiceProcess } from '../support/processes.js';
import { waitFor } from '../support/wait.js';
import { leadId, Stage } from './stage.js';

const USERS = 3_000;
const EDITS = 150;
const MISMATCH_SHARE = 0.0015;
const WRITERS = 3;
/** An active writer makes so many requests before it is killed; with the takeover a kill comes every ten seconds or so. */
const REQUESTS_OF_A_LIFE = 5;
const DEADLINE_MS = 240_000;
/** Sure to strike in a run as short as this. */
const SURE_FAULTS: readonly FaultSetting[] = [
  { kind: 'hang', rate: 1, count: 1, options: { applied: true } },
  { kind: 'reset-after-apply', rate: 1, count: 2 },
  { kind: 'http-500', rate: 1, count: 2 },
];

let stage: Stage;
const processes: ServiceProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await stage.close();
});

const emailOf = (n: number) => `user${n}@example.com`;
const codeOf = (n: number) => codeOfStruck(emailOf(n), MISMATCH_SHARE);

const startWriter = async () => {
  const own = {
    ...stage.settings,
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    ITERABLE_USERS_PER_REQUEST: '100',
    LOG_LEVEL: 'info',
  };
  processes.push(await startProcess('iterable-writer', own));
};
const running = () => processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
const active = () => waitFor('an active writer', () => activeOf(running(), 'sync_writer_active'), DEADLINE_MS);

function switchTo(settings: readonly FaultSetting[]): void {
  stage.faults.clear();
  for (const { kind, ...more } of [...settings, ...lastingFaults(MISMATCH_SHARE)]) stage.fault(kind, more);
}

/** The active writer makes some requests, and is killed in the middle of the others. */
async function killActive(): Promise<void> {
  const before = stage.requests().length;
  await active();
  await waitFor('some requests', () => stage.requests().length >= before + REQUESTS_OF_A_LIFE, DEADLINE_MS);
  await (await active()).kill();
  await startWriter();
}

/** What the writers say of themselves, for whoever must find out why one of them did not go on. */
async function report(): Promise<string> {
  const told = running().map(async ({ url, child, output }) => {
    const health = await fetch(`${url}/health/ready`).then((answer) => answer.text(), String);
    const metrics = await fetch(`${url}/metrics`).then((answer) => answer.text(), String);
    const lines = metrics.split('\n').filter((line) => /^sync_writer_(active|paused|pace|waiting)/.test(line));
    return [`writer ${child.pid}`, health, ...lines, output().slice(-2_000)].join('\n');
  });
  const requests = stage.sandbox.requests().slice(-25);
  const shown = requests.map(({ at, endpoint, users, status, faults }) =>
    [new Date(at).toISOString(), endpoint, users, status, ...faults].join(' '),
  );
  return [`${await stage.uncommitted()} uncommitted`, ...shown, ...(await Promise.all(told))].join('\n');
}

it('accounts for every user through storms, failures, an outage and kills', { timeout: 500_000 }, async () => {
  stage = await new Stage({ brokers: inject('kafkaBrokers') }).open();
  const newest = new Map<number, UserUpdate>();
  const changes: string[] = [];
  const send = async (lane: Lane, states: readonly Partial<UserUpdate>[]) => {
    for (const update of await stage.send(lane, states)) {
      newest.set(update.dataFields['Number'] as number, update);
      changes.push(...update.offsets);
    }
  };
  let edited = 0;
  /** Newer states of users here and there, by the lane of people's edits; of some again and again. */
  const edit = async () => {
    const chosen = Array.from({ length: EDITS }, (_, index) =>
      index < 20 ? index : (edited * 37 + index * 7) % USERS,
    );
    edited += 1;
    const states = [...new Set(chosen)].map((n) => ({
      recordId: leadId(n),
      email: emailOf(n),
      dataFields: { Salesforce: { Id: leadId(n) }, Number: n, Edit: edited },
      version: { modstampMs: 1_000 * (edited + 1), fetchedAtMs: 2_000 },
    }));
    await send('realtime', states);
  };
  switchTo([...passingFaults, stormFault(true)]);
  await send(
    'backfill',
    Array.from({ length: USERS }, () => ({})),
  );
  await Promise.all(Array.from({ length: WRITERS }, startWriter));

  for (const hints of [true, false]) {
    switchTo([...SURE_FAULTS, ...passingFaults, stormFault(hints)]);
    await edit();
    await killActive();
  }
  switchTo(outageFaults);
  await edit();
  const before = stage.requests().length;
  await waitFor('requests into the outage', () => stage.requests().length >= before + REQUESTS_OF_A_LIFE, DEADLINE_MS);
  await (await active()).kill();
  await startWriter();
  await delay(3_000);
  // A hang lasts 30 s, and was met before
  switchTo([...SURE_FAULTS, ...passingFaults].filter(({ kind }) => kind !== 'hang'));
  await waitFor('all to be committed', async () => (await stage.uncommitted()) === 0, DEADLINE_MS).catch(
    async (error: unknown) => {
      throw new Error(await report(), { cause: error });
    },
  );

  const bad = new Map(
    Array.from({ length: USERS }, (_, n) => n).flatMap((n): Array<[string, string]> => {
      const code = codeOf(n);
      return code === null ? [] : [[leadId(n), code]];
    }),
  );
  const fates = readFates({
    changes,
    outcomes: await stage.outcomes(),
    deadLetters: await stage.deadLetters(),
    bad,
  });
  expect(fates.violations).toEqual([]);
  expect(fates).toMatchObject({ gap: 0, deadRecords: bad.size });
  expect(bad.size).toBeGreaterThan(50);
  for (const [n, update] of newest) {
    if (bad.has(leadId(n))) expect(stage.profile(update), `user ${n}`).toBeNull();
    else expect(stage.profile(update), `user ${n}`).toMatchObject(update.dataFields);
  }
  const { worst, ownRateLimits, struck } = summarize(stage.sandbox.requests());
  expect(worst?.excess).toBeLessThanOrEqual(0);
  expect(ownRateLimits).toBe(0);
  const sure = [...SURE_FAULTS, ...lastingFaults(MISMATCH_SHARE), stormFault(true)].map(({ kind }) => kind);
  expect(Object.keys(struck)).toEqual(expect.arrayContaining(sure));
  expect((struck['disconnect'] ?? 0) + (struck['http-503-html'] ?? 0)).toBeGreaterThanOrEqual(5);
});
