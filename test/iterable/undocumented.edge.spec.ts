import {
  classifyBulkAnswer,
  encodeRequest,
  packUser,
  parseFields,
  parseProfile,
  type BulkVerdict,
} from '@libs/iterable';
import { afterEach, describe, expect, it } from 'vitest';
import { closeStages, openStage, type Stage } from './stage.js';

afterEach(closeStages);

/** Whatever the real project turns out to do, our side must come to the same. */
describe('a user that is not there', () => {
  it.each(['in-words', 'own-code'] as const)('is not there, told %s', async (unknownUser) => {
    const { calls, signal } = await openStage({ switches: { unknownUser } });
    const rename = { kind: 'update-email', from: 'nobody@example.com', to: 'new@example.com' } as const;
    expect(await calls.run(rename, signal)).toEqual({ kind: 'already', why: 'unknown-user' });
  });

  it.each(['empty', '400', '404'] as const)('is not found: %s', async (unknownUserRead) => {
    const { client, seed } = await openStage({ projectType: 'hybrid', switches: { unknownUserRead } });
    await seed({ userId: 'u1' });
    expect(parseProfile(await client.getUser({ userId: 'nobody' }))).toBeNull();
    expect(parseProfile(await client.getUser({ userId: 'u1' }))).toMatchObject({ userId: 'u1' });
  });
});

describe('a value of a wrong type', () => {
  const good = packUser({ email: 'b@example.com', dataFields: { Size: 8 } });
  const bad = packUser({ email: 'c@example.com', dataFields: { Size: 'eight', Rate: 'x' } });

  const send = async ({ client }: Stage): Promise<BulkVerdict> =>
    classifyBulkAnswer([good, bad], await client.bulkUpdateUsers(encodeRequest([good, bad])));

  it.each([
    ['text', 'all', ['Size long', 'Rate double']],
    ['list', 'all', ['Size long', 'Rate double']],
    ['text', 'first', ['Size long']],
    ['list', 'first', ['Size long']],
  ] as const)('is named with its field, type as %s, fields: %s', async (expectedTypeForm, mismatchNames, named) => {
    const stage = await openStage({ switches: { expectedTypeForm, mismatchNames } });
    await stage.seed({ email: 'a@example.com', dataFields: { Size: 7, Rate: 0.5 } });
    const verdict = await send(stage);
    expect(verdict).toMatchObject({ kind: 'split', code: 'iterable.field_type_mismatch', suspects: [1] });
    const mismatches = verdict.kind === 'split' && verdict.cause === 'bad_user' ? verdict.mismatches : [];
    expect(mismatches.map(({ field, expected }) => `${field} ${expected}`)).toEqual(named);
  });

  it('is that user alone’s, where the project sees it so', async () => {
    const stage = await openStage({ switches: { mismatchMode: 'per-user' } });
    await stage.seed({ email: 'a@example.com', dataFields: { Size: 7, Rate: 0.5 } });
    expect(await send(stage)).toMatchObject({
      kind: 'answered',
      users: [{ kind: 'written' }, { kind: 'dead', code: 'iterable.invalid_data' }],
    });
  });
});

describe('new fields', () => {
  it.each([
    [true, { createdFields: ['Fresh'], filteredOutFields: [] }, 'long'],
    [false, { createdFields: [], filteredOutFields: ['Fresh'] }, undefined],
    [undefined, { createdFields: [], filteredOutFields: ['Fresh'] }, undefined],
  ])('are made or dropped as the request says (%s), else as the project does', async (createNewFields, told, type) => {
    const { client } = await openStage({ switches: { createNewFields: false } });
    const users = [packUser({ email: 'a@example.com', dataFields: { Fresh: 1 } })];
    const body = encodeRequest(users, createNewFields === undefined ? {} : { createNewFields });
    const verdict = classifyBulkAnswer(users, await client.bulkUpdateUsers(body));
    expect(verdict).toMatchObject({ kind: 'answered', users: [{ kind: 'written' }], ...told });
    expect(parseFields(await client.getFields()).get('Fresh')).toBe(type);
  });
});
