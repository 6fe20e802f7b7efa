import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { groupOf, MAPPING_TARGET, mappingApplied, topics, type Status } from '@libs/contracts';
import type { Metrics } from '@libs/observability';
import { SalesforceUnavailableError } from '@libs/salesforce';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { batchOf, closeAll, CREATED, LAST, lead, soon, Stage } from '../test/live-stage.js';

afterEach(closeAll);

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

  it('publishes what types it means its fields to have, before any record needs it: at the start and anew', async () => {
    const stage = await Stage.set('embedded');
    await stage.mapper();
    const published = (count: number) =>
      vi.waitFor(async () => {
        const all = await stage.all(topics.schemas);
        expect(all).toHaveLength(count);
        return all.at(-1)?.fields;
      }, soon);
    expect(await published(1)).toEqual({ Last: { type: 'string' } });
    stage.write(lead(LAST, CREATED));
    expect(await published(2)).toEqual({ Created: { type: 'date' }, Last: { type: 'string' } });
    expect(stage.org.queries).toEqual([]);
    // The next process says it again, under the same id: compaction keeps one
    await stage.mapper();
    await published(3);
    const keys: string[] = [];
    for await (const records of stage.log.read(topics.schemas, { untilEnd: true }))
      keys.push(...records.map(({ key }) => key));
    expect(new Set(keys).size).toBe(2);
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
