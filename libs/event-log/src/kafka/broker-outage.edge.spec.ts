import { afterEach, describe, expect, it } from 'vitest';
import { startBroker, type Broker } from '../../../../tools/kafka/broker.mjs';
import { LogUnavailableError } from '../errors.js';
import { makeScene, makeTopic, numberOf, readAll, until, type Scene } from '../testing/adapters.js';

const topic = makeTopic();

let broker: Broker | null = null;
let scene: Scene | null = null;
afterEach(async () => {
  await scene?.end();
  await broker?.stop();
});

describe('kafka log and a broker that dies', () => {
  it('loses nothing that it acknowledged, goes on by itself, and commits again', { timeout: 150_000 }, async () => {
    broker = await startBroker();
    scene = makeScene('kafka', broker.brokers);
    const { log } = scene;
    await log.applyTopics([topic]);
    const seen = new Set<number>();
    const crashes: Error[] = [];
    await log.consume(
      { group: 'outage', topics: [topic], maxRecords: 5 },
      {
        onCrash: (error) => crashes.push(error),
        onRecords: async (records, claim) => {
          for (const record of records) seen.add(numberOf(record));
          // As the transport strategy does: a commit that the log could not take is tried again.
          const next = (records.at(-1)?.offset ?? 0) + 1;
          await until(
            () =>
              claim.commit(next).then(
                () => true,
                (error: unknown) => !(error instanceof LogUnavailableError),
              ),
            'the commit went through',
            60_000,
          );
        },
      },
    );
    const acknowledged: number[] = [];
    const failures: unknown[] = [];
    const stop = new AbortController();
    let n = 0;
    const producer = (async () => {
      while (!stop.signal.aborted) {
        const mine = [n, n + 1, n + 2];
        n += 3;
        try {
          await log.append(mine.map((one) => ({ topic, key: `key-${one % 7}`, value: { n: one } })));
          acknowledged.push(...mine);
        } catch (error) {
          failures.push(error);
        }
      }
    })();
    await until(() => acknowledged.length > 300, 'some were acknowledged');
    await broker.kill();
    const atKill = acknowledged.length;
    await broker.restart();
    await until(() => acknowledged.length > atKill + 300, 'appending goes on', 60_000);
    stop.abort();
    await producer;
    expect(failures.filter((error) => !(error instanceof LogUnavailableError))).toEqual([]);
    const stored = new Set((await readAll(log, topic)).map(numberOf));
    expect(acknowledged.filter((one) => !stored.has(one))).toEqual([]);
    await until(() => acknowledged.every((one) => seen.has(one)), 'the consumer has seen all of it', 30_000);
    const ends = await log.offsets(topic);
    await until(
      async () =>
        (await log.committed('outage', topic)).every(({ partition, offset }) => offset === ends[partition]?.next),
      'all is committed',
      60_000,
    );
    expect(crashes).toEqual([]);
  });
});
