import { afterEach, expect, inject, it } from 'vitest';
import type { UserMessage } from '@libs/contracts';
import { activeOf } from '../support/metrics.js';
import { startProcess, type ServiceProcess } from '../support/processes.js';
import { waitFor } from '../support/wait.js';
import { leadId, Stage } from './stage.js';

const LEADS = 240;
const ROUNDS = 4;
const KILLS = 5;

let stage: Stage;
const processes: ServiceProcess[] = [];

afterEach(async () => {
  await Promise.all(processes.splice(0).map((one) => one.kill()));
  await stage.close();
});

const startWriter = async () => {
  const own = {
    ...stage.settings,
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    ON_DELETE: 'delete',
    ITERABLE_SETTLE_SECONDS: '0.4',
  };
  processes.push(await startProcess('iterable-writer', own));
};
const running = () => processes.filter(({ child }) => child.exitCode === null && child.signalCode === null);
const active = () => waitFor('an active writer', () => activeOf(running(), 'sync_writer_active'), 60_000);

const addressOf = (n: number, round: number) => `lead${n}-${round}@example.com`;
const isDeleted = (n: number) => n % 5 === 0;
const saidNo = (n: number) => n % 7 === 0;

/** What is told of a lead in a round: another address each time; at the end some are deleted, and some say no. */
function messageOf(n: number, round: number): Partial<UserMessage> & { readonly recordId: string } {
  const base = { recordId: leadId(n), version: { modstampMs: (round + 1) * 1_000, fetchedAtMs: 0 } };
  const last = round === ROUNDS - 1;
  if (last && isDeleted(n))
    return { ...base, kind: 'removal', gone: true, outcome: 'skipped', reason: 'salesforce.deleted' };
  const optOut = { allMarketing: true, channelIds: [], messageTypeIds: [] };
  return {
    ...base,
    email: addressOf(n, round),
    dataFields: { Round: round },
    ...(last && saidNo(n) ? { optOut } : {}),
  };
}

/** Kills the active writer when it has made some more calls. */
async function killActive(): Promise<void> {
  const calls = stage.sandbox.requests({}).length;
  await waitFor('some calls', () => stage.sandbox.requests({}).length > calls + 20, 60_000);
  await (await active()).kill();
  await startWriter();
}

it('leaves one profile a lead, at its last address, when the active writer is killed in the middle of moves', async () => {
  stage = await new Stage({
    brokers: inject('kafkaBrokers'),
    switches: { visibilityDelayBulkMs: 100, visibilityDelaySingleMs: 150 },
  }).open();
  // Killed between a call and its answer, too.
  stage.fault('latency', { rate: 0.3, options: { delayMs: 400, applied: true } });
  await Promise.all([startWriter(), startWriter()]);
  const told = (async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const messages = Array.from({ length: LEADS }, (_, n) => messageOf(n, round));
      await stage.tell(round % 2 === 0 ? 'realtime' : 'backfill', messages);
      // The next addresses come while the moves to these are on their way.
      const moves = () => stage.sandbox.requests({ endpoint: 'users/updateEmail' }).length;
      const enough = () => (round === 0 ? stage.sandbox.stats().users >= LEADS : moves() >= round * LEADS * 0.3);
      await waitFor('some of the round', enough, 120_000);
    }
  })();
  const killed = (async () => {
    for (let kill = 0; kill < KILLS; kill += 1) await killActive();
  })();
  await Promise.all([told, killed]);
  await waitFor('all to be committed', async () => (await stage.uncommitted()) === 0, 240_000);

  const kept = Array.from({ length: LEADS }, (_, n) => n).filter((n) => !isDeleted(n));
  for (const n of kept) {
    const profile = stage.profile({ email: addressOf(n, ROUNDS - 1) });
    expect(profile, `lead ${n}`).toMatchObject({ Round: ROUNDS - 1 });
    if (saidNo(n)) expect(profile?.['unsubscribedChannelIds'], `lead ${n}`).not.toEqual([]);
  }
  expect(stage.sandbox.stats().users).toBe(kept.length);
  expect(await stage.deadLetters()).toEqual([]);
});
