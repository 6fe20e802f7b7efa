import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { BACKFILL_TARGET, topics, type BackfillStart } from '@libs/contracts';
import { createEventLog, type EventLog } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { startBroker } from '../../../tools/kafka/broker.mjs';
import { startDemo } from '../../support/demo.js';
import { startSandbox } from '../../support/sandbox.js';
import { startStack } from '../../support/stack.js';
import type { Change } from './changes.js';
import {
  allAreDone,
  allowance,
  backfillLag,
  lagOf,
  MORE,
  SANDBOX_MEMORY,
  WINDOW_MS,
  type Doors,
  type Scene,
} from './scene.js';

export interface PipelineOptions {
  readonly log: 'kafka' | 'embedded';
  readonly leads: number;
  /** Real-time changes that will be made at most: each of a Contact of its own. */
  readonly changes: number;
  readonly writerSettings: Readonly<Record<string, string>>;
}

/** One Contact in six or so has no address or opted out: those are not changed. */
const SPARE = 1.5;

/** Everything, from the org to the project: on Kafka each service a process, on the embedded log one process with the sandbox in it. */
export async function pipeline(options: PipelineOptions): Promise<Scene> {
  const scene = options.log === 'kafka' ? await onKafka(options) : await onEmbedded(options);
  const contacts = await scene.sandbox.query(
    'SELECT Id FROM Contact WHERE Email != null AND HasOptedOutOfEmail = false AND IsDeleted = false',
  );
  scene.contacts.push(...contacts.map((row) => String(row['Id'])));
  return scene;
}

async function onKafka({ leads, changes, writerSettings }: PipelineOptions): Promise<Pipeline> {
  const broker = await startBroker();
  const sandbox = await startSandbox(SANDBOX_MEMORY);
  await sandbox.admin('POST', '/seed', { leads, contacts: Math.ceil(changes * SPARE) + 1, accounts: 100, seed: 1 });
  const own = {
    KAFKA_SESSION_TIMEOUT_MS: '10000',
    ITERABLE_SETTLE_SECONDS: '60',
    BATCHER_WINDOW_MS: String(WINDOW_MS),
  };
  const only = ['cdc-listener', 'batcher', 'mapper', 'backfill'] as const;
  const stack = await startStack({ brokers: broker.brokers, sandbox, instances: 1, only, own });
  const writer = await stack.start('iterable-writer', writerSettings);
  return new Pipeline({
    log: stack.log,
    sandbox,
    pids: {
      ...Object.fromEntries(stack.running.map(({ app, child }) => [app, child.pid ?? 0])),
      sandbox: sandbox.process.child.pid ?? 0,
      kafka: broker.pid ?? 0,
    },
    writerUrl: writer.url,
    async close() {
      await writer.stop();
      await stack.stop();
      await sandbox.stop();
      await broker.stop();
    },
  });
}

async function onEmbedded({ leads, changes, writerSettings }: PipelineOptions): Promise<Pipeline> {
  const demo = await startDemo({
    ...SANDBOX_MEMORY,
    ...writerSettings,
    SANDBOX_LEADS: String(leads),
    SANDBOX_CONTACTS: String(Math.ceil(changes * SPARE) + 1),
    SANDBOX_ACCOUNTS: '100',
    SANDBOX_CHANGES_PER_SECOND: '0',
    SANDBOX_DELIVERED_EVENTS_PER_DAY: '0',
    ITERABLE_SETTLE_SECONDS: '60',
    BATCHER_WINDOW_MS: String(WINDOW_MS),
  });
  const log = await createEventLog(
    {
      KAFKA_BROKERS: undefined,
      KAFKA_SSL: false,
      KAFKA_TOPIC_PREFIX: '',
      KAFKA_PARTITIONS: 6,
      KAFKA_REPLICATION: 1,
      KAFKA_COMPRESSION: 'none',
      KAFKA_SESSION_TIMEOUT_MS: 10_000,
      DATA_DIR: join(demo.dataDir, 'demo'), // where it keeps what belongs to its sandbox
    },
    { clientId: 'bench', logger: createLogger('bench', 'silent') },
  );
  return new Pipeline({
    log,
    sandbox: demo.sandbox,
    pids: { 'everything, sandbox included': demo.process.child.pid ?? 0 },
    writerUrl: demo.process.url,
    async close() {
      await log.close();
      await demo.stop();
    },
  });
}

interface Parts {
  readonly log: EventLog;
  readonly sandbox: Doors;
  readonly pids: Readonly<Record<string, number>>;
  readonly writerUrl: string;
  readonly close: () => Promise<void>;
}

class Pipeline implements Scene {
  /** Not changed yet. */
  readonly contacts: string[] = [];
  readonly log: EventLog;
  readonly sandbox: Doors;

  constructor(private readonly parts: Parts) {
    this.log = parts.log;
    this.sandbox = parts.sandbox;
  }

  pids(): Readonly<Record<string, number>> {
    return this.parts.pids;
  }

  writerUrl(): string {
    return this.parts.writerUrl;
  }

  async begin(seconds: number | 'all') {
    const all = seconds === 'all';
    // Once it is read it does not wait any more: what it reads is what is bounded
    const where = all ? {} : { where: `Id <= '${await this.lastOf(seconds)}'` };
    const newUsers = all ? (await this.sandbox.query('SELECT Id FROM Lead WHERE Email != null')).length : 0;
    const atMs = Date.now();
    await this.start({ object: 'Lead', ...where });
    return { atMs, newUsers };
  }

  async isWaiting(): Promise<boolean> {
    return (await lagOf(this.log, 'mapper', topics.backfillBatches)) + (await backfillLag(this.log)) > 0;
  }

  end(): Promise<void> {
    return allAreDone(this.log);
  }

  async change(): Promise<Change> {
    const recordId = this.contacts.pop();
    if (recordId === undefined) throw new Error('there are not enough Contacts');
    const madeAtMs = Date.now();
    await this.sandbox.updateRecord('Contact', recordId, { Title: `Title of ${madeAtMs}` });
    return { recordId, madeAtMs };
  }

  close(): Promise<void> {
    return this.parts.close();
  }

  /** The last of as many Leads as keep the writer busy for so long. */
  private async lastOf(seconds: number): Promise<string> {
    const count = Math.ceil(seconds * allowance.requestsPerSecond * allowance.usersPerRequest * MORE);
    const leads = await this.sandbox.query(`SELECT Id FROM Lead ORDER BY Id LIMIT ${count}`);
    if (leads.length < count) throw new Error(`${count} Leads are needed for ${seconds} seconds: more --users`);
    return String(leads.at(-1)?.['Id']);
  }

  private async start(data: BackfillStart): Promise<void> {
    const command = { id: randomUUID(), type: 'backfill.start', data };
    await this.log.append([{ topic: topics.commands, key: BACKFILL_TARGET, value: command }]);
  }
}
