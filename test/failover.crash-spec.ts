import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { topics } from '@libs/contracts';
import { compareLeads } from './support/compare.js';
import { activeOf } from './support/metrics.js';
import { startSandbox, type SandboxProcess } from './support/sandbox.js';
import { services, startStack, type ServiceName, type Stack } from './support/stack.js';
import { waitFor } from './support/wait.js';

/** Two of each service; the singletons have one active and one standing by. */
let sandbox: SandboxProcess;
let stack: Stack;

const LEADS = 40_000;
const gauges: Partial<Record<ServiceName, string>> = {
  'cdc-listener': 'sync_listener_active',
  'iterable-writer': 'sync_writer_active',
};

beforeAll(async () => {
  sandbox = await startSandbox();
  await sandbox.admin('POST', '/seed', { leads: LEADS, contacts: 100, accounts: 20, seed: 1 });
  stack = await startStack({ brokers: inject('kafkaBrokers'), sandbox, instances: 2 });
});
afterAll(async () => {
  await stack?.stop();
  await sandbox?.stop();
});

/** The instance that a kill hurts: the active one of a singleton, else any. */
async function victim(app: ServiceName) {
  const gauge = gauges[app];
  if (gauge === undefined) return stack.of(app)[0] ?? null;
  return waitFor(`an active ${app}`, () => activeOf(stack.of(app), gauge), 60_000);
}

async function newLeadArrives(): Promise<void> {
  const email = `${randomUUID()}@example.com`;
  await sandbox.createRecord('Lead', { FirstName: 'A', LastName: 'B', Company: 'C', Email: email });
  await waitFor('the profile', () => sandbox.profile(email), 60_000);
}

describe('two of each service on Kafka', () => {
  it('has one active listener and one active writer', async () => {
    for (const [app, gauge] of Object.entries(gauges) as Array<[ServiceName, string]>) {
      await victim(app);
      const active = await Promise.all(stack.of(app).map(async (one) => (await activeOf([one], gauge)) !== null));
      expect(active.filter(Boolean)).toHaveLength(1);
    }
    await newLeadArrives();
  });

  it.each(Object.keys(gauges) as ServiceName[])(
    'goes on with the standby when the active %s is killed',
    async (app) => {
      const killed = await victim(app);
      await killed?.kill();
      await newLeadArrives();
      const next = await victim(app);
      expect(next).not.toBe(killed);
      await stack.start(app);
    },
  );

  it('loses nothing when each service is killed once during a backfill of 40,000', async () => {
    const id = randomUUID();
    await stack.log.append([
      { topic: topics.commands, key: 'backfill', value: { id, type: 'backfill.start', data: { object: 'Lead' } } },
    ]);
    const status = async () => (await stack.readAll(topics.status)).filter((one) => one.id === id).at(-1);
    await waitFor('the first writes', async () => Number((await status())?.data['written'] ?? 0) > 0, 60_000);
    for (const app of services) {
      await (await victim(app))?.kill();
      await stack.start(app, {}, false);
    }
    const completed = await waitFor(
      'the end',
      async () => {
        const last = await status();
        return last?.type === 'completed' || last?.type === 'failed' ? last : null;
      },
      240_000,
      500,
    );

    const comparison = await compareLeads(sandbox);
    expect(comparison).toMatchObject({ missing: [], different: [] });
    const counts = completed.data as {
      queried: number;
      enqueued: number;
      written: number;
      skipped: number;
      dead: number;
      superseded: number;
    };
    expect(completed.type).toBe('completed');
    expect(counts.queried).toBe(comparison.compared);
    expect(counts.dead).toBe(0);
    expect(counts.skipped).toBe(comparison.withoutEmail);
    // Invariant 4: each enqueued change has exactly one fate.
    expect(counts.written + counts.superseded + counts.skipped).toBe(counts.enqueued);
  });
});
