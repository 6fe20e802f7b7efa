import { eventLogSettings } from '@libs/config';
import { createLogger } from '@libs/observability';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../../tools/kafka/broker.mjs';
import { createEventLog } from '../create-event-log.js';
import { makeTopic, notes, readAll, until } from '../testing/adapters.js';
import { LogAccessRefusedError } from './errors.js';

const USER = { username: 'sync', password: 'correct-horse' };
const topic = makeTopic();

let broker: Broker | undefined;
beforeAll(async () => {
  broker = await startBroker({ sasl: USER });
});
afterAll(() => broker?.stop());

const open = (mechanism: string, password: string) =>
  createEventLog(
    eventLogSettings.parse({
      KAFKA_BROKERS: broker?.saslBrokers,
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: USER.username,
      KAFKA_SASL_PASSWORD: password,
      KAFKA_TOPIC_PREFIX: `${mechanism}.`,
      KAFKA_PARTITIONS: '2',
    }),
    { clientId: 'tester', logger: createLogger('test', 'silent') },
  );

describe.each(['plain', 'scram-sha-512'])('kafka log with SASL %s', (mechanism) => {
  it('works with the right password', async () => {
    const log = await open(mechanism, USER.password);
    await log.applyTopics([topic]);
    await log.append(notes(topic, 3));
    expect(await readAll(log, topic)).toHaveLength(3);
    let seen = 0;
    await log.consume(
      { group: 'sasl', topics: [topic] },
      { onCrash: () => {}, onRecords: (records) => Promise.resolve(void (seen += records.length)) },
    );
    await until(() => seen === 3, 'everything was handed out');
    await log.close();
  });

  it('says that the broker refuses a wrong one, as a failure that a person mends', async () => {
    const log = await open(mechanism, 'battery-staple');
    await expect(log.applyTopics([topic])).rejects.toBeInstanceOf(LogAccessRefusedError);
    const handlers = { onCrash: () => {}, onRecords: () => Promise.resolve() };
    await expect(log.consume({ group: 'sasl', topics: [topic] }, handlers)).rejects.toBeInstanceOf(
      LogAccessRefusedError,
    );
    await expect(log.append(notes(topic, 1))).rejects.toBeInstanceOf(LogAccessRefusedError);
    await log.close();
  });
});
