import { afterEach, describe, expect, it } from 'vitest';
import { topics, type ProfileSchema } from '@libs/contracts';
import { waitFor } from '../support/wait.js';
import { Stage, type StageOptions } from './stage.js';

let stage: Stage;

afterEach(() => stage.close());

const settled = () => waitFor('every update to be committed', async () => (await stage.uncommitted()) === 0, 60_000);

/** Publishes what the fields of a mapping are meant to be, as the mapper does. */
async function publish(fields: ProfileSchema['fields']): Promise<void> {
  const value: ProfileSchema = { object: 'Lead', mappingVersion: 'v1', fields };
  await stage.log.append([{ topic: topics.schemas, key: 's1', value }]);
}

async function fieldTypes(): Promise<Record<string, string>> {
  const response = await fetch(`${stage.settings['ITERABLE_BASE_URL']}/api/users/getFields`, {
    headers: { 'api-key': 'sandbox' },
  });
  return ((await response.json()) as { fields: Record<string, string> }).fields;
}

describe('field types', () => {
  it.each<[string, StageOptions['switches']]>([
    ['reads numbers as they are written', { numberInference: 'by-text' }],
    ['reads numbers by their value', { numberInference: 'by-value' }],
  ])('a first 1000 does not make an amount a whole number, where Iterable %s', async (_, switches) => {
    stage = await new Stage({ switches }).open();
    await publish({ 'Company.Revenue': { type: 'double' }, Staff: { type: 'long' }, Code: { type: 'string' } });
    const updates = await stage.send('realtime', [
      { schema: 's1', dataFields: { Company: { Revenue: 1000 }, Staff: 5, Code: '2026-01-01' } },
      { schema: 's1', dataFields: { Company: { Revenue: 1000.5 }, Code: 'no date' } },
    ]);
    await stage.startWriter({ ITERABLE_SETTLE_SECONDS: '1' });
    await settled();
    expect(await stage.tally()).toEqual({ written: 2 });
    expect(await fieldTypes()).toMatchObject({ 'Company.Revenue': 'double', Staff: 'long', Code: 'string' });
    expect(updates.map((update) => stage.profile(update))).toMatchObject([
      { Company: { Revenue: 1000 }, Staff: 5, Code: '2026-01-01' },
      { Company: { Revenue: 1000.5 }, Code: 'no date' },
    ]);
    const seed = { email: 'salesforce-iterable-sync.field-types@placeholder.email' };
    await waitFor('the seed profile to be gone', () => Promise.resolve(stage.profile(seed) === null), 20_000);
  });

  it('values fit fields that another integration made first', async () => {
    stage = await new Stage().open();
    await stage.put({ email: 'other@example.com', dataFields: { Zip: '0815', Score: 1.5 } });
    await publish({ Zip: { type: 'long' }, Score: { type: 'string' } });
    const [update] = await stage.send('realtime', [{ schema: 's1', dataFields: { Zip: 1234, Score: '7' } }]);
    const before = stage.requests().length;
    await stage.startWriter();
    await settled();
    expect(stage.profile(update ?? {})).toMatchObject({ Zip: '1234', Score: 7 });
    expect(
      stage
        .requests()
        .slice(before)
        .map(({ status }) => status),
    ).toEqual([200]);
  });

  it.each<[string, StageOptions['switches']]>([
    ['the whole request', { mismatchMode: 'whole-request' }],
    ['the users', { mismatchMode: 'per-user' }],
  ])(
    'a refusal of %s for a field made meanwhile is mended; what cannot be converted is a dead letter',
    async (_, switches) => {
      stage = await new Stage({ switches }).open();
      await stage.startWriter();
      await waitFor('the list of fields to be read', () =>
        Promise.resolve(stage.sandbox.requests({ endpoint: 'users/getFields' }).length > 0),
      );
      await stage.put({ email: 'other@example.com', dataFields: { Zip: '0815', Score: 5 } });
      const updates = await stage.send(
        'backfill',
        Array.from({ length: 200 }, (__, n) => ({ dataFields: n === 77 ? { Score: 'much' } : { Zip: n } })),
      );
      await settled();
      expect(stage.profile(updates[50] ?? {})).toMatchObject({ Zip: '50' });
      const letters = await stage.deadLetters();
      const code = switches?.mismatchMode === 'per-user' ? 'iterable.invalid_data' : 'iterable.field_type_mismatch';
      expect(letters.map((letter) => [letter.recordId, letter.code])).toEqual([[updates[77]?.recordId, code]]);
      expect(await stage.tally()).toEqual({ written: 199, [`dead ${code}`]: 1 });
    },
  );

  it('fields that the project does not have are left out where the setting says so, and named', async () => {
    stage = await new Stage().open();
    await publish({ Shoe: { type: 'long' } });
    const [update] = await stage.send('realtime', [{ schema: 's1', dataFields: { Shoe: 43 } }]);
    const writer = await stage.startWriter({ ITERABLE_NEW_FIELDS: 'drop' });
    await settled();
    expect(stage.profile(update ?? {})).not.toHaveProperty('Shoe');
    expect(await fieldTypes()).not.toHaveProperty('Shoe');
    expect((await writer.metrics.writerDroppedFields.get()).values[0]?.value).toBe(1);
  });
});
