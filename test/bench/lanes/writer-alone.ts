import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataSettings, eventLogSettings, loadSettings } from '@libs/config';
import { allTopics, updateTopics, type Lane, type UserUpdate } from '@libs/contracts';
import { createEventLog, type EventLog } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { z } from 'zod';
import { startBroker, type Broker } from '../../../tools/kafka/broker.mjs';
import { sample } from '../../support/metrics.js';
import { startProcess, type ServiceProcess } from '../../support/processes.js';
import { startSandbox, type SandboxProcess } from '../../support/sandbox.js';
import { waitFor } from '../../support/wait.js';
import type { Change } from './changes.js';
import { leadUpdates, updateOf } from './lead-updates.js';
import { allowance, backfillLag, MORE, SANDBOX_MEMORY, writerIsDone, type Scene } from './scene.js';

/** Leads that the updates are modelled on. */
const MODELS = 2_000;
/** Appended at once. */
const RUN = 10_000;

export interface WriterAloneOptions {
  /** Of the whole backfill. */
  readonly users: number;
  /** For the writer's process alone, e.g. a profiler's. */
  readonly writerSettings: Readonly<Record<string, string>>;
}

/**
 * The writer's process on Kafka with its topics full: nothing before it takes processor time while it is measured. A backfill is appended
 * while no writer runs; the next ones write the same people anew.
 */
export async function writerAlone({ users, writerSettings }: WriterAloneOptions): Promise<Scene> {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-writer-'));
  const broker = await startBroker();
  const sandbox = await startSandbox(SANDBOX_MEMORY);
  const settings = {
    ...sandbox.settings,
    KAFKA_BROKERS: broker.brokers,
    KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.`,
    DATA_DIR: dataDir,
  };
  await sandbox.admin('POST', '/seed', { leads: MODELS, contacts: 0, accounts: 0, seed: 1 });
  const models = await leadUpdates(sandbox);
  const schema = z.object({ ...eventLogSettings.shape, ...dataSettings.shape });
  const parsed = loadSettings('bench', schema, settings);
  const log = await createEventLog(parsed, { clientId: 'bench', logger: createLogger('bench', 'silent') });
  await log.applyTopics(allTopics);
  return new WriterAlone({ log, sandbox, broker, settings, writerSettings, models, users, dataDir });
}

interface Parts extends Pick<WriterAloneOptions, 'users' | 'writerSettings'> {
  readonly log: EventLog;
  readonly sandbox: SandboxProcess;
  readonly broker: Broker;
  readonly settings: Readonly<Record<string, string>>;
  readonly models: readonly UserUpdate[];
  readonly dataDir: string;
}

class WriterAlone implements Scene {
  private writer: ServiceProcess | null = null;
  /** Records from here on are the real-time ones. */
  private next: number;

  constructor(private readonly parts: Parts) {
    this.next = parts.users;
  }

  get log(): EventLog {
    return this.parts.log;
  }

  get sandbox(): SandboxProcess {
    return this.parts.sandbox;
  }

  pids(): Record<string, number> {
    const { sandbox, broker } = this.parts;
    return {
      ...(this.writer === null ? {} : { 'iterable-writer': this.writer.child.pid ?? 0 }),
      sandbox: sandbox.process.child.pid ?? 0,
      kafka: broker.pid ?? 0,
    };
  }

  writerUrl(): string {
    return this.writer?.url ?? '';
  }

  async begin(seconds: number | 'all') {
    await this.writer?.stop();
    const { users, settings, writerSettings } = this.parts;
    const perSecond = allowance.requestsPerSecond * allowance.usersPerRequest;
    const wanted = seconds === 'all' ? users : Math.ceil(seconds * perSecond * MORE);
    const nowMs = Date.now();
    for (let at = 0; at < wanted; at += RUN) {
      const some = Array.from({ length: Math.min(RUN, wanted - at) }, (_, n) => (at + n) % users);
      await this.append('backfill', some, nowMs + Math.floor(at / users));
    }
    const writer = await startProcess('iterable-writer', { ...settings, ...writerSettings });
    this.writer = writer;
    await waitFor('an active writer', async () => (await sample(writer, 'sync_writer_active')) === 1, 60_000, 10);
    return { atMs: Date.now(), newUsers: seconds === 'all' ? users : 0 };
  }

  async isWaiting(): Promise<boolean> {
    return (await backfillLag(this.log)) > 0;
  }

  end(): Promise<void> {
    return writerIsDone(this.log);
  }

  async change(): Promise<Change> {
    const madeAtMs = Date.now();
    const n = this.next++;
    await this.append('realtime', [n], madeAtMs);
    return { recordId: updateOf(this.parts.models, n, madeAtMs).recordId, madeAtMs };
  }

  async close(): Promise<void> {
    const { log, sandbox, broker, dataDir } = this.parts;
    await this.writer?.stop();
    await log.close();
    await sandbox.stop();
    await broker.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }

  private async append(lane: Lane, some: readonly number[], nowMs: number): Promise<void> {
    const values = some.map((n) => updateOf(this.parts.models, n, nowMs));
    await this.log.append(values.map((value) => ({ topic: updateTopics[lane], key: value.recordId, value })));
  }
}
