import { Kafka, logLevel } from 'kafkajs';
import type { TestProject } from 'vitest/node';
import { BrokerUnavailableError, startBroker, type Broker } from '../../tools/kafka/broker.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Brokers of the run, as KAFKA_BROKERS takes them. */
    kafkaBrokers: string;
  }
}

/** One broker for all projects of a run: they set up in one process, each with its own copy of this module. */
interface Shared {
  users: number;
  broker: Promise<Broker> | null;
}

const KEY = Symbol.for('salesforce-iterable-sync.broker');
const shared = ((globalThis as { [KEY]?: Shared })[KEY] ??= { users: 0, broker: null });

async function checkGiven(brokers: string): Promise<void> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING, retry: { retries: 2 } });
  const admin = kafka.admin();
  try {
    await admin.connect();
  } catch (error) {
    throw new BrokerUnavailableError(`KAFKA_BROKERS=${brokers} is set, but no broker answers there.`, { cause: error });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Vitest's global setup: KAFKA_BROKERS if it is set, else a real broker of our own; never a silent skip. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    await checkGiven(given);
    project.provide('kafkaBrokers', given);
    return undefined;
  }
  shared.users += 1;
  shared.broker ??= startBroker();
  const broker = await shared.broker;
  project.provide('kafkaBrokers', broker.brokers);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    shared.broker = null;
    await broker.stop();
  };
}
