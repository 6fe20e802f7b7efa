import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { allTopics, type Topic } from '@libs/contracts';
import { createEventLog, decode, type EventLog } from '@libs/event-log';
import { createLogger } from '@libs/observability';
import { activeOf } from './metrics.js';
import { startProcess, type ServiceProcess } from './processes.js';
import type { SandboxProcess } from './sandbox.js';
import { waitFor } from './wait.js';

export const services = ['cdc-listener', 'batcher', 'mapper', 'iterable-writer', 'backfill'] as const;
export type ServiceName = (typeof services)[number];

/** All services as processes of their own on one Kafka, with topics of their own. */
export interface Stack {
  readonly log: EventLog;
  readonly settings: Readonly<Record<string, string>>;
  readonly running: readonly ServiceProcess[];
  of(app: ServiceName): ServiceProcess[];
  start(app: ServiceName, own?: Readonly<Record<string, string>>, awaitReady?: boolean): Promise<ServiceProcess>;
  /** Everything on a topic up to now, decoded. */
  readAll<T>(topic: Topic<T>): Promise<T[]>;
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly brokers: string;
  readonly sandbox: Pick<SandboxProcess, 'settings'>;
  /** Instances of each service. */
  readonly instances: number;
  /** Only these services; default: all. */
  readonly only?: readonly ServiceName[];
  readonly own?: Readonly<Record<string, string>>;
}

/** Applies the topics and starts the services, without waiting for standbys to be more than alive. */
export async function startStack({
  brokers,
  sandbox,
  instances,
  only = services,
  own = {},
}: StackOptions): Promise<Stack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'sync-stack-'));
  const shared = {
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.`,
    KAFKA_SESSION_TIMEOUT_MS: '6000',
    BATCHER_WINDOW_MS: '1000',
    ITERABLE_SETTLE_SECONDS: '1', // the sandbox's pipelines take no time unless told to
    DATA_DIR: dataDir,
    ...sandbox.settings,
    ...own,
  };
  const log = await createEventLog(
    {
      KAFKA_BROKERS: brokers.split(','),
      KAFKA_SSL: false,
      KAFKA_TOPIC_PREFIX: shared.KAFKA_TOPIC_PREFIX,
      KAFKA_PARTITIONS: Number((own as Record<string, string>)['KAFKA_PARTITIONS'] ?? 6),
      KAFKA_REPLICATION: 1,
      KAFKA_COMPRESSION: 'none',
      KAFKA_SESSION_TIMEOUT_MS: 6_000,
      DATA_DIR: dataDir,
    },
    { clientId: 'test', logger: createLogger('test', 'silent') },
  );
  await log.applyTopics(allTopics);
  const running: ServiceProcess[] = [];
  const start: Stack['start'] = async (app, extra = {}, awaitReady = true) => {
    const service = await startProcess(app, { ...shared, ...extra }, awaitReady);
    running.push(service);
    return service;
  };
  for (let instance = 0; instance < instances; instance += 1) await Promise.all(only.map((app) => start(app)));
  const listeners = () => running.filter(({ app }) => app === 'cdc-listener');
  const listens = () => activeOf(listeners(), 'sync_listener_active');
  await waitFor('an active listener that is ready', async () => (await listens())?.isReady(), 60_000);
  return {
    log,
    settings: shared,
    running,
    of: (app) =>
      running.filter(
        (service) => service.app === app && service.child.exitCode === null && service.child.signalCode === null,
      ),
    start,
    async readAll<T>(topic: Topic<T>) {
      const values: T[] = [];
      for await (const records of log.read(topic, { untilEnd: true })) {
        for (const record of records) {
          const decoded = decode(topic, record.value);
          if (decoded.ok) values.push(decoded.value);
        }
      }
      return values;
    },
    async stop() {
      await Promise.all(running.map((service) => service.kill()));
      await log.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
