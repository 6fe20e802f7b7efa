import { describe, expect, it, vi } from 'vitest';
import { topics } from '@libs/contracts';
import { MAX_TEXT_LENGTH } from '@libs/mapping';
import { SalesforceQueryError, SalesforceUnavailableError } from '@libs/salesforce';
import { commit, idOf, LEAD_YAML, recordBatch, setUp, stamp } from '../test/mapper-stage.js';

describe('Mapper', () => {
  it('appends the users of all batches in their order, whichever is answered first, and counts them', async () => {
    const { org, mapper, given, lead, keys, metrics, appended } = setUp();
    for (let n = 0; n < 6; n += 1) lead(n);
    const late = Promise.withResolvers<void>();
    org.beforeAnswer = async (ids) => {
      if (ids.includes(idOf(0))) await late.promise;
      else late.resolve();
    };
    await mapper.process(given([recordBatch([0, 1]), recordBatch([2, 3]), recordBatch([4, 5])]), 'backfill');
    expect(keys()).toEqual([0, 1, 2, 3, 4, 5].map((n) => [topics.backfillUpdates.name, idOf(n)]));
    expect(appended[1]?.value).toMatchObject({ email: 'lead1@example.com', dataFields: { Last: 'L1' } });
    expect((await metrics.mapperRecords.get()).values).toMatchObject([
      { labels: { object: 'Lead', lane: 'backfill' }, value: 6 },
    ]);
  });

  it('tells the writer of each record that is there or was, and ends the others, by one query a batch', async () => {
    const { org, mapper, given, lead, keys, metrics, appended } = setUp();
    lead(0);
    lead(1, { Email: null });
    lead(2, { IsDeleted: true });
    await mapper.process(given([recordBatch([0, 1, 2, 3], { changeType: 'SNAPSHOT' })]), 'realtime');
    expect(keys()).toEqual([
      [topics.realtimeUpdates.name, idOf(0)],
      [topics.realtimeUpdates.name, idOf(1)],
      [topics.realtimeUpdates.name, idOf(2)],
      [topics.outcomes.name, idOf(3)],
    ]);
    expect(appended.map(({ value }) => value)).toMatchObject([
      { kind: 'update' },
      { kind: 'removal', gone: false, reason: 'mapping.no_email' },
      { kind: 'removal', gone: true, reason: 'salesforce.deleted' },
      { kind: 'skipped', reason: 'salesforce.not_found' },
    ]);
    expect(org.queries).toHaveLength(1);
    const counted = (await metrics.outcomes.get()).values.map(({ labels, value }) => [labels.reason, value]);
    expect(counted).toEqual([['salesforce.not_found', 1]]);
  });

  it('counts the texts that it had to cut', async () => {
    const { mapper, given, lead, metrics } = setUp();
    lead(0, { LastName: 'x'.repeat(MAX_TEXT_LENGTH + 1) });
    lead(1);
    await mapper.process(given([recordBatch([0, 1])]), 'realtime');
    expect((await metrics.mapperShortened.get()).values).toMatchObject([{ labels: { object: 'Lead' }, value: 1 }]);
  });

  it('keeps a bad record as a dead letter beside its outcome', async () => {
    const { mapper, given, lead, keys, metrics } = setUp();
    lead(0, { SystemModstamp: null });
    lead(1);
    await mapper.process(given([recordBatch([0, 1])]), 'realtime');
    expect(keys()).toEqual([
      [topics.realtimeUpdates.name, idOf(1)],
      [topics.outcomes.name, idOf(0)],
      [topics.deadLetters.name, idOf(0)],
    ]);
    expect((await metrics.deadLetters.get()).values).toMatchObject([
      { labels: { stage: 'mapper', code: 'mapper.no_modstamp' }, value: 1 },
    ]);
  });

  it('asks Salesforce nothing about an object without a mapping', async () => {
    const { org, mapper, given, appended } = setUp();
    await mapper.process(given([recordBatch([0], {}, 'Account'), recordBatch([1], {}, 'Case')]), 'realtime');
    expect(appended.map(({ value }) => (value as { reason: string }).reason)).toEqual([
      'mapping.unmapped_object',
      'mapping.unmapped_object',
    ]);
    expect(org.queries).toEqual([]);
  });

  it('keys what belongs to another record by that one', async () => {
    const { org, mapper, given, lead, keys, appended } = setUp({ 'Lead.yaml': LEAD_YAML }, { belongsTo: 'Contact__c' });
    Object.assign(org.fields['Lead'] as object, { Contact__c: 'reference' });
    org.lookups['Lead.Contact__c'] = ['Contact__r', ['Contact']];
    lead(0, { Contact__c: idOf(7) });
    lead(1, { Contact__c: idOf(7), IsDeleted: true });
    await mapper.process(given([recordBatch([0, 1])]), 'realtime');
    expect(keys()).toEqual([
      [topics.realtimeUpdates.name, idOf(7)],
      [topics.realtimeUpdates.name, idOf(7)],
    ]);
    expect(appended.map(({ value }) => value)).toMatchObject([
      { kind: 'update', recordId: idOf(0) },
      { kind: 'removal', recordId: idOf(1), flagFields: { Last: null } },
    ]);
  });

  it('ends a change of a parent as expanded once the changes of those who show it are durable', async () => {
    const { mapper, given, lead, appends, metrics } = setUp({
      'Lead.yaml': `${LEAD_YAML}  Owner.Name: dataFields.Owner\n`,
    });
    lead(0, { OwnerId: idOf(900) });
    lead(1, { OwnerId: idOf(901) });
    await mapper.process(given([recordBatch([900, 901, 902], {}, 'User')]), 'realtime');
    expect(appends.map((messages) => messages.map(({ topic, key }) => [topic.name, key]))).toEqual([
      [0, 1].map((n) => [topics.changes.name, idOf(n)]),
      [900, 901, 902].map((n) => [topics.outcomes.name, idOf(n)]),
    ]);
    expect(appends[1]?.map(({ value }) => value)).toMatchObject(
      [900, 901, 902].map((n) => ({ kind: 'expanded', reason: 'mapper.fanned_out', offsets: [`0:${n}`] })),
    );
    expect((await metrics.mapperFanOutCauses.get()).values).toMatchObject([
      { labels: { object: 'User', lane: 'realtime' }, value: 3 },
    ]);
    expect((await metrics.mapperFanOutRecords.get()).values).toMatchObject([
      { labels: { object: 'Lead', lane: 'realtime' }, value: 2 },
    ]);
  });

  it('writes a record and follows it to those who show it, and counts its changes once', async () => {
    const text = `${LEAD_YAML}  Referrer__r.LastName: dataFields.Referrer\n`;
    const { org, mapper, given, lead, appends } = setUp({ 'Lead.yaml': text });
    Object.assign(org.fields['Lead'] as object, { Referrer__c: 'reference' });
    org.lookups['Lead.Referrer__c'] = ['Referrer__r', ['Lead']];
    lead(0);
    lead(1, { Referrer__c: idOf(0) });
    lead(2, { Referrer__c: idOf(1) });
    await mapper.process(given([recordBatch([0], { sources: ['cdc'] })]), 'realtime');
    expect(appends.map((messages) => messages.map(({ topic, key }) => [topic.name, key]))).toEqual([
      [[topics.changes.name, idOf(1)]],
      [[topics.realtimeUpdates.name, idOf(0)]],
    ]);
    // What follows it did not change itself: those who show that are left alone
    await mapper.process(given([recordBatch([1], { sources: ['fan-out'], changeType: 'SNAPSHOT' })]), 'realtime');
    expect(
      appends
        .slice(2)
        .flat()
        .map(({ key }) => key),
    ).toEqual([idOf(1)]);
  });

  it('counts and ends changes of owners that are not followed', async () => {
    const texts = { 'Lead.yaml': `${LEAD_YAML}  Owner.Name: dataFields.Owner\n` };
    const { org, mapper, given, appended } = setUp(texts, { followOwners: false });
    await mapper.process(given([recordBatch([900], {}, 'User')]), 'realtime');
    expect(appended.map(({ value }) => value)).toMatchObject([
      { kind: 'skipped', reason: 'mapper.owners_not_followed' },
    ]);
    expect(org.queries).toEqual([]);
  });

  it('asks once more for the rows that do not show their change yet, and only for those', async () => {
    const { org, mapper, given, lead, appended, metrics } = setUp();
    lead(0, { SystemModstamp: stamp(9) });
    lead(1);
    org.beforeAnswer = () => {
      if (org.queries.length === 2) lead(1, { SystemModstamp: stamp(9), LastName: 'Visible' });
    };
    const batches = [recordBatch([0, 1, 2], { newestCommitTimestamp: commit(9) })];
    await mapper.process(given(batches), 'realtime');
    expect(org.queries).toHaveLength(2);
    expect(org.queries[1]?.soql).toContain(`('${idOf(1)}','${idOf(2)}')`);
    expect(appended.map(({ value }) => value)).toMatchObject([
      { recordId: idOf(0), dataFields: { Last: 'L0' } },
      { recordId: idOf(1), dataFields: { Last: 'Visible' }, version: { modstampMs: commit(9) } },
      { recordId: idOf(2), reason: 'salesforce.not_found' },
    ]);
    expect((await metrics.mapperRefetched.get()).values).toMatchObject([{ value: 2 }]);
  });

  it('works on three partitions of a backfill at a time, and on a real-time batch beside them', async () => {
    const { org, mapper, given, lead, keys } = setUp();
    for (let n = 0; n < 6; n += 1) lead(n);
    const held = Promise.withResolvers<void>();
    org.beforeAnswer = (ids) => (ids.includes(idOf(5)) ? undefined : held.promise);
    const backfilled = [0, 1, 2, 3, 4].map((n) => mapper.process(given([recordBatch([n])]), 'backfill'));
    await vi.waitFor(() => expect(org.queries).toHaveLength(3));
    await mapper.process(given([recordBatch([5])]), 'realtime');
    expect(keys()).toEqual([[topics.realtimeUpdates.name, idOf(5)]]);
    expect(org.queries).toHaveLength(4);
    held.resolve();
    await Promise.all(backfilled);
    expect(org.queries).toHaveLength(6);
    expect(keys()).toHaveLength(6);
  });

  it('does not wait for rows of a backfill', async () => {
    const { org, mapper, given, lead } = setUp();
    lead(0);
    await mapper.process(given([recordBatch([0], { newestCommitTimestamp: commit(9) })]), 'backfill');
    expect(org.queries).toHaveLength(1);
  });

  it('appends nothing of its batches when one of them fails by the world', async () => {
    const { org, mapper, given, lead, appended } = setUp();
    lead(0);
    lead(1);
    org.failures = [new SalesforceUnavailableError('query on Lead: 503')];
    await expect(mapper.process(given([recordBatch([0]), recordBatch([1])]), 'realtime')).rejects.toThrow(
      SalesforceUnavailableError,
    );
    expect(appended).toEqual([]);
    await mapper.process(given([recordBatch([0]), recordBatch([1])]), 'realtime');
    expect(appended).toHaveLength(2);
  });

  it('names a vanished field in readiness, kills no record, and goes on when it is back', async () => {
    const { org, mapper, given, lead, appended, health } = setUp();
    lead(0);
    await mapper.process(given([recordBatch([0])]), 'realtime');
    const lead$ = org.fields['Lead'] as Record<string, string>;
    delete lead$['LastName'];
    org.failures = [new SalesforceQueryError('query on Lead: no such column LastName', 'INVALID_FIELD')];
    await expect(mapper.process(given([recordBatch([0])]), 'realtime')).rejects.toThrow('no such column LastName');
    await expect(mapper.process(given([recordBatch([0])]), 'realtime')).rejects.toThrow('cannot see Lead.LastName');
    expect(health.report().checks).toEqual([
      {
        name: 'mapping:Lead',
        ok: false,
        detail:
          'Lead.yaml: the integration user cannot see Lead.LastName: gone, misspelt or hidden by field-level security',
      },
    ]);
    expect(appended).toHaveLength(1);
    lead$['LastName'] = 'string';
    await mapper.process(given([recordBatch([0])]), 'realtime');
    expect(health.ready).toBe(true);
    expect(appended).toHaveLength(2);
  });

  it('is not held responsible any more for a partition that was taken away', async () => {
    const { org, mapper, given, health, takeAway } = setUp();
    delete (org.fields['Lead'] as Record<string, string>)['LastName'];
    await expect(mapper.process(given([recordBatch([0])]), 'realtime')).rejects.toThrow('cannot see');
    expect(health.ready).toBe(false);
    takeAway();
    expect(health.ready).toBe(true);
  });

  it('appends nothing once the partition is taken away', async () => {
    const { org, mapper, given, lead, appended, takeAway } = setUp();
    lead(0);
    org.beforeAnswer = takeAway;
    await expect(mapper.process(given([recordBatch([0])]), 'realtime')).rejects.toMatchObject({ name: 'AbortError' });
    await mapper.process(given([recordBatch([0])]), 'backfill');
    expect(appended).toEqual([]);
    expect(org.queries).toHaveLength(1);
  });
});
