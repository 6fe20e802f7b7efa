import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  allTopics,
  MAPPING_TARGET,
  targetOfCommand,
  toRecordId,
  topics,
  type Command,
  type RecordBatch,
  type Status,
  type Topic,
} from '@libs/contracts';
import { createEventLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { startService, type RunningService } from '@libs/service';
import { expect, inject, vi } from 'vitest';
import { mapperSettings, type MapperSettings } from '../src/mapper.config.js';
import { MapperModule, mapperService } from '../src/mapper.module.js';
import { FakeOrg } from './fake-org.js';

export const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
/** The text of a mapping of Leads. */
export const lead = (...lines: string[]) => ['object: Lead', 'fields:', '  Email: email', ...lines, ''].join('\n');
export const LAST = '  LastName: dataFields.Last';
export const CREATED = '  CreatedDate: dataFields.Created';
export const soon = { timeout: 30_000, interval: 50 };
const open: Array<() => unknown> = [];

/** Closes all that the stages of a test opened. */
export async function closeAll(): Promise<void> {
  for (const close of open.splice(0).toReversed()) await close();
}

/** A log and a directory of mappings, with as many mappers as a test wants. */
export class Stage {
  readonly directory = mkdtempSync(join(tmpdir(), 'mapper-'));
  readonly org = new FakeOrg();
  readonly settings: MapperSettings;
  log!: EventLog;

  private constructor(kind: 'embedded' | 'kafka') {
    this.write(lead(LAST));
    const kafka = { KAFKA_BROKERS: inject('kafkaBrokers'), KAFKA_TOPIC_PREFIX: `t${randomUUID().slice(0, 8)}.` };
    this.settings = mapperSettings.parse({
      MAPPINGS_DIR: this.directory,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'mapper-data-')),
      SALESFORCE_LOGIN_URL: 'http://127.0.0.1:9',
      SALESFORCE_CLIENT_ID: 'unused',
      KAFKA_PARTITIONS: '2',
      ...(kind === 'kafka' && kafka),
    });
    open.push(() => rmSync(this.directory, { recursive: true, force: true }));
  }

  static async set(kind: 'embedded' | 'kafka'): Promise<Stage> {
    const stage = new Stage(kind);
    stage.log = await stage.openLog();
    await stage.log.applyTopics(allTopics);
    return stage;
  }

  async openLog(): Promise<EventLog> {
    const log = await createEventLog(this.settings, { clientId: 'test', logger: createLogger('test', 'silent') });
    open.push(() => log.close());
    return log;
  }

  async mapper(log = this.log): Promise<RunningService & { readonly metrics: Metrics }> {
    const metrics = createMetrics();
    const parts = { log, metrics, health: new Health(), logger: createLogger('mapper', 'silent') };
    const spec = { ...mapperService, module: this.module };
    const service = await startService(spec, this.settings, parts);
    open.push(() => service.close());
    return { ...service, metrics };
  }

  write(text: string, name = 'Lead.yaml'): void {
    writeFileSync(join(this.directory, name), text);
  }

  async command(id: string, data: Record<string, unknown> = {}, type = 'mapping.reload'): Promise<void> {
    const value = { id, type, data } satisfies Command;
    await this.log.append([{ topic: topics.commands, key: targetOfCommand(type) ?? MAPPING_TARGET, value }]);
  }

  /** Changes Leads; resolves when they are mapped, with what became of each. */
  async change(...numbers: number[]): Promise<unknown[]> {
    const before = (await this.all(topics.realtimeUpdates)).length;
    for (const n of numbers) {
      this.org.put(idOf(n), {
        SystemModstamp: STAMP,
        Email: `l${n}@example.com`,
        LastName: `L${n}`,
        CreatedDate: STAMP,
      });
    }
    await this.log.append([{ topic: topics.realtimeBatches, key: '0', partition: 0, value: batchOf(numbers) }]);
    return vi.waitFor(async () => {
      const after = await this.all(topics.realtimeUpdates);
      expect(after.length).toBe(before + numbers.length);
      return numbers.map((n) => {
        const newest = after.findLast(({ recordId }) => recordId === idOf(n)); // one partition, so in order
        return newest?.kind === 'update' ? newest.dataFields : newest?.kind;
      });
    }, soon);
  }

  async all<T>(topic: Topic<T>): Promise<T[]> {
    const found: T[] = [];
    for await (const records of this.log.read(topic, { untilEnd: true })) {
      for (const { value } of records) {
        const decoded = decode(topic, value);
        if (decoded.ok) found.push(decoded.value);
      }
    }
    return found;
  }

  /** Resolves with the messages under an id when there are so many. */
  async said(id: string, count: number): Promise<Status[]> {
    return vi.waitFor(async () => {
      const said = (await this.all(topics.status)).filter((status) => status.id === id);
      expect(said.length).toBeGreaterThanOrEqual(count);
      return said;
    }, soon);
  }

  private readonly module = (
    given: MapperSettings,
    parts: Parameters<typeof MapperModule.with>[1],
  ): ReturnType<typeof MapperModule.with> => MapperModule.with(given, parts, this.org);
}

export const STAMP = '2026-11-24T08:00:00.000+0000';

/** A batch of Leads that were read. */
export function batchOf(records: readonly number[]): RecordBatch {
  const entries = records.map((n) => ({
    recordId: idOf(n),
    changeType: 'SNAPSHOT' as const,
    offsets: [`0:${n}`],
    jobIds: [],
    oldestCommitTimestamp: 1,
    newestCommitTimestamp: 1,
  }));
  return { batchId: `b-${records[0]}`, recordType: 'Lead', entries, windowStart: 0, windowEnd: 1 };
}
