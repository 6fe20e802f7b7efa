import 'reflect-metadata';
import { Controller } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { SyncError, toRecordId, topics, type DeadLetter, type RecordChange, type Topic } from '@libs/contracts';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { afterEach, describe, expect, inject, it } from 'vitest';
import type { Batch } from './batch.js';
import type { Claim, Consumer, EventLog } from './port.js';
import { EventLogServer } from './server/event-log-server.js';
import { OnBatch } from './server/on-batch.js';
import { makeScene, makeTopic, notes, numberOf, until, type OpenOptions, type Scene } from './testing/adapters.js';

const topic = makeTopic();
const GROUP = 'contract-groups';

const ends: Array<() => Promise<unknown>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A member in this process, with all that it was told. */
interface Member {
  readonly consumer: Consumer;
  readonly seen: Array<{ partition: number; n: number }>;
  claims: readonly Claim[];
  /** How often it was told of a generation. */
  generations: number;
}

describe.each(['embedded', 'kafka'] as const)('groups of the %s log', (kind) => {
  async function scene(options: OpenOptions = {}, wanted: readonly Topic[] = [topic]): Promise<Scene> {
    const made = makeScene(kind, inject('kafkaBrokers'), options);
    ends.push(() => made.end());
    await made.log.applyTopics(wanted);
    return made;
  }

  async function join(log: EventLog, assignment: 'shared' | 'single-owner' = 'shared', during?: () => Promise<void>) {
    const member: { -readonly [K in keyof Member]?: Member[K] } = { seen: [], claims: [], generations: 0 };
    member.consumer = await log.consume(
      { group: GROUP, topics: [topic], assignment, maxRecords: 10 },
      {
        onCrash: (error) => {
          throw error;
        },
        onAssigned: (claims) => {
          member.claims = claims;
          member.generations = (member.generations ?? 0) + 1;
        },
        onRecords: async (records, claim) => {
          await during?.();
          member.seen?.push(...records.map((record) => ({ partition: record.partition, n: numberOf(record) })));
          await claim.commit((records.at(-1)?.offset ?? 0) + 1);
        },
      },
    );
    return member as Member;
  }
  const partitionsOf = ({ claims }: Member) =>
    claims
      .filter(({ signal }) => !signal.aborted)
      .map(({ partition }) => partition)
      .toSorted((a, b) => a - b);

  it('shares partitions evenly as members come and go, and loses nothing', async () => {
    const { log, open } = await scene({ partitions: 4 });
    const first = await join(log);
    await until(() => partitionsOf(first).length === 4, 'the first member has everything');
    await log.append(notes(topic, 40));
    const second = await join(open());
    await until(() => partitionsOf(second).length === 2 && partitionsOf(first).length === 2, 'both have a half');
    expect([...partitionsOf(first), ...partitionsOf(second)].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3]);
    await log.append(notes(topic, 40));
    await second.consumer.close();
    await until(() => partitionsOf(first).length === 4, 'the first member has everything again');
    await log.append(notes(topic, 40));
    const counts = () => {
      const all = [...first.seen, ...second.seen];
      return Array.from({ length: 40 }, (_, n) => all.filter((one) => one.n === n).length);
    };
    await until(() => counts().every((count) => count >= 3), 'everything was handed out three times');
    expect(partitionsOf(second)).toEqual([]);
  });

  it('gives a single owner everything, sticks to it, and lets the standby take over', async () => {
    const { log, open } = await scene({ partitions: 3 });
    const owner = await join(log, 'single-owner');
    await until(() => partitionsOf(owner).length === 3, 'the owner has everything');
    const standby = await join(open(), 'single-owner');
    const third = await join(open(), 'single-owner');
    await until(() => standby.generations > 0 && third.generations > 0, 'the standbys know that they stand by');
    await log.append(notes(topic, 30));
    await until(() => owner.seen.length >= 30, 'the owner got everything');
    expect([partitionsOf(owner), standby.seen, third.seen]).toEqual([[0, 1, 2], [], []]);
    await owner.consumer.close();
    await until(() => partitionsOf(standby).length + partitionsOf(third).length === 3, 'somebody took over');
    await log.append(notes(topic, 30));
    await until(() => standby.seen.length + third.seen.length >= 30, 'the rest was handed out');
    expect([standby.seen.length, third.seen.length].toSorted((a, b) => a - b)[0]).toBe(0);
  });

  it('hands a partition on only when the handler in hand has settled', async () => {
    const { log, open } = await scene({ partitions: 2 });
    await log.append([0, 1].map((n) => ({ topic, key: 'k', value: { n }, partition: n })));
    let busy = 0;
    let most = 0;
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const one = async () => {
      busy += 1;
      most = Math.max(most, busy);
      await held;
      busy -= 1;
    };
    const first = await join(log, 'shared', one);
    await until(() => busy === 2, 'both partitions are being handled');
    const joining = join(open(), 'shared', one);
    const end = Date.now() + 500;
    await until(() => Date.now() > end, 'the other would have begun');
    expect(most).toBe(2);
    release();
    const second = await joining;
    await until(() => partitionsOf(first).length === 1 && partitionsOf(second).length === 1, 'each has one');
    expect(most).toBe(2);
  });

  it('keeps two groups apart', async () => {
    const { log } = await scene({ partitions: 1 });
    await log.append(notes(topic, 5));
    const member = await join(log);
    await until(() => member.seen.length === 5, 'one group has read');
    await until(async () => (await log.committed(GROUP, topic))[0]?.offset === 5, 'and committed');
    expect(await log.committed('another', topic)).toEqual([{ partition: 0, offset: null, metadata: null }]);
  });

  it('passes a lease and its cursor on', async () => {
    const leases = makeTopic({ name: 'test.leases.v1', partitions: 2 });
    const { log, open } = await scene({}, [leases]);
    const held: Array<[who: string, cursor: string | null]> = [];
    const hold = (who: string, at: EventLog) =>
      at.holdLease(
        { group: 'lease', role: 1, topic: leases },
        async ({ signal, cursor, saveCursor, heartbeatAgeMs }) => {
          held.push([who, cursor]);
          expect(heartbeatAgeMs()).toBeLessThan(2_000);
          await saveCursor(`by ${who}`);
          if (signal.aborted) return;
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        },
        (error) => {
          throw error;
        },
      );
    const cursor = async () => (await log.committed('lease', leases))[1]?.metadata;
    const first = await hold('a', log);
    await until(async () => (await cursor()) === 'by a', 'the first holds it and has saved its cursor');
    await hold('b', open());
    expect(held.filter(([who]) => who === 'b')).toEqual([]);
    await first.close();
    await until(() => held.some(([who]) => who === 'b'), 'the standby holds it');
    expect(held.find(([who]) => who === 'b')).toEqual(['b', 'by a']);
    await until(async () => (await cursor()) === 'by b', 'the standby has saved its own');
  });

  it('buries a poison and a malformed message, and lets the next ones flow', async () => {
    class PoisonError extends SyncError {
      readonly code = 'test.poison';
      readonly retryable = false;
    }
    const got: string[] = [];
    const change = (n: number): RecordChange => ({
      recordType: 'Lead',
      recordId: toRecordId(`00Q${String(n).padStart(12, '0')}`) ?? '',
      changeType: 'UPDATE',
      source: 'cdc',
      lane: 'realtime',
      commitTimestamp: 1,
    });
    @Controller()
    class Handler {
      @OnBatch(topics.changes)
      async onChanges({ records }: Batch<RecordChange>): Promise<void> {
        await Promise.resolve();
        if (records.some(({ value }) => value.recordId === change(1).recordId)) throw new PoisonError('bad field');
        got.push(...records.map(({ value }) => value.recordId));
      }
    }
    const { log } = await scene({ partitions: 1 }, [topics.changes, topics.outcomes, topics.deadLetters]);
    const unchecked = { ...topics.changes, schema: makeTopic({ schema: undefined as never }).schema } as Topic;
    const anything: Topic = {
      ...unchecked,
      schema: { safeParse: (data: unknown) => ({ success: true, data }) } as never,
    };
    const values: unknown[] = [change(0), change(1), { nonsense: true }, change(2)];
    await log.append(values.map((value, n) => ({ topic: anything, key: `k${n}`, value })));
    const health = new Health();
    const server = new EventLogServer(
      log,
      { group: GROUP },
      { health, metrics: createMetrics(), logger: createLogger('test', 'silent') },
    );
    const module = await Test.createTestingModule({ controllers: [Handler] }).compile();
    module.useLogger(false);
    const app = module.createNestMicroservice({ strategy: server });
    ends.push(() => app.close());
    await app.listen();
    await until(async () => (await log.committed(GROUP, topics.changes))[0]?.offset === 4, 'all is committed');
    expect(got).toEqual([change(0).recordId, change(2).recordId]);
    const letters: DeadLetter[] = [];
    for await (const records of log.read(topics.deadLetters, { untilEnd: true })) {
      letters.push(...records.map(({ value }) => JSON.parse(value ?? '') as DeadLetter));
    }
    expect(letters.map(({ code, origin }) => [code, origin?.offset])).toEqual([
      ['event-log.malformed_message', 2],
      ['test.poison', 1],
    ]);
    expect(health.ready).toBe(true);
  });
});
