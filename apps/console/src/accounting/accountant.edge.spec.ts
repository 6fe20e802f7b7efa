import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  allTopics,
  batchTopics,
  groupOf,
  topics,
  updateTopics,
  type Lane,
  type OutcomeKind,
  type RecordChange,
  type Topic,
} from '@libs/contracts';
import { createEventLog, type EventLog, type Outgoing } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { waitFor } from '../../../../test/support/wait.js';
import type { AccountingAnswer } from '../core/accounting-answers.js';
import { untilDone } from '../topic-reader.js';
import { Accountant } from './accountant.js';

const LEAD = '00Q5f000005bwLFEAY';
const CONTACT = '0035f00002EztxDAAR';

const stop = new AbortController();
let dataDir: string;
let log: EventLog;
let health: Health;
let told: AccountingAnswer[];
let accountant: Accountant;

const makeAccountant = () => new Accountant({ log, health, metrics: createMetrics() }, (answer) => told.push(answer));

/** One account, and what it says; again while the world fails, as `run` does: a new topic may have no leader yet. */
async function account(): Promise<AccountingAnswer> {
  const before = told.length;
  await untilDone(
    () => accountant.evaluate(stop.signal),
    () => {},
    stop.signal,
  );
  expect(told).toHaveLength(before + 1);
  return told.at(-1) as AccountingAnswer;
}
const warning = () => health.report().checks.find(({ name }) => name === 'accounting');

function change(over: Partial<RecordChange> = {}): Outgoing<RecordChange> {
  const value: RecordChange = {
    recordType: 'Lead',
    recordId: LEAD,
    changeType: 'UPDATE',
    source: 'cdc',
    lane: 'realtime',
    commitTimestamp: 1_000,
    ...over,
  };
  return { topic: topics.changes, key: value.recordId, value, partition: 0 };
}
const batch = (lane: Lane, offsets: readonly string[]): Outgoing => ({
  topic: batchTopics[lane],
  key: '0',
  partition: 0,
  value: {
    batchId: 'b',
    recordType: 'Lead',
    entries: [
      {
        recordId: LEAD,
        changeType: 'UPDATE',
        offsets: [...offsets],
        jobIds: [],
        oldestCommitTimestamp: 1_000,
        newestCommitTimestamp: 1_000,
      },
    ],
    windowStart: 1_000,
    windowEnd: 2_000,
  },
});
const update = (lane: Lane, offsets: readonly string[]): Outgoing => ({
  topic: updateTopics[lane],
  key: LEAD,
  partition: 1,
  value: {
    kind: 'update',
    recordType: 'Lead',
    recordId: LEAD,
    offsets: [...offsets],
    jobIds: [],
    commitTimestamp: 1_000,
    version: { modstampMs: 1_000, fetchedAtMs: 2_000 },
    email: 'a@example.com',
    dataFields: {},
  },
});
const outcome = (kind: OutcomeKind, offsets: readonly string[], lane: Lane = 'realtime'): Outgoing => ({
  topic: topics.outcomes,
  key: LEAD,
  value: {
    recordType: 'Lead',
    recordId: LEAD,
    offsets: [...offsets],
    jobIds: [],
    lane,
    kind,
    reason: kind === 'written' ? undefined : 'writer.newer_update',
    time: 3_000,
  },
});

/** What a service does: takes all that a topic has and commits it. */
async function commit(app: string, topic: Topic): Promise<void> {
  const ends = await log.offsets(topic);
  const group = groupOf(app);
  let crash: Error | null = null;
  const consumer = await log.consume(
    { group, topics: [topic] },
    {
      onCrash: (error) => (crash = error),
      onRecords: (records, claim) => claim.commit((records.at(-1)?.offset ?? 0) + 1),
    },
  );
  try {
    await waitFor(`${app} to commit ${topic.name}`, async () => {
      if (crash !== null) throw crash;
      const done = new Map((await log.committed(group, topic)).map(({ partition, offset }) => [partition, offset]));
      return ends.every(({ partition, next }) => next === 0 || done.get(partition) === next);
    });
  } finally {
    await consumer.close();
  }
}

describe.each(['embedded', 'kafka'] as const)('the account, on the %s log', (kind) => {
  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'accounting-'));
    const brokers = kind === 'kafka' ? { KAFKA_BROKERS: inject('kafkaBrokers').split(',') } : {};
    log = await createEventLog(
      {
        ...brokers,
        KAFKA_SSL: false,
        KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.`,
        KAFKA_PARTITIONS: 2,
        KAFKA_REPLICATION: 1,
        KAFKA_COMPRESSION: 'none',
        KAFKA_SESSION_TIMEOUT_MS: 6_000,
        DATA_DIR: dataDir,
      },
      { clientId: 'test', logger: createLogger('test', 'silent') },
    );
    await untilDone(
      async () => void (await log.applyTopics(allTopics)),
      () => {},
      stop.signal,
    );
    health = new Health();
    told = [];
    accountant = makeAccountant();
  });
  afterEach(async () => {
    await log.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('follows a change from stage to stage, finds one that the writer lost, and takes its late outcome', async () => {
    expect(await account()).toMatchObject({ gap: 0, rows: [] });
    await log.append([change(), change(), change({ recordType: 'Contact', recordId: CONTACT, lane: 'backfill' })]);
    const lead = async () => (await account()).rows.find(({ object }) => object === 'Lead');
    expect(await lead()).toMatchObject({ in: 2, inFlight: 2, gap: 0 });

    await log.append([batch('realtime', ['0:0', '0:1']), batch('backfill', ['0:2'])]);
    await commit('batcher', topics.changes);
    expect(await lead()).toMatchObject({ in: 2, inFlight: 2, gap: 0 });

    await log.append([update('realtime', ['0:0', '0:1'])]);
    await commit('mapper', batchTopics.realtime);
    expect(await lead()).toMatchObject({ in: 2, inFlight: 2, gap: 0 });

    await log.append([outcome('written', ['0:0'])]);
    await commit('iterable-writer', updateTopics.realtime);
    const lost = await account();
    expect(lost).toMatchObject({
      gap: 1,
      confirmed: false,
      gaps: [{ offset: '0:1', object: 'Lead', lane: 'realtime', recordId: LEAD, time: expect.any(Number) }],
      rows: [
        { object: 'Contact', lane: 'backfill', in: 1, inFlight: 1, gap: 0 },
        { object: 'Lead', lane: 'realtime', in: 2, written: 1, inFlight: 0, gap: 1 },
      ],
    });
    expect(warning()).toEqual({ name: 'accounting', ok: true });
    expect(await account()).toMatchObject({ gap: 1, confirmed: true });
    expect(warning()).toMatchObject({ warning: true, detail: expect.stringContaining('1 change has no outcome') });
    expect(health.ready).toBe(true);

    await log.append([outcome('superseded', ['0:1'])]);
    expect(await account()).toMatchObject({ gap: 0, confirmed: false, gaps: [] });
    expect(warning()).toEqual({ name: 'accounting', ok: true });

    await log.append([outcome('skipped', ['0:2'], 'backfill'), outcome('written', ['0:0', '0:1', '0:2'])]);
    expect((await account()).rows).toMatchObject([
      { object: 'Contact', in: 1, skipped: 1, written: 0, inFlight: 0, gap: 0 },
      { object: 'Lead', in: 2, written: 1, superseded: 1, inFlight: 0, gap: 0 },
    ]);
  });

  it('finds what the batcher and the mapper lost, and what a redelivery brings back', async () => {
    await log.append([change(), change(), change()]);
    await log.append([batch('realtime', ['0:0']), batch('realtime', ['0:2'])]);
    await commit('batcher', topics.changes); // 0:1 is in no batch
    expect((await account()).gaps.map(({ offset }) => offset)).toEqual(['0:1']);
    await commit('mapper', batchTopics.realtime); // made nothing of either
    expect((await account()).gaps.map(({ offset }) => offset)).toEqual(['0:0', '0:1', '0:2']);
    await log.append([batch('realtime', ['0:0', '0:1']), update('backfill', ['0:2'])]);
    expect(await account()).toMatchObject({ gap: 0, rows: [{ in: 3, inFlight: 3 }] });
  });

  it('says the same after a restart, and does not miss an unreadable change that is dead', async () => {
    await log.append([change(), change()]);
    await log.append([
      {
        ...change(),
        topic: { ...topics.changes, schema: topics.commands.schema },
        value: { id: 'x', type: 'y', data: {} },
      },
    ]);
    await log.append([outcome('written', ['0:0']), outcome('dead', ['0:2'])]);
    await commit('batcher', topics.changes);
    const before = await account();
    expect(before).toMatchObject({
      gap: 1,
      rows: [
        { object: 'Lead', in: 2, written: 1, gap: 1 },
        { object: 'unknown', in: 1, dead: 1, gap: 0 },
      ],
    });
    accountant = makeAccountant();
    const after = await account();
    expect(after.rows).toEqual(before.rows);
    expect(after.gaps).toEqual(before.gaps);
  });
});
