import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { outcomeKinds, topics, type Lane, type OutcomeKind } from '@libs/contracts';
import { decode } from '@libs/event-log';
import { createMetrics, Health } from '@libs/observability';
import { Accountant } from '../apps/console/src/accounting/accountant.js';
import type { AccountingAnswer } from '../apps/console/src/core/accounting-answers.js';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { startStack, type ServiceName, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';

const LEADS = 30_000;
const ACCOUNTS = 20;
/** Each of them is killed twice while all of it is under way. */
const VICTIMS: readonly ServiceName[] = ['batcher', 'mapper', 'iterable-writer'];

let sandbox: SandboxProcess;
let stack: Stack;

beforeAll(async () => {
  sandbox = await startSandbox();
  await sandbox.admin('POST', '/seed', { leads: LEADS, contacts: 200, accounts: ACCOUNTS, seed: 1 });
  stack = await startStack({ brokers: inject('kafkaBrokers'), sandbox, instances: 1 });
});
afterAll(async () => {
  await stack?.stop();
  await sandbox?.stop();
});

type Row = Record<OutcomeKind, number> & { in: number };
const rowKey = (object: string, lane: Lane) => `${object} ${lane}`;

/** The account as anyone would make it who reads both topics whole: no positions, no batches, no updates. */
async function countedByHand(): Promise<Record<string, Row>> {
  const kinds = new Map<string, OutcomeKind>();
  for (const { offsets, kind } of await stack.readAll(topics.outcomes)) {
    for (const name of offsets) if (!kinds.has(name)) kinds.set(name, kind);
  }
  const rows: Record<string, Row> = {};
  for await (const records of stack.log.read(topics.changes, { untilEnd: true })) {
    for (const { partition, offset, value } of records) {
      const change = decode(topics.changes, value);
      if (!change.ok) throw new Error(`unreadable change ${partition}:${offset}`);
      const none = Object.fromEntries(outcomeKinds.map((kind) => [kind, 0])) as Record<OutcomeKind, number>;
      const row = (rows[rowKey(change.value.recordType, change.value.lane)] ??= { in: 0, ...none });
      row.in += 1;
      const kind = kinds.get(`${partition}:${offset}`);
      if (kind !== undefined) row[kind] += 1;
    }
  }
  return rows;
}

/** Changes Leads and Accounts until `signal` aborts. */
async function keepChanging(signal: AbortSignal): Promise<void> {
  const leads = (await sandbox.query('SELECT Id FROM Lead LIMIT 400')).map(({ Id }) => String(Id));
  const accounts = (await sandbox.query('SELECT Id FROM Account')).map(({ Id }) => String(Id));
  for (let turn = 0; !signal.aborted; turn += 1) {
    const some = leads.slice((turn * 40) % leads.length).slice(0, 40);
    await sandbox.updateRecords('Lead', some, () => ({ Company: `Company of turn ${turn}` }));
    await sandbox.updateRecord('Account', String(accounts[turn % ACCOUNTS]), { Name: `Account of turn ${turn}` });
    await wait(250, undefined, { signal }).catch(() => undefined);
  }
}

it('has no gap at any time while services are killed, and each change of a backfill and of live changes once in the end', async () => {
  const told: AccountingAnswer[] = [];
  const accountant = new Accountant({ log: stack.log, health: new Health(), metrics: createMetrics() }, (answer) =>
    told.push(answer),
  );
  const never = new AbortController().signal;
  const account = async () => {
    await accountant.evaluate(never);
    return told.at(-1) as AccountingAnswer;
  };
  const stop = new AbortController();
  const changing = keepChanging(stop.signal);
  const accounting = (async () => {
    while (!stop.signal.aborted) await account();
  })();
  const id = randomUUID();
  await stack.log.append([
    { topic: topics.commands, key: 'backfill', value: { id, type: 'backfill.start', data: { object: 'Lead' } } },
  ]);
  const written = () => (told.at(-1)?.rows ?? []).reduce((sum, row) => sum + row.written, 0);
  for (const app of [...VICTIMS, ...VICTIMS]) {
    const before = written();
    await waitFor(`writes before ${app} is killed`, () => written() > before, 60_000);
    await Promise.all(stack.of(app).map((service) => service.kill()));
    await stack.start(app);
  }
  const completed = await waitFor(
    'the end of the backfill',
    async () => (await stack.readAll(topics.status)).find((one) => one.id === id && one.type === 'completed'),
    180_000,
    500,
  );
  stop.abort();
  await Promise.all([changing, accounting]);
  const last = await waitFor(
    'everything to end',
    async () => {
      const now = await account();
      return now.rows.every(({ inFlight }) => inFlight === 0) ? now : null;
    },
    60_000,
    500,
  );

  expect(told.filter(({ gap }) => gap > 0)).toEqual([]);
  const rows = Object.fromEntries(
    last.rows.map(({ object, lane, inFlight: _none, gap: _nor, ...row }) => [rowKey(object, lane), row]),
  );
  expect(rows).toEqual(await countedByHand());
  for (const { in: all, ...kinds } of Object.values(rows)) {
    expect(outcomeKinds.reduce((sum, kind) => sum + kinds[kind], 0)).toBe(all);
  }
  expect(rows['Lead backfill']?.in).toBe(completed.data['enqueued']);
  expect(rows['Lead realtime']?.in).toBeGreaterThan(0);
  expect(rows['Contact realtime']?.in).toBeGreaterThan(0); // fan-outs
  expect(rows['Account realtime']?.expanded).toBe(rows['Account realtime']?.in);
});
