import { topics } from '@libs/contracts';
import { LogUnavailableError, type Outgoing } from '@libs/event-log';
import { parseMappingFiles, type IdentifiedSchema } from '@libs/mapping';
import { describe, expect, it } from 'vitest';
import { ProfileSchemas } from './profile-schemas.js';
import { idOf, LEAD_YAML, recordBatch, setUp as setUpMapper } from '../test/mapper-stage.js';

const schema = (id: string): IdentifiedSchema => ({ id, value: { object: 'Lead', mappingVersion: '1', fields: {} } });

function setUp() {
  const calls: Array<{ readonly messages: readonly Outgoing[]; done(error?: Error): void }> = [];
  const schemas = new ProfileSchemas({
    append(messages) {
      const { promise, resolve, reject } = Promise.withResolvers<never[]>();
      calls.push({ messages, done: (error) => (error === undefined ? resolve([]) : reject(error)) });
      return promise;
    },
  });
  return { calls, schemas };
}

describe('ProfileSchemas', () => {
  it('publishes each once, by its id', async () => {
    const { calls, schemas } = setUp();
    const published = schemas.publish([schema('a'), schema('b'), schema('a')]);
    expect(calls.map(({ messages }) => messages)).toEqual(
      ['a', 'b'].map((id) => [{ topic: topics.schemas, key: id, value: schema(id).value }]),
    );
    for (const { done } of calls) done();
    await published;
    await schemas.publish([schema('b'), schema('a')]);
    expect(calls).toHaveLength(2);
  });

  it('lets whoever comes second wait until it is durable', async () => {
    const { calls, schemas } = setUp();
    const first = schemas.publish([schema('a')]);
    let isDurable = false;
    const second = schemas.publish([schema('a')]).then(() => (isDurable = true));
    await Promise.resolve();
    expect(isDurable).toBe(false);
    calls[0]?.done();
    await Promise.all([first, second]);
    expect(calls).toHaveLength(1);
  });

  it('fails with the log, and tries again when it is asked again', async () => {
    const { calls, schemas } = setUp();
    const failed = schemas.publish([schema('a')]);
    calls[0]?.done(new LogUnavailableError('away'));
    await expect(failed).rejects.toThrow('away');
    const again = schemas.publish([schema('a')]);
    calls[1]?.done();
    await again;
    expect(calls).toHaveLength(2);
  });
});

describe('the schema of an update', () => {
  it('is durable before the first update that names it, and published once', async () => {
    const { mapper, given, lead, all, mappings } = setUpMapper();
    for (const n of [0, 1, 2]) lead(n);
    await mapper.process(given([recordBatch([0]), recordBatch([1])]), 'realtime');
    await mapper.process(given([recordBatch([2])]), 'backfill');
    const own = (await mappings.of('Lead'))?.schema;
    expect(all.map(({ topic, key }) => [topic.name, key])).toEqual([
      [topics.schemas.name, own?.id],
      [topics.realtimeUpdates.name, idOf(0)],
      [topics.realtimeUpdates.name, idOf(1)],
      [topics.backfillUpdates.name, idOf(2)],
    ]);
    expect(all[0]?.value).toEqual({
      object: 'Lead',
      mappingVersion: own?.value.mappingVersion,
      fields: { Last: { type: 'string' } },
    });
    for (const { value } of all.slice(1)) expect(value).toMatchObject({ schema: own?.id });
  });

  it('keeps the update back while the log does not take it', async () => {
    const { mapper, given, lead, all, log } = setUpMapper();
    lead(0);
    log.failures = [new LogUnavailableError('away')];
    await expect(mapper.process(given([recordBatch([0])]), 'realtime')).rejects.toThrow('away');
    expect(all).toEqual([]);
    await mapper.process(given([recordBatch([0])]), 'realtime');
    expect(all.map(({ topic }) => topic.name)).toEqual([topics.schemas.name, topics.realtimeUpdates.name]);
  });

  it('is another one after an edit that gives a field another type', async () => {
    const { mapper, given, lead, all, mappings } = setUpMapper();
    lead(0);
    await mapper.process(given([recordBatch([0])]), 'realtime');
    mappings.replace(
      parseMappingFiles([{ name: 'Lead.yaml', text: `${LEAD_YAML}type:\n  dataFields.Last: string\n` }]),
    );
    await mapper.process(given([recordBatch([0])]), 'realtime');
    expect(all.map(({ topic }) => topic.name)).toEqual([
      topics.schemas.name,
      topics.realtimeUpdates.name,
      topics.schemas.name,
      topics.realtimeUpdates.name,
    ]);
    expect(all[2]?.value).toMatchObject({ fields: { Last: { type: 'string', pinned: true } } });
    expect(all[3]?.value).toMatchObject({ kind: 'update', schema: all[2]?.key });
  });
});
