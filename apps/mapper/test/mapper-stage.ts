import { toRecordId, topics, type BatchEntry, type RecordBatch } from '@libs/contracts';
import type { Batch, Claim, Outgoing } from '@libs/event-log';
import { parseMappingFiles } from '@libs/mapping';
import { createLogger, createMetrics, Health } from '@libs/observability';
import { SafetyStop } from '@libs/service';
import { CompiledMappings } from '../src/compiled-mappings.js';
import { LaneGate } from '../src/lane-gate.js';
import { Mapper } from '../src/mapper.js';
import { ParentReaders } from '../src/parent-readers.js';
import { ProfileSchemas } from '../src/profile-schemas.js';
import { FakeOrg } from './fake-org.js';

/** The safety stop is not started: no command is heard. */
const noCommands = {
  read: () => {
    throw new Error('not followed');
  },
  offsets: () => Promise.reject(new Error('not followed')),
};
export const LEAD_YAML = 'object: Lead\nfields:\n  Email: email\n  LastName: dataFields.Last\n';
export const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
/** A SystemModstamp, and the same moment as a commit timestamp. */
export const stamp = (second: number) => `2026-11-24T08:00:${String(second).padStart(2, '0')}.000+0000`;
export const commit = (second: number) => Date.UTC(2026, 10, 24, 8, 0, second);

/** A batch of Leads, or of records of another type, that changed. */
export function recordBatch(
  records: readonly number[],
  changes: Partial<BatchEntry> = {},
  recordType = 'Lead',
): RecordBatch {
  const entries = records.map((n) => ({
    recordId: idOf(n),
    changeType: 'UPDATE' as const,
    offsets: [`0:${n}`],
    jobIds: [],
    oldestCommitTimestamp: commit(1),
    newestCommitTimestamp: commit(1),
    ...changes,
  }));
  return { batchId: `b${records[0]}`, recordType, entries, windowStart: 0, windowEnd: 1 };
}

/** A mapper on a log that is two lists, with an org of its own. */
export function setUp(
  texts: Record<string, string> = { 'Lead.yaml': LEAD_YAML },
  { followOwners = true, belongsTo }: { followOwners?: boolean; belongsTo?: string } = {},
) {
  const org = new FakeOrg();
  /** All that was appended, and that without the schemas. */
  const all: Outgoing[] = [];
  const appended: Outgoing[] = [];
  /** Call by call, empty ones left out. */
  const appends: Array<readonly Outgoing[]> = [];
  const metrics = createMetrics();
  const health = new Health();
  const files = Object.entries(texts).map(([name, text]) => ({ name, text }));
  const parsed = [...parseMappingFiles(files)].map(([object, mapping]) => [object, { ...mapping, belongsTo }] as const);
  const mappings = new CompiledMappings(new Map(parsed), org);
  const safety = new SafetyStop(
    { log: noCommands, health, metrics, logger: createLogger('mapper', 'silent'), stage: 'mapper' },
    { percent: 25, windowMs: 60_000 },
  );
  const gate = new LaneGate(safety);
  const log = {
    /** Thrown by the next appends, first to last. */
    failures: [] as Error[],
    async append(messages: readonly Outgoing[]) {
      const failure = log.failures.shift();
      if (failure !== undefined) throw failure;
      all.push(...messages);
      if (messages[0]?.topic === topics.schemas) return [];
      appended.push(...messages);
      if (messages.length > 0) appends.push(messages);
      return [];
    },
  };
  const mapper = new Mapper({
    log,
    schemas: new ProfileSchemas(log),
    gate,
    salesforce: org,
    mappings,
    readers: new ParentReaders(() => mappings.all(), org),
    followOwners,
    metrics,
    health,
    projectType: 'email',
    visibilityWaitMs: 1,
  });
  const revocation = new AbortController();
  const claim: Claim = {
    topic: topics.realtimeBatches.name,
    partition: 0,
    signal: revocation.signal,
    commit: () => Promise.reject(new Error('the mapper does not commit')),
    heartbeatAgeMs: () => 0,
  };
  const given = (batches: readonly RecordBatch[]): Batch<RecordBatch> => ({
    topic: claim.topic,
    partition: 0,
    nextOffset: batches.length,
    claim,
    records: batches.map((value, offset) => ({
      topic: claim.topic,
      partition: 0,
      offset,
      key: '0',
      headers: {},
      timestampMs: 0,
      value,
    })),
  });
  const lead = (n: number, changes: Record<string, unknown> = {}) =>
    org.put(idOf(n), { SystemModstamp: stamp(1), Email: `lead${n}@example.com`, LastName: `L${n}`, ...changes });
  const keys = () => appended.map(({ topic, key }) => [topic.name, key]);
  return {
    org,
    mapper,
    mappings,
    all,
    appended,
    appends,
    metrics,
    health,
    safety,
    gate,
    log,
    given,
    lead,
    keys,
    takeAway: () => revocation.abort(),
  };
}
