import type { Topic } from '@libs/contracts';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { EmbeddedLog } from './embedded/embedded-log.js';
import { TopicStore } from './embedded/topic-store.js';
import { InvalidMessageError, LogUnavailableError, TopicMismatchError } from './errors.js';
import { PartitionQueue } from './kafka/partition-queue.js';
import { partitionOfKey } from './murmur2.js';
import type { Claim, LogRecord } from './port.js';
import {
  makeScene,
  makeTopic,
  notes,
  numberOf,
  readAll,
  SESSION_MS,
  until,
  type OpenOptions,
} from './testing/adapters.js';

const brokers = inject('kafkaBrokers');
const topic = makeTopic();
const GROUP = 'contract';

/** How many records an adapter has taken out of the log so far, handed out or not. */
function countTaken(kind: 'embedded' | 'kafka'): () => number {
  if (kind === 'kafka') {
    const pushes = vi.spyOn(PartitionQueue.prototype, 'push');
    return () => pushes.mock.calls.reduce((sum, [records]) => sum + records.length, 0);
  }
  const fetches = vi.spyOn(TopicStore.prototype, 'fetch');
  return () => fetches.mock.results.reduce((sum, { value }) => sum + (value as LogRecord[]).length, 0);
}

const ends: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

describe.each(['embedded', 'kafka'] as const)('%s log', (kind) => {
  async function scene(options: OpenOptions = {}, topics: readonly Topic[] = [topic]) {
    const made = makeScene(kind, brokers, options);
    ends.push(() => made.end());
    await made.log.applyTopics(topics);
    return made;
  }
  const failing = (error: Error) => {
    throw error;
  };

  it('keeps order per key and tells where each message stands, in input order', async () => {
    const { log } = await scene();
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const messages = notes(topic, 2_500, (n) => keys[n % keys.length] ?? '');
    const halves = await Promise.all([log.append(messages.slice(0, 1_250)), log.append(messages.slice(1_250))]);
    const positions = halves.flat();
    const records = await readAll(log, topic);
    expect(records).toHaveLength(messages.length);
    const at = new Map(records.map((record) => [`${record.partition}:${record.offset}`, numberOf(record)]));
    expect(positions.map(({ partition, offset }) => at.get(`${partition}:${offset}`))).toEqual(
      messages.map((_, n) => n),
    );
    for (const key of keys) {
      const mine = records.filter((record) => record.key === key);
      expect(new Set(mine.map(({ partition }) => partition))).toEqual(new Set([partitionOfKey(key, 3)]));
      expect(mine.map(numberOf)).toEqual(mine.map(numberOf).toSorted((a, b) => a - b));
    }
  });

  it('takes a given partition, modulo the count', async () => {
    const { log } = await scene();
    const positions = await log.append(
      [0, 1, 2, 3, 4].map((partition) => ({ topic, key: 'k', value: { n: partition }, partition })),
    );
    expect(positions.map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1]);
    expect(positions.map((position) => position.topic)).toEqual(Array.from({ length: 5 }, () => topic.name));
  });

  it.each(['none', 'gzip'] as const)('appends more than fits one request (%s)', async (compression) => {
    const { log } = await scene({ compression });
    const pad = 'x'.repeat(100_000);
    const messages = notes(topic, 60, () => 'one-key', pad);
    const positions = await log.append(messages);
    expect(positions.map(({ offset }) => offset)).toEqual(messages.map((_, n) => n));
    expect((await readAll(log, topic)).map(numberOf)).toEqual(messages.map((_, n) => n));
  });

  it('writes the CloudEvents headers and keeps others', async () => {
    const { log } = await scene({ clientId: 'tester' });
    await log.append([{ topic, key: 'k', value: { n: 1 }, headers: { traceparent: '00-aa-bb-01' } }]);
    const [record] = await readAll(log, topic);
    expect(record?.headers).toMatchObject({
      traceparent: '00-aa-bb-01',
      ce_specversion: '1.0',
      ce_type: 'test.note',
      ce_source: '/sync/tester',
      'content-type': 'application/json',
    });
    expect(record?.headers['ce_id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(Date.now() - (record?.timestampMs ?? 0))).toBeLessThan(60_000);
  });

  it('refuses a message that does not fit, and appends nothing of its request', async () => {
    const { log } = await scene();
    const bad = { topic: topic as Topic, key: 'k', value: { n: 'one' } };
    await expect(log.append([{ topic, key: 'k', value: { n: 1 } }, bad])).rejects.toBeInstanceOf(InvalidMessageError);
    expect(await readAll(log, topic)).toEqual([]);
  });

  it('says that a topic does not exist, as a failure that may mend', async () => {
    const { log } = await scene();
    const other = makeTopic({ name: 'test.other.v1' });
    await expect(log.append(notes(other, 1))).rejects.toBeInstanceOf(LogUnavailableError);
    await expect(
      log.consume({ group: GROUP, topics: [other] }, { onRecords: () => Promise.resolve(), onCrash: failing }),
    ).rejects.toBeInstanceOf(LogUnavailableError);
  });

  it('applies topics again and again, and refuses another number of partitions', async () => {
    const { log, open } = await scene();
    expect(await log.applyTopics([topic])).toEqual([{ topic: topic.name, result: 'unchanged' }]);
    expect(await log.partitionCount(topic)).toBe(3);
    const fixed = makeTopic({ name: 'test.fixed.v1', partitions: 1 });
    const longer = makeTopic({ policy: { cleanup: 'delete', retentionMs: 7_200_000 } });
    expect(await log.applyTopics([longer, fixed])).toEqual([
      { topic: topic.name, result: 'updated' },
      { topic: fixed.name, result: 'created' },
    ]);
    expect(await log.applyTopics([longer])).toEqual([{ topic: topic.name, result: 'unchanged' }]);
    expect(await log.partitionCount(fixed)).toBe(1);
    await expect(open({ partitions: 4 }).applyTopics([longer])).rejects.toBeInstanceOf(TopicMismatchError);
  });

  it('commits only what the handler has done, with a note, and goes on from there', async () => {
    const { log, open } = await scene({ partitions: 1 });
    await log.append(notes(topic, 10));
    let finish = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const seen: number[] = [];
    const first = await log.consume(
      { group: GROUP, topics: [topic], maxRecords: 4 },
      {
        onCrash: failing,
        onRecords: async (records, claim) => {
          seen.push(...records.map(numberOf));
          await held;
          await claim.commit(4, 'a note');
        },
      },
    );
    await until(() => seen.length === 4, 'the first run was handed out');
    expect(await log.committed(GROUP, topic)).toEqual([{ partition: 0, offset: null, metadata: null }]);
    const stopping = first.stop();
    finish();
    await stopping;
    await first.close();
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(await log.committed(GROUP, topic)).toEqual([{ partition: 0, offset: 4, metadata: 'a note' }]);
    const again: number[] = [];
    await open().consume(
      { group: GROUP, topics: [topic] },
      {
        onCrash: failing,
        onRecords: (records) => {
          again.push(...records.map(numberOf));
          return Promise.resolve();
        },
      },
    );
    await until(() => again.length >= 6, 'the rest was handed out');
    expect(again).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('lets claims commit after a stop, until the close', async () => {
    const { log } = await scene({ partitions: 1 });
    await log.append(notes(topic, 3));
    const claims: Claim[] = [];
    const consumer = await log.consume(
      { group: GROUP, topics: [topic] },
      { onCrash: failing, onRecords: (_, claim) => Promise.resolve(void claims.push(claim)) },
    );
    await until(() => claims.length > 0, 'a run was handed out');
    await consumer.stop();
    await log.append(notes(topic, 3));
    const [claim] = claims;
    await claim?.commit(2);
    expect((await log.committed(GROUP, topic))[0]?.offset).toBe(2);
    await consumer.close();
    expect(claim?.signal.aborted).toBe(true);
    await claim?.commit(3);
    expect((await log.committed(GROUP, topic))[0]?.offset).toBe(2);
    expect(claims).toHaveLength(1);
  });

  it('begins at the end if told so', async () => {
    const { log } = await scene({ partitions: 1 });
    await log.append(notes(topic, 3));
    const seen: string[] = [];
    await log.consume(
      { group: GROUP, topics: [topic], from: 'latest' },
      { onCrash: failing, onRecords: (records) => Promise.resolve(void seen.push(...records.map(({ key }) => key))) },
    );
    await until(async () => {
      await log.append([{ topic, key: 'late', value: { n: 9 } }]);
      return seen.length > 0;
    }, 'something new was handed out');
    expect(new Set(seen)).toEqual(new Set(['late']));
  });

  it('leaves a handler that takes longer than the session its partition, and redelivers nothing', async () => {
    const { log } = await scene({ partitions: 2 });
    await log.append([0, 1, 2, 3].map((n) => ({ topic, key: 'k', value: { n }, partition: n % 2 })));
    const seen: number[] = [];
    const ages: number[] = [];
    await log.consume(
      { group: GROUP, topics: [topic], maxRecords: 1 },
      {
        onCrash: failing,
        onRecords: async (records, claim) => {
          seen.push(...records.map(numberOf));
          const [record] = records as [LogRecord];
          // Partition 1 goes on while the handler of partition 0 takes its time.
          if (record.offset === 0 && claim.partition === 0) {
            const end = Date.now() + 2.5 * SESSION_MS;
            await until(() => Date.now() > end, 'the session would have run out');
            ages.push(claim.heartbeatAgeMs());
            expect(seen).toEqual(expect.arrayContaining([1, 3]));
          }
          expect(claim.signal.aborted).toBe(false);
          await claim.commit(record.offset + 1);
        },
      },
    );
    await until(() => seen.length >= 4, 'everything was handed out');
    await until(
      async () => (await log.committed(GROUP, topic)).every(({ offset }) => offset === 2),
      'all is committed',
    );
    expect(seen.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    expect(ages[0]).toBeLessThan(SESSION_MS);
  });

  it('does not run ahead of a slow handler', async () => {
    const { log } = await scene({ partitions: 1, compression: 'none' });
    const TOTAL = 6_000;
    const pad = 'x'.repeat(10_000);
    for (let sent = 0; sent < TOTAL; sent += 500) await log.append(notes(topic, 500, () => 'k', pad));
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    ends.push(() => Promise.resolve(release()));
    let count = 0;
    const taken = countTaken(kind);
    ends.push(() => Promise.resolve(void vi.restoreAllMocks()));
    await log.consume(
      { group: GROUP, topics: [topic], maxRecords: 10 },
      {
        onCrash: failing,
        onRecords: async (records) => {
          count += records.length;
          await held;
        },
      },
    );
    const end = Date.now() + 2_000;
    await until(() => count === 10 && Date.now() > end, 'fetching had time to run ahead');
    // 60 MB wait in the log; past 4 MB waiting for the handler nothing more is fetched.
    expect(taken()).toBeLessThan(TOTAL / 6);
    release();
    await until(() => count === TOTAL, 'everything was handed out in the end');
  });

  it('reads to the end, from given offsets, and follows', async () => {
    const { log } = await scene({ partitions: 2 });
    await log.append([0, 1, 2, 3, 4, 5].map((n) => ({ topic, key: `k${n}`, value: { n }, partition: n % 2 })));
    const stop = new AbortController();
    const seen: number[] = [];
    for await (const records of log.read(topic, { from: { 0: 2 }, signal: stop.signal })) {
      seen.push(...records.map(numberOf));
      if (seen.length === 4) await log.append([{ topic, key: 'more', value: { n: 6 }, partition: 1 }]);
      if (seen.includes(6)) stop.abort();
    }
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 3, 4, 5, 6]);
    const fresh: number[] = [];
    const again = new AbortController();
    const reading = (async () => {
      for await (const records of log.read(topic, { start: 'latest', signal: again.signal })) {
        fresh.push(...records.map(numberOf));
        again.abort();
      }
    })();
    await until(async () => {
      await log.append([{ topic, key: 'last', value: { n: 7 }, partition: 0 }]);
      return fresh.length > 0;
    }, 'the follower saw something new');
    await reading;
    expect(new Set(fresh)).toEqual(new Set([7]));
    expect(await log.offsets(topic)).toMatchObject([
      { partition: 0, earliest: 0 },
      { partition: 1, earliest: 0, next: 4 },
    ]);
    if (kind === 'kafka') expect(await groupsOf(brokers)).not.toContainEqual(expect.stringContaining('never-joined'));
  });

  it('keeps the last value of each key of a compacted topic, and forgets by a tombstone', async () => {
    const compact = makeTopic({ policy: { cleanup: 'compact' }, partitions: 1 });
    const { log, place } = await scene({}, [compact]);
    const values: Array<[string, number | null]> = [
      ['a', 1],
      ['b', 2],
      ['a', 3],
      ['c', 4],
      ['c', null],
      ['a', 5],
    ];
    for (const [key, n] of values) await log.append([{ topic: compact, key, value: n === null ? null : { n } }]);
    if (log instanceof EmbeddedLog) {
      const later = (ms: number) => new Date(Date.now() + ms);
      expect(await log.sweep(later(30_000))).toBe(0);
      expect(await log.sweep(later(120_000))).toBe(3);
      expect((await readAll(log, compact)).map(({ key, value }) => [key, value])).toEqual([
        ['b', '{"n":2}'],
        ['c', null],
        ['a', '{"n":5}'],
      ]);
      expect(await log.sweep(later(2 * 86_400_000))).toBe(1);
      expect((await readAll(log, compact)).map(({ key, offset }) => [key, offset])).toEqual([
        ['b', 1],
        ['a', 5],
      ]);
      expect(await log.offsets(compact)).toEqual([{ partition: 0, earliest: 0, next: 6 }]);
    } else if (place.kind === 'kafka') {
      // When the broker cleans is its own business; that it must is the topic's configuration.
      expect(await configOf(brokers, `${place.prefix}${compact.name}`)).toMatchObject({ 'cleanup.policy': 'compact' });
    }
  });

  it('drops what is older than the retention, but nothing that an active group still needs', async () => {
    const { log, place } = await scene({ partitions: 1 });
    await log.append(notes(topic, 10));
    if (place.kind === 'kafka') {
      expect(await configOf(brokers, `${place.prefix}${topic.name}`)).toMatchObject({
        'cleanup.policy': 'delete',
        'retention.ms': '3600000',
        'min.insync.replicas': '1',
      });
    }
    if (!(log instanceof EmbeddedLog)) return;
    const claims: Claim[] = [];
    await log.consume(
      { group: GROUP, topics: [topic] },
      { onCrash: failing, onRecords: (_, claim) => Promise.resolve(void claims.push(claim)) },
    );
    await until(() => claims.length === 1, 'a member reads');
    const expired = new Date(Date.now() + 3_700_000);
    expect(await log.sweep(expired)).toBe(0);
    await claims[0]?.commit(6);
    expect(await log.sweep()).toBe(0);
    expect(await log.sweep(expired)).toBe(6);
    expect(await log.offsets(topic)).toEqual([{ partition: 0, earliest: 6, next: 10 }]);
  });

  it('closes once and for all', async () => {
    const { log } = await scene();
    await Promise.all([log.close(), log.close()]);
    await expect(log.append(notes(topic, 1))).rejects.toBeInstanceOf(LogUnavailableError);
  });
});

describe('kafka log', () => {
  it('puts its prefix before topics and groups, and shows neither', async () => {
    const made = makeScene('kafka', brokers);
    ends.push(() => made.end());
    await made.log.applyTopics([topic]);
    await made.log.append(notes(topic, 1));
    const seen: LogRecord[] = [];
    await made.log.consume(
      { group: GROUP, topics: [topic] },
      {
        onCrash: () => {},
        onRecords: async (records, claim) => {
          seen.push(...records);
          await claim.commit(1);
        },
      },
    );
    await until(() => seen.length === 1, 'the record was handed out');
    const prefix = made.place.kind === 'kafka' ? made.place.prefix : '';
    expect(seen[0]?.topic).toBe(topic.name);
    expect(await groupsOf(brokers)).toContain(`${prefix}${GROUP}`);
  });
});

async function withAdmin<T>(list: string, use: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: list.split(','), logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

const groupsOf = (list: string) =>
  withAdmin(list, async (admin) => (await admin.listGroups()).groups.map(({ groupId }) => groupId));

const configOf = (list: string, name: string) =>
  withAdmin(list, async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name }],
    });
    return Object.fromEntries(
      (resources[0]?.configEntries ?? []).map((entry) => [entry.configName, entry.configValue]),
    );
  });
