import 'reflect-metadata';
import { Controller, Injectable, type Type } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  AccessRefusedError,
  SyncError,
  topics,
  toRecordId,
  type DeadLetter,
  type Outcome,
  type RecordChange,
  type Topic,
} from '@libs/contracts';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Batch } from '../batch.js';
import type { Claim } from '../port.js';
import { createEmbeddedLog, type EmbeddedLog } from '../embedded/embedded-log.js';
import { EventLogServer, type ServerOptions } from './event-log-server.js';
import { OnBatch } from './on-batch.js';

const GROUP = 'sync.mapper';
const PARTITION = 0;

class BusyError extends SyncError {
  readonly code = 'test.busy';
  readonly retryable = true;
  constructor(override readonly retryAfterMs?: number) {
    super('busy');
  }
}
class RefusedError extends AccessRefusedError {
  readonly code = 'test.refused';
}
class BadRecordError extends SyncError {
  readonly code = 'test.bad_record';
  readonly retryable = false;
}

const change = (n: number, extra: Partial<RecordChange> = {}): RecordChange => ({
  recordType: 'Lead',
  recordId: toRecordId(`00Q${String(n).padStart(12, '0')}`) ?? '',
  changeType: 'UPDATE',
  source: 'cdc',
  lane: 'realtime',
  commitTimestamp: 1_000,
  ...extra,
});

/** The topic as a stranger would write to it: without the schema. */
const unchecked: Topic = {
  ...topics.changes,
  schema: { safeParse: (data: unknown) => ({ success: true, data }) } as Topic['schema'],
};

type Handle = (batch: Batch<RecordChange>) => Promise<void>;

@Injectable()
class Behaviour {
  handle: Handle = () => Promise.resolve();
}

@Controller()
class AfterHandler {
  constructor(private readonly behaviour: Behaviour) {}

  @OnBatch(topics.changes)
  onChanges(batch: Batch<RecordChange>): Promise<void> {
    return this.behaviour.handle(batch);
  }
}

@Controller()
class ByHandler {
  constructor(private readonly behaviour: Behaviour) {}

  @OnBatch(topics.changes, { commit: 'by-handler' })
  onChanges(batch: Batch<RecordChange>): Promise<void> {
    return this.behaviour.handle(batch);
  }
}

const ends: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function scene(handle: Handle, options: Partial<ServerOptions> & { controller?: Type } = {}) {
  const { controller = AfterHandler, ...rest } = options;
  const log = createEmbeddedLog({ dataDir: ':memory:', partitions: 1 });
  await log.applyTopics(Object.values(topics) as Topic[]);
  const health = new Health();
  const metrics = createMetrics();
  const retry = { initialDelayMs: 1, maxDelayMs: 5, deadlineMs: 60_000 };
  const server = new EventLogServer(
    log,
    { group: GROUP, retry, ...rest },
    { metrics, health, logger: createLogger('test', 'silent') },
  );
  const module = await Test.createTestingModule({ controllers: [controller], providers: [Behaviour] }).compile();
  module.useLogger(false);
  module.get(Behaviour).handle = handle;
  const app = module.createNestApplication();
  app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
  ends.push(
    () => log.close(),
    () => app.close(),
  );
  const start = async () => {
    await app.startAllMicroservices();
    await app.init();
  };
  return { log, health, metrics, server, app, start };
}

const send = (log: EmbeddedLog, ...values: unknown[]) =>
  log.append(values.map((value, index) => ({ topic: unchecked, key: `k${index}`, value, partition: PARTITION })));
const committed = async (log: EmbeddedLog) => (await log.committed(GROUP, topics.changes))[PARTITION]?.offset ?? null;
async function all<T>(log: EmbeddedLog, topic: Topic<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const records of log.read(topic, { untilEnd: true })) {
    for (const { value } of records) found.push(JSON.parse(value ?? 'null') as T);
  }
  return found;
}
const until = (check: () => Promise<void> | void) => vi.waitFor(check, { timeout: 5_000, interval: 5 });
const counted = async (metric: { get(): Promise<{ values: Array<{ value: number; labels: object }> }> }) =>
  (await metric.get()).values.map(({ value, labels }) => ({ value, labels }));

describe('EventLogServer', () => {
  it('gives a handler with its dependencies whole batches, and commits when it is done', async () => {
    const got: number[][] = [];
    let finish = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const { log, start, health } = await scene(async (batch) => {
      got.push(batch.records.map(({ offset }) => offset));
      expect([batch.topic, batch.partition, batch.nextOffset]).toEqual([topics.changes.name, 0, 3]);
      await held;
    });
    await send(log, change(1), change(2), change(3));
    await start();
    await until(() => expect(got).toEqual([[0, 1, 2]]));
    expect(health.ready).toBe(true);
    expect(await committed(log)).toBeNull();
    finish();
    await until(async () => expect(await committed(log)).toBe(3));
  });

  it('tries the same batch again while the world fails, and waits as long as asked', async () => {
    const times: number[] = [];
    const { log, start, metrics } = await scene(() => {
      times.push(performance.now());
      if (times.length < 3) throw new BusyError(times.length === 2 ? 120 : undefined);
      return Promise.resolve();
    });
    await send(log, change(1), change(2));
    await start();
    await until(async () => expect(await committed(log)).toBe(2));
    expect(times).toHaveLength(3);
    expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(119);
    expect(await counted(metrics.logHandlerRetries)).toEqual([
      { value: 2, labels: { topic: topics.changes.name, code: 'test.busy' } },
    ]);
    expect(await all(log, topics.deadLetters)).toEqual([]);
  });

  it('turns not ready past the deadline, goes on probing, and recovers', async () => {
    let works = false;
    const { log, start, health } = await scene(() => (works ? Promise.resolve() : Promise.reject(new BusyError())), {
      retry: { initialDelayMs: 1, maxDelayMs: 5, deadlineMs: 20 },
    });
    await send(log, change(1));
    await start();
    await until(() => expect(health.ready).toBe(false));
    expect(health.report().checks.find(({ name }) => name === `log:${topics.changes.name}`)?.detail).toMatch(
      /test\.busy/,
    );
    expect([health.live, await committed(log)]).toEqual([true, null]);
    works = true;
    await until(() => expect(health.ready).toBe(true));
    expect(await committed(log)).toBe(1);
  });

  it('is not ready at once when a credential is refused', async () => {
    const { log, start, health } = await scene(() => Promise.reject(new RefusedError('refused')));
    await send(log, change(1));
    await start();
    await until(() => expect(health.ready).toBe(false));
    expect(await all(log, topics.deadLetters)).toEqual([]);
  });

  it.each([AfterHandler, ByHandler])('finds the bad record of a batch and buries it alone (%o)', async (controller) => {
    const done: number[] = [];
    const { log, start, health, metrics } = await scene(
      async ({ records, claim, nextOffset }) => {
        if (records.some(({ offset }) => offset === 1)) throw new BadRecordError('field has a wrong type');
        done.push(...records.map(({ offset }) => offset));
        if (controller === ByHandler) await claim.commit(nextOffset);
      },
      { controller },
    );
    await send(log, change(1), change(2, { jobId: 'job', lane: 'backfill' }), change(3));
    await start();
    await until(async () => expect(await committed(log)).toBe(3));
    await send(log, change(4));
    await until(async () => expect(await committed(log)).toBe(4));
    expect(done).toEqual([0, 2, 3]);
    const [letter, ...more] = await all<DeadLetter>(log, topics.deadLetters);
    expect(more).toEqual([]);
    expect(letter).toMatchObject({
      recordId: change(2).recordId,
      recordType: 'Lead',
      offsets: ['0:1'],
      jobIds: ['job'],
      lane: 'backfill',
      stage: 'mapper',
      code: 'test.bad_record',
      message: 'field has a wrong type',
      origin: { topic: topics.changes.name, partition: 0, offset: 1 },
    });
    expect(await all<Outcome>(log, topics.outcomes)).toMatchObject([
      {
        recordId: change(2).recordId,
        offsets: ['0:1'],
        jobIds: ['job'],
        lane: 'backfill',
        kind: 'dead',
        reason: 'test.bad_record',
      },
    ]);
    expect(await counted(metrics.outcomes)).toEqual([
      { value: 1, labels: { object: 'Lead', lane: 'backfill', outcome: 'dead', reason: 'test.bad_record' } },
    ]);
    expect(health.ready).toBe(true);
  });

  it('buries malformed messages with the reason and lets the next ones flow', async () => {
    const got: string[] = [];
    const { log, start, metrics } = await scene(async ({ records }) => {
      got.push(...records.map(({ value }) => value.recordId));
    });
    await send(log, { lane: 'backfill', jobId: 'job', recordId: 'jane@example.com' }, change(1), 'nonsense', change(2));
    await start();
    await until(async () => expect(await committed(log)).toBe(4));
    expect(got).toEqual([change(1).recordId, change(2).recordId]);
    const letters = await all<DeadLetter>(log, topics.deadLetters);
    expect(letters).toMatchObject([
      {
        stage: 'decode',
        code: 'event-log.malformed_message',
        offsets: ['0:0'],
        origin: { offset: 0 },
        lane: 'backfill',
        jobIds: ['job'],
      },
      {
        stage: 'decode',
        code: 'event-log.malformed_message',
        offsets: ['0:2'],
        origin: { offset: 2 },
        lane: 'realtime',
        jobIds: [],
      },
    ]);
    expect(letters[0]?.message).toMatch(/recordType invalid_type/);
    expect(JSON.stringify(letters)).not.toContain('jane');
    expect(await all<Outcome>(log, topics.outcomes)).toMatchObject([
      { offsets: ['0:0'], kind: 'dead', jobIds: ['job'], lane: 'backfill' },
      { offsets: ['0:2'], kind: 'dead' },
    ]);
    expect(await counted(metrics.logMalformed)).toEqual([{ value: 2, labels: { topic: topics.changes.name } }]);
  });

  it('stops the service on anything else, with the error as it was thrown, and commits nothing', async () => {
    const bug = new TypeError('undefined is not a function');
    const { log, start, health } = await scene(() => Promise.reject(bug));
    const failure = new Promise<Error>((resolve) => health.whenFatal(resolve));
    await send(log, change(1));
    await start();
    expect(await failure).toBe(bug);
    expect([await committed(log), await all(log, topics.deadLetters)]).toEqual([null, []]);
  });

  it('leaves committing to a by-handler, but carries it over what was malformed', async () => {
    const claims: Array<Batch<RecordChange>['claim']> = [];
    const { log, start, server } = await scene(
      ({ claim }) => {
        claims.push(claim);
        return Promise.resolve();
      },
      { controller: ByHandler },
    );
    await send(log, 'nonsense');
    await start();
    await until(async () => expect(await committed(log)).toBe(1));
    await send(log, change(1), 'nonsense');
    await until(() => expect(claims).toHaveLength(1));
    await send(log, 'nonsense');
    await until(async () => expect(await all(log, topics.deadLetters)).toHaveLength(3));
    expect(await committed(log)).toBe(1);
    await server.stopReading();
    await claims[0]?.commit(2, 'note');
    expect((await log.committed(GROUP, topics.changes))[0]).toEqual({ partition: 0, offset: 4, metadata: 'note' });
  });

  it('at a stop lets the handler in hand finish, and gives up waiting for the world', async () => {
    let calls = 0;
    const { log, start, app } = await scene(() => {
      calls += 1;
      return Promise.reject(new BusyError(60_000));
    });
    await send(log, change(1));
    await start();
    await until(() => expect(calls).toBe(1));
    await app.close();
    expect([calls, await committed(log)]).toEqual([1, null]);
  });

  it('shows the lag of its group, and is not ready while the log does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    ends.push(() => Promise.resolve(void vi.useRealTimers()));
    const { log, start, metrics, health } = await scene(({ claim }) => claim.commit(1), {
      controller: ByHandler,
    });
    await send(log, change(1), change(2), change(3));
    await start();
    await until(async () => expect(await committed(log)).toBe(1));
    vi.advanceTimersByTime(5_000);
    await until(async () =>
      expect(await counted(metrics.consumerLag)).toEqual([
        { value: 2, labels: { group: GROUP, topic: topics.changes.name } },
      ]),
    );
    const offsets = vi.spyOn(log, 'offsets').mockRejectedValue(new BusyError());
    vi.advanceTimersByTime(5_000);
    await until(() => expect(health.ready).toBe(false));
    offsets.mockRestore();
    vi.advanceTimersByTime(5_000);
    await until(() => expect(health.ready).toBe(true));
  });

  it('joins again after its consumer ended by a failure of the world', async () => {
    const got: number[] = [];
    const { log, start, health } = await scene(({ records }) => {
      got.push(...records.map(({ offset }) => offset));
      return Promise.resolve();
    });
    const consume = vi.spyOn(log, 'consume');
    await start();
    const crash = consume.mock.calls[0]?.[1].onCrash;
    await (await consume.mock.results[0]?.value)?.close();
    consume.mockRejectedValueOnce(new BusyError());
    crash?.(new BusyError());
    expect([health.live, health.ready]).toEqual([true, false]);
    await until(() => expect(health.ready).toBe(true));
    await send(log, change(1));
    await until(() => expect(got).toEqual([0]));
    expect(consume).toHaveBeenCalledTimes(3);
  });

  it('refuses a handler of something that is no topic', async () => {
    @Controller()
    class Lost {
      @OnBatch({ ...topics.changes, name: 'no.topic.v1' })
      onNothing(): Promise<void> {
        return Promise.resolve();
      }
    }
    const { start } = await scene(() => Promise.resolve(), { controller: Lost });
    await expect(start()).rejects.toThrow('a handler is bound to no.topic.v1, which is no topic');
  });

  it.each([
    ['EventPattern', EventPattern(topics.changes.name) as MethodDecorator],
    ['MessagePattern', MessagePattern(topics.changes.name)],
  ])('refuses a handler that is bound by %s', async (_, bind) => {
    @Controller()
    class Stray {
      @bind
      onSomething(): void {}
    }
    const { start } = await scene(() => Promise.resolve(), { controller: Stray });
    await expect(start()).rejects.toThrow('the handler of salesforce.changes.v1 must be bound by @OnBatch');
  });

  it('tells of an assignment with the claims that later batches carry', async () => {
    const claims: Claim[] = [];
    const { log, start, server } = await scene(({ claim }) => {
      claims.push(claim);
      return Promise.resolve();
    });
    server.onAssigned((assigned) => claims.push(...assigned));
    await start();
    expect(claims.map(({ topic, partition }) => [topic, partition])).toEqual([[topics.changes.name, 0]]);
    await send(log, change(1));
    await until(() => expect(claims).toHaveLength(2));
    expect(claims[1]).toBe(claims[0]);
  });

  it('waits, not ready, for a topic that is not there yet', async () => {
    const late: Topic = { ...topics.changes, policy: { cleanup: 'compact' } };
    const log = createEmbeddedLog({ dataDir: ':memory:', partitions: 1 });
    const health = new Health();
    const parts = { metrics: createMetrics(), health, logger: createLogger('test', 'silent') };
    const server = new EventLogServer(log, { group: GROUP, topics: [late], retry: { initialDelayMs: 2 } }, parts);
    ends.push(
      () => log.close(),
      () => server.close(),
    );
    const keys: string[] = [];
    const handler = (batch: Batch<unknown>) => Promise.resolve(keys.push(...batch.records.map(({ key }) => key)));
    server.addHandler(late.name, handler, true, { keepsErrors: true });
    const listening = new Promise<unknown>((resolve) => server.listen(resolve));
    await until(() => expect(health.ready).toBe(false));
    await log.applyTopics([late]);
    expect(await listening).toBeUndefined();
    expect(health.ready).toBe(true);
    await log.append([
      { topic: late, key: 'forgotten', value: null },
      { topic: late, key: 'kept', value: change(1) },
    ]);
    // A tombstone is no work for a handler, and no malformed message.
    await until(() => expect(keys).toEqual(['kept']));
  });
});
