/**
 * What the account of every change costs (docs/accounting.md): processor time to take in changes, outcomes and, when they wait for
 * the writer, updates with profiles. After a build: `node dist/test/bench/accounting.js --changes 200000 --log embedded|kafka`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allTopics, groupOf, topics, updateTopics, type Lane } from '@libs/contracts';
import { createEventLog, type EventLog, type Outgoing, type Position } from '@libs/event-log';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { Accountant } from '../../apps/console/src/accounting/accountant.js';
import type { AccountingAnswer } from '../../apps/console/src/core/accounting-answers.js';
import { startBroker } from '../../tools/kafka/broker.mjs';
import { leadId } from '../writer/stage.js';

const CHUNK = 5_000;
const LANE: Lane = 'backfill';

const { values } = parseArgs({
  options: { changes: { type: 'string', default: '200000' }, log: { type: 'string', default: 'embedded' } },
});
const CHANGES = Number(values.changes);

/** About the size of a mapped Lead. */
const dataFields = Object.fromEntries(
  Array.from({ length: 30 }, (_, n) => [`Field${n}`, `a value of ordinary length ${n}`]),
);

async function append(log: EventLog, make: (n: number) => Outgoing): Promise<Position[]> {
  const positions: Position[] = [];
  for (let start = 0; start < CHANGES; start += CHUNK) {
    const chunk = Array.from({ length: Math.min(CHUNK, CHANGES - start) }, (_, n) => make(start + n));
    positions.push(...(await log.append(chunk)));
  }
  return positions;
}

/** Takes the whole topic as the service would and commits it. */
async function passBatcher(log: EventLog): Promise<void> {
  const ends = await log.offsets(topics.changes);
  const left = new Set(ends.filter(({ next }) => next > 0).map(({ partition }) => partition));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const consumer = await log.consume(
    { group: groupOf('batcher'), topics: [topics.changes] },
    {
      onCrash: reject,
      async onRecords(records, claim) {
        const next = (records.at(-1)?.offset ?? 0) + 1;
        await claim.commit(next);
        if (next === ends[claim.partition]?.next && left.delete(claim.partition) && left.size === 0) resolve();
      },
    },
  );
  await promise;
  await consumer.close();
}

async function measure(what: string, messages: number, work: () => Promise<void>): Promise<void> {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  const cpu = (user + system) / 1e6;
  const seconds = (performance.now() - began) / 1_000;
  const { rss } = process.memoryUsage();
  process.stdout.write(
    `${what}: ${cpu.toFixed(2)} s of processor time, ${Math.round(messages / cpu)} messages a second and core (${seconds.toFixed(1)} s, ${Math.round(rss / 2 ** 20)} MiB)\n`,
  );
}

const dataDir = mkdtempSync(join(tmpdir(), 'bench-accounting-'));
const broker = values.log === 'kafka' ? await startBroker() : null;
const log = await createEventLog(
  {
    ...(broker !== null && { KAFKA_BROKERS: broker.brokers.split(',') }),
    KAFKA_SSL: false,
    KAFKA_TOPIC_PREFIX: `b${randomUUID().slice(0, 8)}.`,
    KAFKA_PARTITIONS: 6,
    KAFKA_REPLICATION: 1,
    KAFKA_COMPRESSION: 'none',
    KAFKA_SESSION_TIMEOUT_MS: 10_000,
    DATA_DIR: dataDir,
  },
  { clientId: 'bench', logger: createLogger('bench', 'silent') },
);
await log.applyTopics(allTopics);
const about = (n: number) => ({ recordType: 'Lead', recordId: leadId(n), commitTimestamp: Date.now() });
const positions = await append(log, (n) => ({
  topic: topics.changes,
  key: leadId(n),
  value: { ...about(n), changeType: 'SNAPSHOT', source: 'backfill', lane: LANE, jobId: 'job' },
}));
const covers = (n: number) => {
  const { partition, offset } = positions[n] as Position;
  return { ...about(n), offsets: [`${partition}:${offset}`], jobIds: ['job'] };
};
await append(log, (n) => ({
  topic: updateTopics[LANE],
  key: leadId(n),
  value: {
    kind: 'update',
    ...covers(n),
    version: { modstampMs: 1_000, fetchedAtMs: 2_000 },
    email: `person${n}@example.com`,
    dataFields,
  },
}));
await passBatcher(log);
let last: AccountingAnswer | null = null;
const accountant = new Accountant({ log, health: new Health(), metrics: createMetrics() }, (answer) => (last = answer));
const signal = new AbortController().signal;
await measure('changes, and updates that wait', CHANGES * 2, () => accountant.evaluate(signal));
await measure('another account of the same', CHANGES, () => accountant.evaluate(signal));
await append(log, (n) => ({
  topic: topics.outcomes,
  key: leadId(n),
  value: { ...covers(n), lane: LANE, kind: 'written', requestId: randomUUID(), time: Date.now() },
}));
await measure('outcomes', CHANGES, () => accountant.evaluate(signal));
process.stdout.write(`${JSON.stringify((last as AccountingAnswer | null)?.rows)}\n`);
await log.close();
await broker?.stop();
rmSync(dataDir, { recursive: true, force: true });
