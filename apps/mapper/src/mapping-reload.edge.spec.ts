import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  allTopics,
  groupOf,
  MAPPING_TARGET,
  mappingApplied,
  toRecordId,
  topics,
  type Command,
  type RecordBatch,
  type Status,
  type Topic,
} from '@libs/contracts';
import { createEventLog, decode, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Metrics } from '@libs/observability';
import { SalesforceUnavailableError } from '@libs/salesforce';
import { startService, type RunningService } from '@libs/service';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { FakeOrg } from '../test/fake-org.js';
import { mapperSettings, type MapperSettings } from './mapper.config.js';
import { MapperModule, mapperService } from './mapper.module.js';

const idOf = (n: number) => toRecordId(`00Q${String(n).padStart(12, '0')}`) as string;
const lead = (...lines: string[]) => ['object: Lead', 'fields:', '  Email: email', ...lines, ''].join('\n');
const LAST = '  LastName: dataFields.Last';
const CREATED = '  CreatedDate: dataFields.Created';
const soon = { timeout: 30_000, interval: 50 };
const open: Array<() => unknown> = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/** A log and a directory of mappings, with as many mappers as a test wants. */
class Stage {
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
    await this.log.append([{ topic: topics.commands, key: MAPPING_TARGET, value }]);
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

const STAMP = '2026-11-24T08:00:00.000+0000';

function batchOf(records: readonly number[]): RecordBatch {
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

function leadVersion(status: Status | undefined): string | undefined {
  return mappingApplied.parse(status?.data).versions['Lead'];
}

async function versionsShown(metrics: Metrics): Promise<unknown[]> {
  return (await metrics.mapperInfo.get()).values.map(({ labels, value }) => [labels.object, labels.version, value]);
}

async function brokenShown(metrics: Metrics): Promise<number | undefined> {
  return (await metrics.mappingBroken.get()).values[0]?.value;
}

describe('an edit of the mapping files of a running mapper', () => {
  it('is applied to the next batch, said, and shown; the old version has no series any more', async () => {
    const stage = await Stage.set('embedded');
    const { metrics } = await stage.mapper();
    const [start] = await stage.said(MAPPING_TARGET, 1);
    const before = leadVersion(start);
    expect(start).toMatchObject({ type: 'mapping-applied', by: 'mapper', data: { changed: ['Lead'], cause: 'start' } });
    expect(await stage.change(1)).toEqual([{ Last: 'L1' }]);
    stage.write(lead(LAST, CREATED));
    const [, applied] = await stage.said(MAPPING_TARGET, 2);
    const after = leadVersion(applied);
    expect(applied).toMatchObject({ type: 'mapping-applied', data: { changed: ['Lead'], cause: 'edit' } });
    expect(after).not.toBe(before);
    expect(await versionsShown(metrics)).toEqual([['Lead', after, 1]]);
    expect(await stage.change(1)).toEqual([{ Last: 'L1', Created: expect.any(String) as string }]);
  });

  it('maps a batch that is under way by the version with which it began', async () => {
    const stage = await Stage.set('embedded');
    await stage.mapper();
    await stage.change(1);
    const answering = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    stage.org.beforeAnswer = async () => {
      asked.resolve();
      await answering.promise;
    };
    const mapped = stage.change(2, 3);
    await asked.promise;
    stage.write(lead(CREATED));
    await stage.said(MAPPING_TARGET, 2);
    answering.resolve();
    expect(await mapped).toEqual([{ Last: 'L2' }, { Last: 'L3' }]);
    expect(Object.keys((await stage.change(2))[0] as object)).toEqual(['Created']);
  });

  it('is refused when it is broken: the sync goes on, ready, and tells what to mend; mended, it is applied', async () => {
    const stage = await Stage.set('embedded');
    const { metrics, health } = await stage.mapper();
    stage.write('object: Lead\nfeilds:\n  Email: email\n');
    const [start, refused] = await stage.said(MAPPING_TARGET, 2);
    expect(refused?.type).toBe('mapping-refused');
    expect(refused?.data).toEqual({
      versions: start?.data['versions'],
      cause: 'edit',
      mistakes: [expect.stringMatching(/^Lead\.yaml:2:1: unknown key "feilds".*did you mean "fields"\?$/)],
    });
    expect(await brokenShown(metrics)).toBe(1);
    expect(health.ready).toBe(true);
    expect(health.report().checks).toContainEqual(expect.objectContaining({ name: 'mappings', warning: true }));
    expect(await stage.change(1)).toEqual([{ Last: 'L1' }]);
    stage.write(lead(LAST));
    const [, , mended] = await stage.said(MAPPING_TARGET, 3);
    expect(mended).toMatchObject({ type: 'mapping-applied', data: { changed: [], cause: 'edit' } });
    expect(await brokenShown(metrics)).toBe(0);
  });

  it('is refused when the org does not show a field that it brings', async () => {
    const stage = await Stage.set('embedded');
    const { health } = await stage.mapper();
    stage.write(lead(LAST, '  CreatedDat: dataFields.Created'));
    const [, refused] = await stage.said(MAPPING_TARGET, 2);
    expect(refused?.data['mistakes']).toEqual([
      'Lead.yaml:5:3: the integration user cannot see Lead.CreatedDat: gone, misspelt or hidden by field-level security; ' +
        'did you mean "CreatedDate"?',
    ]);
    expect(await stage.change(1)).toEqual([{ Last: 'L1' }]);
    expect(health.ready).toBe(true);
  });

  it('skips the records of an object whose file is gone, with a reason', async () => {
    const stage = await Stage.set('embedded');
    stage.write('object: Contact\nfields:\n  Email: email\n', 'Contact.yaml');
    await stage.mapper();
    rmSync(join(stage.directory, 'Lead.yaml'));
    await stage.said(MAPPING_TARGET, 2);
    await stage.log.append([{ topic: topics.realtimeBatches, key: '0', partition: 0, value: batchOf([1]) }]);
    await vi.waitFor(async () => {
      expect((await stage.all(topics.outcomes)).map(({ reason }) => reason)).toEqual(['mapping.unmapped_object']);
    }, soon);
  });
});

describe.each(['embedded', 'kafka'] as const)('mapping.reload on the %s log', (kind) => {
  it('is answered once, however often it comes, with the versions in force', async () => {
    const stage = await Stage.set(kind);
    const { metrics } = await stage.mapper();
    const [start] = await stage.said(MAPPING_TARGET, 1);
    await stage.command('same');
    const [unchanged] = await stage.said('same', 1);
    expect(unchanged).toMatchObject({ type: 'completed', data: { versions: start?.data['versions'], changed: [] } });
    stage.write(lead(LAST, CREATED));
    await stage.command('same');
    await stage.command('edited');
    const [edited] = await stage.said('edited', 1);
    expect(edited).toMatchObject({ type: 'completed', data: { changed: ['Lead'] } });
    expect(await stage.said('same', 1)).toHaveLength(1);
    const [, applied] = await stage.said(MAPPING_TARGET, 2);
    expect(applied).toMatchObject({ type: 'mapping-applied', data: { versions: edited?.data['versions'] } });
    expect((await metrics.commands.get()).values.map(({ labels, value }) => [labels, value])).toEqual([
      [{ type: 'mapping.reload', outcome: 'completed' }, 2],
    ]);
  });

  it('is refused with a reason: broken files, data that it does not take, a type that it does not know', async () => {
    const stage = await Stage.set(kind);
    await stage.mapper();
    await stage.command('data', { object: 'Lead' });
    await stage.command('type', {}, 'mapping.unload');
    await stage.command('other', {}, 'backfill.start');
    stage.write('object: Lead\n');
    await stage.command('broken');
    const [broken] = await stage.said('broken', 1);
    expect(broken?.type).toBe('rejected');
    expect(broken?.data['mistakes']).toEqual([expect.stringMatching(/^Lead\.yaml:1:1: /)]);
    const answers = (await stage.all(topics.status)).filter(({ id }) => id !== MAPPING_TARGET && id !== 'broken');
    expect(answers.map(({ id, type, data }) => [id, type, data['reason']])).toEqual([
      ['data', 'rejected', 'data: Unrecognized key: "object"'],
      ['type', 'rejected', 'unknown command type "mapping.unload"; known: mapping.reload'],
    ]);
  });

  it('says that it is tried again while the org cannot be asked, and later what became of it', async () => {
    const stage = await Stage.set(kind);
    await stage.mapper();
    const { describe: answer } = stage.org;
    stage.org.describe = () => Promise.reject(new SalesforceUnavailableError('describe of Lead: 503'));
    stage.write(lead(LAST, CREATED));
    await stage.command('away');
    const [accepted] = await stage.said('away', 1);
    expect(accepted).toMatchObject({ type: 'accepted', data: { reason: expect.stringContaining('503') as string } });
    stage.org.describe = answer;
    const [, applied] = await stage.said(MAPPING_TARGET, 2);
    expect(applied).toMatchObject({ type: 'mapping-applied', data: { changed: ['Lead'] } });
  });

  it('is answered by one of several mappers, and by the next one when that has gone', async () => {
    const stage = await Stage.set(kind);
    const group = groupOf('mapper');
    const mappers = [
      await stage.mapper(),
      await stage.mapper(await stage.openLog()),
      await stage.mapper(await stage.openLog()),
    ];
    await stage.said(MAPPING_TARGET, 3);
    for (let n = 0; n < 5; n += 1) await stage.command(`c${n}`);
    await stage.said('c4', 1);
    await mappers[0]?.close();
    await mappers[1]?.close();
    for (let n = 0; n < 5; n += 1) await stage.command(`c${n}`);
    await stage.command('last');
    await stage.said('last', 1);
    const answers = (await stage.all(topics.status)).filter(({ id }) => id !== MAPPING_TARGET);
    expect(answers.map(({ id, type }) => [id, type])).toEqual(
      ['c0', 'c1', 'c2', 'c3', 'c4', 'last'].map((id) => [id, 'completed']),
    );
    await vi.waitFor(async () => expect((await stage.log.committed(group, topics.commands))[0]?.offset).toBe(11), soon);
  });
});
