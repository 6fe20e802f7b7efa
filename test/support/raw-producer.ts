import { Kafka, logLevel, Partitioners } from 'kafkajs';

/** A producer that knows nothing of our schemas: what any other client of the cluster may send. */
export async function rawProducer(brokers: string) {
  const kafka = new Kafka({ clientId: 'raw', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  return {
    send: async (topic: string, partition: number, key: string, value: string) => {
      await producer.send({ topic, messages: [{ partition, key, value }] });
    },
    close: () => producer.disconnect(),
  };
}
