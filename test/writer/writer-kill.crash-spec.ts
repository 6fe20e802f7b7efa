import { afterEach, expect, inject, it } from 'vitest';
import { activeOf } from '../support/metrics.js';
import { startProcess, type ServiceProcess } from '../support/processes.js';
import { waitFor } from '../support/wait.js';
import { leadId, mostInWindow, Stage } from './stage.js';

const USERS = 60_000;
const BAD = new Set([11, 30_011, 59_011]);

let stage: Stage;
const processes: ServiceProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await stage.close();
});

const startWriter = async () => {
  const own = { ...stage.settings, KAFKA_SESSION_TIMEOUT_MS: '6000', LOG_LEVEL: 'info' };
  processes.push(await startProcess('iterable-writer', own));
};
const running = () => processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
const active = () => waitFor('an active writer', () => activeOf(running(), 'sync_writer_active'), 60_000);

/** What the writers say of themselves, for whoever must find out why one of them did not go on. */
async function report(): Promise<string> {
  const told = processes.map(async ({ url, child, output }) => {
    const health = await fetch(`${url}/health/ready`).then((answer) => answer.text(), String);
    const metrics = await fetch(`${url}/metrics`).then((answer) => answer.text(), String);
    const lines = metrics
      .split('\n')
      .filter((line) => /^sync_(writer_(active|paused|pace|waiting)|consumer_lag)/.test(line));
    return [
      `writer ${child.pid}, exit ${child.exitCode ?? child.signalCode ?? 'none'}`,
      health,
      ...lines,
      output().slice(-3_000),
    ].join('\n');
  });
  return (await Promise.all(told)).join('\n\n');
}

it('loses no user and sends no faster than allowed when the active writer is killed three times', async () => {
  stage = await new Stage({ brokers: inject('kafkaBrokers') }).open();
  stage.fault('latency', { rate: 0.3, options: { delayMs: 800, applied: true } }); // killed between write and answer, too
  const states = Array.from({ length: USERS }, (_, n) => (BAD.has(n) ? { email: `not an email ${n}` } : {}));
  const updates = await stage.send('backfill', states);
  await Promise.all([startWriter(), startWriter()]);
  for (const share of [0.15, 0.4, 0.65]) {
    await waitFor(`${share} of the users`, () => stage.sandbox.stats().users >= USERS * share, 120_000).catch(
      async (error: unknown) => {
        throw new Error(await report(), { cause: error });
      },
    );
    await (await active()).kill();
    await startWriter();
  }
  await waitFor('all to be committed', async () => (await stage.uncommitted()) === 0, 120_000).catch(
    async (error: unknown) => {
      throw new Error(await report(), { cause: error });
    },
  );

  const ends = new Map(
    (await stage.outcomes()).flatMap(({ offsets, kind }) => offsets.map((offset) => [offset, kind])),
  );
  expect(ends.size).toBe(USERS);
  expect([...ends.values()].filter((kind) => kind === 'dead')).toHaveLength(BAD.size);
  expect([...ends.values()].filter((kind) => kind === 'written')).toHaveLength(USERS - BAD.size);
  const dead = new Set((await stage.deadLetters()).map(({ recordId, code }) => `${recordId} ${code}`));
  expect([...dead].toSorted()).toEqual([...BAD].map((n) => `${leadId(n)} iterable.invalid_email`).toSorted());
  for (const [n, update] of updates.entries())
    if (!BAD.has(n)) expect(stage.profile(update)).toMatchObject(update.dataFields);

  const requests = stage.requests();
  for (const seconds of [10, 15, 30]) expect(mostInWindow(requests, seconds)).toBeLessThanOrEqual(5 * seconds + 1);
  expect(requests.filter(({ status }) => status === 429)).toEqual([]);
});
