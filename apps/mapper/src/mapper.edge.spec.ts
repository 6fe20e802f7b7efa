import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { allTopics, groupOf, toRecordId, topics, type RecordBatch, type Topic } from '@libs/contracts';
import { createEmbeddedLog, decode, type EmbeddedLog } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { SalesforceQueryError } from '@libs/salesforce';
import { startService, type RunningService } from '@libs/service';
import { FakeOrg } from '../test/fake-org.js';
import { mapperSettings } from './mapper.config.js';
import { MapperModule, mapperService } from './mapper.module.js';

const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
const STAMP = '2026-11-24T08:00:00.000+0000';
const open: Array<() => Promise<unknown>> = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

interface Setup {
  readonly org: FakeOrg;
  readonly log: EmbeddedLog;
  readonly service: RunningService;
}

async function setUp(
  mapping = 'object: Lead\nfields:\n  Email: email\n  LastName: dataFields.Last\n',
  org = new FakeOrg(),
): Promise<Setup> {
  const directory = mkdtempSync(join(tmpdir(), 'mapper-'));
  writeFileSync(join(directory, 'Lead.yaml'), mapping);
  const log = createEmbeddedLog({ dataDir: ':memory:', partitions: 2 });
  open.push(() => log.close());
  await log.applyTopics(allTopics);
  const settings = mapperSettings.parse({
    MAPPINGS_DIR: directory,
    SALESFORCE_LOGIN_URL: 'http://127.0.0.1:9',
    SALESFORCE_CLIENT_ID: 'unused',
  });
  const service = await startService(
    { ...mapperService, module: (given, parts) => MapperModule.with(given, parts, org) },
    settings,
    { log, metrics: createMetrics(), health: new Health(), logger: createLogger('mapper', 'silent') },
  );
  open.push(() => service.close());
  return { org, log, service };
}

function batchOf(records: readonly number[], recordType = 'Lead'): RecordBatch {
  const entries = records.map((n) => ({
    recordId: idOf(n),
    changeType: 'SNAPSHOT' as const,
    offsets: [`0:${n}`],
    jobIds: ['job'],
    oldestCommitTimestamp: 1,
    newestCommitTimestamp: 1,
  }));
  return { batchId: `b-${records[0]}`, recordType, entries, windowStart: 0, windowEnd: 1 };
}

async function give(log: EmbeddedLog, topic: Topic<RecordBatch>, batches: readonly RecordBatch[]): Promise<void> {
  await log.append(batches.map((value, n) => ({ topic, key: String(n % 2), partition: n % 2, value })));
}

async function all<T>(log: EmbeddedLog, topic: Topic<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const records of log.read(topic, { untilEnd: true })) {
    for (const { value } of records) {
      const decoded = decode(topic, value);
      if (decoded.ok) found.push(decoded.value);
    }
  }
  return found;
}

async function committedOf(log: EmbeddedLog, topic: Topic): Promise<number> {
  const positions = await log.committed(groupOf('mapper'), topic);
  return positions.reduce((sum, { offset }) => sum + (offset ?? 0), 0);
}

describe('the mapper on a log', () => {
  it('turns batches of both lanes into updates and outcomes that cover every change, and commits them', async () => {
    const { org, log, service } = await setUp();
    for (let n = 0; n < 1_000; n += 1) {
      const email = n % 10 === 0 ? null : `lead${n}@example.com`;
      org.put(idOf(n), { SystemModstamp: STAMP, Email: email, LastName: `L${n}` });
    }
    const numbers = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);
    await give(log, topics.backfillBatches, [batchOf(numbers(0, 400)), batchOf(numbers(400, 400))]);
    await give(log, topics.realtimeBatches, [batchOf(numbers(800, 250)), batchOf([2_000], 'Account')]);
    await vi.waitFor(
      async () => {
        expect(await committedOf(log, topics.backfillBatches)).toBe(2);
        expect(await committedOf(log, topics.realtimeBatches)).toBe(2);
      },
      { timeout: 20_000, interval: 50 },
    );
    const backfilled = await all(log, topics.backfillUpdates);
    const realtime = await all(log, topics.realtimeUpdates);
    const outcomes = await all(log, topics.outcomes);
    expect(backfilled).toHaveLength(800);
    expect(realtime).toHaveLength(200);
    expect(Map.groupBy(backfilled, ({ kind }) => kind).get('removal')).toHaveLength(80);
    const reasons = Map.groupBy(outcomes, ({ reason }) => reason);
    expect(Object.fromEntries([...reasons].map(([reason, some]) => [reason, some.length]))).toEqual({
      'mapping.unmapped_object': 1,
      'salesforce.not_found': 50,
    });
    const covered = [...backfilled, ...realtime, ...outcomes].flatMap(({ offsets }) => offsets);
    expect(new Set(covered).size).toBe(1_051);
    expect(covered).toHaveLength(1_051);
    expect(service.health.ready).toBe(true);
    // What types the fields are meant to have is there for whoever reads an update
    const schemas: unknown[] = [];
    for await (const records of log.read(topics.schemas, { untilEnd: true })) {
      schemas.push(...records.map(({ key, value }) => [key, JSON.parse(value ?? '')]));
    }
    const named = new Set([...backfilled, ...realtime].flatMap((one) => (one.kind === 'update' ? one.schema : [])));
    expect(schemas).toEqual(
      [...named].map((id) => [id, expect.objectContaining({ object: 'Lead', fields: { Last: { type: 'string' } } })]),
    );
    expect(schemas).toHaveLength(1);
  });

  it('waits, unready, while a mapped field is hidden, and loses nothing', async () => {
    const org = new FakeOrg();
    const lead = org.fields['Lead'] as Record<string, string>;
    delete lead['LastName'];
    const { log, service } = await setUp(undefined, org);
    org.put(idOf(1), { SystemModstamp: STAMP, Email: 'lead1@example.com', LastName: 'One' });
    await give(log, topics.realtimeBatches, [batchOf([1])]);
    await vi.waitFor(() => expect(service.health.ready).toBe(false), { timeout: 20_000, interval: 20 });
    expect(JSON.stringify(service.health.report())).toContain('cannot see Lead.LastName');
    expect(await committedOf(log, topics.realtimeBatches)).toBe(0);
    lead['LastName'] = 'string';
    org.failures = [new SalesforceQueryError('query on Lead: no such column', 'INVALID_FIELD')];
    await vi.waitFor(async () => expect(await committedOf(log, topics.realtimeBatches)).toBe(1), {
      timeout: 20_000,
      interval: 20,
    });
    expect((await all(log, topics.realtimeUpdates)).map((one) => one.kind === 'update' && one.dataFields)).toEqual([
      { Last: 'One' },
    ]);
    expect(await all(log, topics.deadLetters)).toEqual([]);
    expect(service.health.ready).toBe(true);
  });

  it('dead-letters a message that is no batch, and takes the next', async () => {
    const { org, log } = await setUp();
    org.put(idOf(1), { SystemModstamp: STAMP, Email: 'lead1@example.com' });
    const malformed = { ...topics.realtimeBatches, schema: topics.commands.schema } as unknown as Topic;
    await log.append([{ topic: malformed, key: '0', partition: 0, value: { id: '1', type: 'nothing of ours' } }]);
    await give(log, topics.realtimeBatches, [batchOf([1])]);
    await vi.waitFor(async () => expect(await committedOf(log, topics.realtimeBatches)).toBe(2), {
      timeout: 20_000,
      interval: 20,
    });
    expect(await all(log, topics.deadLetters)).toMatchObject([
      { stage: 'decode', origin: { topic: topics.realtimeBatches.name, partition: 0, offset: 0 } },
    ]);
    expect(await all(log, topics.realtimeUpdates)).toHaveLength(1);
  });

  it('turns a change of a parent into changes of those who show it, or into a job, and commits it then', async () => {
    const { org, log, service } = await setUp(
      `object: Lead\nfields:\n  Email: email\n  Owner.Name: dataFields.Owner\n`,
    );
    for (let n = 0; n < 1_500; n += 1) org.put(idOf(n), { OwnerId: idOf(n < 2 ? 9_001 : 9_002) });
    await give(log, topics.realtimeBatches, [batchOf([9_001], 'User'), batchOf([9_002], 'User')]);
    // The second one once more, as after a crash before the commit
    await give(log, topics.realtimeBatches, [batchOf([9_002], 'User')]);
    await vi.waitFor(async () => expect(await committedOf(log, topics.realtimeBatches)).toBe(3), {
      timeout: 20_000,
      interval: 20,
    });
    expect((await all(log, topics.changes)).map(({ recordId, source, lane }) => [recordId, source, lane])).toEqual(
      expect.arrayContaining([0, 1].map((n) => [idOf(n), 'fan-out', 'realtime'])),
    );
    expect(await all(log, topics.changes)).toHaveLength(2);
    const commands = await all(log, topics.commands);
    expect(commands.map(({ type, data }) => [type, data])).toEqual(
      [1, 2].map(() => [
        'backfill.start',
        { object: 'Lead', fanOut: { from: 'User', ids: [idOf(9_002)], through: 'OwnerId' } },
      ]),
    );
    expect(new Set(commands.map(({ id }) => id)).size).toBe(1);
    expect((await all(log, topics.outcomes)).map(({ kind, reason }) => [kind, reason])).toEqual(
      [1, 2, 3].map(() => ['expanded', 'mapper.fanned_out']),
    );
    expect(service.health.ready).toBe(true);
  });

  it('does not start on a broken mapping file', async () => {
    await expect(setUp('object: Lead\nfeilds:\n  Email: email\n')).rejects.toThrow(
      /Lead\.yaml:2:1: unknown key "feilds".*did you mean "fields"\?/s,
    );
  });
});
