/**
 * `node dist/test/chaos/capture.js --transport cometd|pubsub`: change capture under everything that can go wrong, on real Kafka.
 * Changes over a set of Leads while the listener is killed every 20 s, connections break, sessions end, events come twice, become
 * gaps or an overflow, a replay id expires, and everybody is away for 80 hours of the org's clock. Ends with a comparison of every
 * Lead with its Iterable profile, and of holes opened with holes closed. `--changes N --records N --seed N`; `--allowance N` lets
 * the org deliver so many events a day, so that the listener polls until the 80 hours give it back.
 */
import { parseArgs } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { topics } from '@libs/contracts';
import { startBroker } from '../../tools/kafka/broker.mjs';
import { compareLeads } from '../support/compare.js';
import { activeOf, sample } from '../support/metrics.js';
import { startSandbox, type SandboxProcess } from '../support/sandbox.js';
import { startStack, type Stack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'cometd' },
    changes: { type: 'string', default: '200000' },
    records: { type: 'string', default: '20000' },
    seed: { type: 'string', default: '1' },
    allowance: { type: 'string', default: '0' },
  },
});
const transport = values.transport;
const limited = Number(values.allowance) > 0;
const TRANSACTION = 200;
const KILL_EVERY_MS = 20_000;
const AWAY_SECONDS = 80 * 3_600;
const DEADLINE_MS = 20 * 60_000;

/** The faults that go on all the time, at a rate of the requests they can hit. */
const FAULTS: Readonly<Record<string, ReadonlyArray<readonly [kind: string, rate: number]>>> = {
  cometd: [
    ['cometd-unknown-client', 0.01],
    ['cometd-401', 0.005],
    ['cometd-cut-body', 0.005],
    ['cometd-rewind', 0.5],
    ['session-expired', 0.002],
    ['event-gap', 0.01],
  ],
  pubsub: [
    ['pubsub-reset', 0.001],
    ['pubsub-unauthenticated', 0.001],
    ['pubsub-unavailable', 0.001],
    ['pubsub-rewind', 0.5],
    ['session-expired', 0.002],
    ['event-gap', 0.01],
  ],
};
const EXPIRY: Readonly<Record<string, string>> = { cometd: 'cometd-replay-expired', pubsub: 'pubsub-replay-corrupted' };

/** A repeatable source of numbers in [0, 1): mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const say = (text: string) => process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);

async function backfill(stack: Stack): Promise<void> {
  const id = randomUUID();
  await stack.log.append([
    { topic: topics.commands, key: 'backfill', value: { id, type: 'backfill.start', data: { object: 'Lead' } } },
  ]);
  await waitFor(
    'the first backfill',
    async () => (await stack.readAll(topics.status)).some((one) => one.id === id && one.type === 'completed'),
    DEADLINE_MS,
    500,
  );
}

async function holes(stack: Stack) {
  const all = await stack.readAll(topics.status);
  const ids = (type: string) => new Set(all.filter((one) => one.type === type).map((one) => one.id));
  const opened = ids('hole-opened');
  const closed = ids('hole-closed');
  const reasons: Record<string, number> = {};
  for (const one of all)
    if (one.type === 'hole-opened')
      reasons[String(one.data['reason'])] = (reasons[String(one.data['reason'])] ?? 0) + 1;
  return {
    opened: opened.size,
    closed: closed.size,
    open: [...opened].filter((id) => !closed.has(id)).length,
    reasons,
  };
}

/** Is change capture by events again, not by polling? */
async function followsEvents(stack: Stack): Promise<boolean> {
  const active = await activeOf(stack.of('cdc-listener'), 'sync_listener_active');
  return active !== null && (await sample(active, 'sync_listener_mode{mode="events"}')) === 1;
}

async function killer(stack: Stack, signal: AbortSignal): Promise<number> {
  let kills = 0;
  while (!signal.aborted) {
    await delay(KILL_EVERY_MS, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) break;
    const active = await activeOf(stack.of('cdc-listener'), 'sync_listener_active');
    if (active === null) continue;
    await active.kill();
    kills += 1;
    await stack.start('cdc-listener', {}, false);
  }
  return kills;
}

async function change(
  sandbox: SandboxProcess,
  ids: readonly string[],
  changes: number,
  random: () => number,
  tag: string,
): Promise<void> {
  for (let done = 0; done < changes; done += TRANSACTION) {
    const chosen = new Set<string>();
    while (chosen.size < Math.min(TRANSACTION, changes - done))
      chosen.add(ids[Math.floor(random() * ids.length)] as string);
    const records = [...chosen].map((Id, index) => ({ Id, Company: `${tag} ${done + index}` }));
    await sandbox.admin('POST', '/salesforce/records', { kind: 'update', object: 'Lead', records, client: 'people' });
    await delay(30); // about 5,000 changes a second
  }
}

/** How far capture has come, beside what happens. */
async function sayWhere(stack: Stack): Promise<void> {
  const changes = (await stack.log.offsets(topics.changes)).reduce((sum, { next }) => sum + next, 0);
  const { opened, closed } = await holes(stack);
  say(`  ${changes} changes in the log, ${opened} holes opened, ${closed} closed`);
}

/** Capture may be behind by what was broken on the way: waits until it has met this. */
async function meets(stack: Stack, reason: string): Promise<void> {
  await waitFor(`a hole by ${reason}`, async () => (await holes(stack)).reasons[reason], 180_000, 500);
}

const broker = await startBroker();
const sandbox = await startSandbox({
  SANDBOX_STREAM_SPEED: '10',
  SANDBOX_DELIVERED_EVENTS_PER_DAY: values.allowance,
});
const leads = Number(values.records);
await sandbox.admin('POST', '/seed', { leads, contacts: 1, accounts: 1, seed: Number(values.seed) });
const stack = await startStack({
  brokers: broker.brokers,
  sandbox,
  instances: 1,
  own: {
    SALESFORCE_STREAMING: transport,
    BATCHER_WINDOW_MS: '2000',
    LISTENER_POLL_MS: '5000',
    SALESFORCE_PUBSUB_ENDPOINT: sandbox.pubsubEndpoint,
    SALESFORCE_PUBSUB_INSECURE: 'true',
  },
});
await stack.start('cdc-listener', {}, false);
const random = randomOf(Number(values.seed));
try {
  say(`${leads} leads; first backfill`);
  await backfill(stack);
  const ids = (await sandbox.query('SELECT Id FROM Lead')).map((row) => String(row['Id']));
  const began = Date.now();
  for (const [kind, rate] of FAULTS[transport] ?? [])
    await sandbox.admin('POST', '/faults', { system: 'salesforce', kind, rate });
  const ending = new AbortController();
  const killing = killer(stack, ending.signal);
  const each = Math.floor(Number(values.changes) / 4);

  say('changes while connections break, sessions end, events come twice or as gaps, and the listener is killed');
  await change(sandbox, ids, each, random, 'first');
  await sayWhere(stack);
  say('one overflow');
  await sandbox.admin('POST', '/faults', { system: 'salesforce', kind: 'event-overflow', rate: 1, count: 1 });
  await change(sandbox, ids, each, random, 'second');
  // Past the allowance no event is met any more
  await meets(stack, limited ? 'allowance' : 'overflow');
  await sayWhere(stack);
  say('one replay id expires');
  await sandbox.admin('POST', '/faults', { system: 'salesforce', kind: EXPIRY[transport], rate: 1, count: 1 });
  await sandbox.admin('POST', transport === 'cometd' ? '/salesforce/cometd/drop' : '/salesforce/pubsub/drop', {});
  await change(sandbox, ids, each, random, 'third');
  if (!limited) await meets(stack, 'replay-expired');
  await sayWhere(stack);
  ending.abort();
  let kills = await killing;
  say('everybody away for 80 hours');
  for (const one of stack.of('cdc-listener')) await one.kill();
  await change(sandbox, ids, each, random, 'while away');
  await sandbox.admin('POST', '/clock', { advanceSeconds: AWAY_SECONDS });
  await sandbox.admin('DELETE', '/faults');
  await Promise.all([stack.start('cdc-listener'), stack.start('cdc-listener', {}, false)]);
  kills += 2;

  say('settling');
  const settled = await waitFor(
    'the systems to agree',
    async () => {
      const now = await holes(stack);
      if (now.open > 0 || !(await followsEvents(stack))) return null;
      const comparison = await compareLeads(sandbox);
      return comparison.missing.length + comparison.different.length === 0 ? { now, comparison } : null;
    },
    DEADLINE_MS,
    2_000,
  );
  const { withoutEmail, compared } = settled.comparison;
  process.stdout.write(
    `${JSON.stringify({ transport, changes: each * 4, records: compared, withoutEmail, missing: 0, different: 0, kills, holes: settled.now, seconds: Math.round((Date.now() - began) / 1000) })}\n`,
  );
} catch (error) {
  const comparison = await compareLeads(sandbox);
  process.stderr.write(
    `${String(error)}\n${JSON.stringify({ holes: await holes(stack), missing: comparison.missing.length, different: comparison.different.length })}\n`,
  );
  for (const one of stack.running) process.stderr.write(`--- ${one.app}\n${one.output().slice(-2_000)}\n`);
  process.exitCode = 1;
} finally {
  await stack.stop();
  await sandbox.stop();
  await broker.stop();
}
