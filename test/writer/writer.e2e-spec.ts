import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { deadReasons } from '@libs/iterable';
import { waitFor } from '../support/wait.js';
import { leadId, Stage } from './stage.js';

let stage: Stage;

afterEach(() => stage.close());

const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));
const allCommitted = (deadlineMs = 60_000) =>
  waitFor('every update to be committed', async () => (await stage.uncommitted()) === 0, deadlineMs);

describe('the writer, all being well', () => {
  it('writes 10,000 backfilled users in full requests, within the limit, and books each once', async () => {
    stage = await new Stage().open();
    await stage.send(
      'backfill',
      times(10_000, () => ({ jobIds: ['job'] })),
    );
    const writer = await stage.startWriter();
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 10_000 });
    expect(stage.sandbox.stats().users).toBe(10_000);
    const requests = stage.requests();
    // Ten in less than a second would have emptied the sandbox's bucket: some of them would have been answered 429.
    expect(requests.map(({ status }) => status)).toEqual(times(10, () => 200));
    const outcomes = await stage.outcomes();
    expect(new Set(outcomes.flatMap(({ offsets }) => offsets)).size).toBe(10_000);
    expect(outcomes[0]).toMatchObject({ recordType: 'Lead', lane: 'backfill', jobIds: ['job'] });
    expect(outcomes[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    // Before a profile is written for the first time it says so, and what it wrote after.
    const identities = await stage.identities();
    expect(identities.filter(({ intents }) => intents !== undefined)).toHaveLength(10_000);
    expect(identities.filter(({ intents }) => intents === undefined)).toHaveLength(10_000);
    expect(stage.profile({ email: 'user42@example.com' })).toMatchObject({
      Number: 42,
      Salesforce: { Id: leadId(42) },
    });
    expect(writer.health.ready).toBe(true);
    expect(await writer.metrics.registry.metrics()).toContain('sync_writer_active 1');
  });

  it('takes real-time users first, whatever is waiting', async () => {
    stage = await new Stage().open();
    await stage.send(
      'backfill',
      times(9_000, () => ({})),
    );
    await stage.startWriter();
    await waitFor('the backfill to begin', () => stage.requests().length >= 2);
    const before = stage.requests().at(-1)?.number ?? 0;
    const [urgent] = await stage.send('realtime', [{}]);
    const request = await waitFor('the real-time user to be sent', () =>
      stage.sandbox.requests({ email: urgent?.email ?? '' }).at(0),
    );
    const between = stage.requests().filter(({ number }) => number > before && number < request.number);
    expect(between.length).toBeLessThanOrEqual(2); // they may be on their way already (Invariant 6)
    expect(request.users).toBe(1_000); // the backfill rides along
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 9_001 });
  });

  it('sends one update a record, the newest, and neither an older one after it', async () => {
    stage = await new Stage().open();
    const state = (modstampMs: number, fetchedAtMs: number) => ({
      recordId: leadId(1),
      email: 'ada@example.com',
      version: { modstampMs, fetchedAtMs },
      dataFields: { State: `${modstampMs}/${fetchedAtMs}` },
    });
    await stage.send('realtime', [state(2, 1), state(2, 3), state(1, 9)]);
    await stage.startWriter();
    await allCommitted();
    expect(stage.requests()).toHaveLength(1);
    expect(await stage.tally()).toEqual({ written: 1, 'superseded writer.newer_update': 2 });

    await stage.send('backfill', [state(2, 2)]);
    await allCommitted();
    expect(await stage.tally()).toMatchObject({ 'superseded writer.stale_version': 1 });
    await stage.send('backfill', [state(2, 4)]);
    await allCommitted();
    expect(stage.profile({ email: 'ada@example.com' })).toMatchObject({ State: '2/4' });
    expect(stage.requests()).toHaveLength(2);
  });

  it.each(['kept', 'lost'])('refuses what is stale after a restart with its local store %s', async (store) => {
    stage = await new Stage().open();
    const state = (modstampMs: number) => ({
      recordId: leadId(1),
      email: 'ada@example.com',
      version: { modstampMs, fetchedAtMs: 0 },
      dataFields: { State: modstampMs },
    });
    const first = await stage.startWriter();
    await stage.send('realtime', [state(5)]);
    await allCommitted();
    await first.close();
    if (store === 'lost') rmSync(join(stage.dataDir, 'writer-identities.db'));
    await stage.send('backfill', [state(4), { recordId: leadId(2), email: 'grace@example.com' }]);
    await stage.startWriter({}, await stage.openLog());
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 2, 'superseded writer.stale_version': 1 });
    expect(stage.profile({ email: 'ada@example.com' })).toMatchObject({ State: 5 });
  });

  it('merges into nested objects, and clears what is null', async () => {
    stage = await new Stage().open();
    await stage.startWriter();
    const to = (dataFields: Record<string, unknown>, fetchedAtMs: number) => ({
      recordId: leadId(1),
      email: 'ada@example.com',
      version: { modstampMs: 1, fetchedAtMs },
      dataFields,
    });
    await stage.send('realtime', [to({ Name: { First: 'Ada' }, Title: 'Countess' }, 1)]);
    await allCommitted();
    await stage.send('realtime', [to({ Name: { Last: 'Lovelace' }, Title: null }, 2)]);
    await allCommitted();
    const profile = stage.profile({ email: 'ada@example.com' });
    expect(profile).toMatchObject({ Name: { First: 'Ada', Last: 'Lovelace' } });
    expect(profile).not.toHaveProperty('Title');
  });

  it('writes nothing in a dry run, and says so of each', async () => {
    stage = await new Stage().open();
    await stage.send(
      'backfill',
      times(2_500, () => ({})),
    );
    await stage.send('realtime', [{ recordId: leadId(0), version: { modstampMs: 9, fetchedAtMs: 0 } }]);
    await stage.startWriter({ ITERABLE_DRY_RUN: 'true' });
    await allCommitted();
    const { 'skipped writer.dry_run': skipped = 0, 'superseded writer.newer_update': superseded = 0 } =
      await stage.tally();
    expect(skipped + superseded).toBe(2_501);
    expect([stage.requests().length, stage.sandbox.stats().users, (await stage.identities()).length]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('the writer, with bad users', () => {
  it.each([
    ['invalidEmails', 'iterable.invalid_email'],
    ['invalidUserIds', 'iterable.invalid_user_id'],
    ['notFoundEmails', 'iterable.unknown_user'],
    ['invalidDataEmails', 'iterable.invalid_data'],
    ['conflictEmails', 'iterable.identity_conflict'],
    ['forgottenEmails', 'iterable.forgotten'],
    ['quarantinedEmails', 'iterable.unknown_failure'],
  ] as const)('buries those of a list %s as %s, and writes the others', async (list, code) => {
    stage = await new Stage().open();
    stage.fault('partial-failures', { options: { list, share: 0.1 } });
    const updates = await stage.send(
      'backfill',
      times(300, (n) => ({ userId: `sf-${n}` })),
    );
    const writer = await stage.startWriter();
    await allCommitted();
    const letters = await stage.deadLetters();
    const dead = new Set(letters.map(({ recordId }) => recordId));
    expect([dead.size, letters.length]).toEqual([stage.sandbox.stats().failed, dead.size]);
    expect(dead.size).toBeGreaterThan(5);
    expect(await stage.tally()).toEqual({ written: 300 - dead.size, [`dead ${code}`]: dead.size });
    expect(letters[0]).toMatchObject({
      stage: 'writer',
      code,
      message: deadReasons[code],
      attempts: 1,
      lane: 'backfill',
    });
    for (const update of updates) expect(stage.profile(update) === null).toBe(dead.has(update.recordId));
    expect(await writer.metrics.registry.metrics()).toContain(
      `sync_dead_letters_total{stage="writer",code="${code}"} ${dead.size}`,
    );
  });

  it('finds the one user whose value has another type, in bulk, and writes the good ones first', async () => {
    stage = await new Stage().open();
    await stage.startWriter();
    await stage.send('backfill', [{ dataFields: { Revenue: 1_000.5 } }]);
    await allCommitted();
    const before = stage.requests().length;
    await stage.send(
      'backfill',
      times(1_000, (n) => ({ dataFields: { Revenue: n === 617 ? 'a lot' : n + 0.5 } })),
    );
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 1_000, 'dead iterable.field_type_mismatch': 1 });
    const [letter] = await stage.deadLetters();
    expect(letter).toMatchObject({ recordId: leadId(618), code: 'iterable.field_type_mismatch', attempts: 2 });
    expect(JSON.stringify(letter)).not.toMatch(/a lot|example\.com/);
    // Refused; the 999 others; the suspect once more.
    expect(
      stage
        .requests()
        .slice(before)
        .map(({ users, status }) => [users, status]),
    ).toEqual([
      [1_000, 400],
      [999, 200],
      [1, 400],
    ]);
  });

  it('finds bad users that no answer points at, in at most ceil(log2 n) + 1 extra requests for each', async () => {
    stage = await new Stage().open();
    stage.fault('type-mismatch', { options: { field: 'Elsewhere', share: 0.004 } });
    await stage.send(
      'backfill',
      times(1_000, () => ({})),
    );
    await stage.startWriter({ ITERABLE_REQUESTS_PER_SECOND: '5' });
    await allCommitted(120_000);
    const bad = (await stage.deadLetters()).length;
    expect(bad).toBeGreaterThan(0);
    expect(await stage.tally()).toEqual({ written: 1_000 - bad, 'dead iterable.field_type_mismatch': bad });
    expect(stage.requests().length).toBeLessThanOrEqual(1 + bad * 11);
  });

  it('halves what Iterable finds too large', async () => {
    stage = await new Stage({ switches: { maxUsersPerRequest: 300 } }).open();
    await stage.send(
      'backfill',
      times(1_000, () => ({})),
    );
    await stage.startWriter();
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 1_000 });
    expect(
      stage
        .requests()
        .map(({ users }) => users)
        .toSorted((a, b) => a - b),
    ).toEqual([250, 250, 250, 250, 500, 500, 1_000]);
  });

  it('gives up a user that is too large alone', async () => {
    stage = await new Stage({ switches: { bodyLimitBytes: 20_000 } }).open();
    await stage.send('realtime', [{}, { dataFields: { Text: 'x'.repeat(25_000) } }, {}]);
    await stage.startWriter();
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 2, 'dead iterable.user_too_large': 1 });
    expect((await stage.deadLetters()).map(({ recordId }) => recordId)).toEqual([leadId(1)]);
  });

  it('tells apart two profiles in each other’s way, though the list names a third', async () => {
    stage = await new Stage({ projectType: 'hybrid' }).open();
    await stage.startWriter({ ITERABLE_PROJECT_TYPE: 'hybrid', ITERABLE_SETTLE_SECONDS: '0.2' });
    // Somebody whom no record of ours is about.
    await stage.put({ userId: 'owner', dataFields: { email: 'shared@example.com' } });
    await stage.send(
      'realtime',
      times(20, (n) => ({ userId: `id-${n}`, email: n === 7 ? 'Shared@Example.com' : `other${n}@example.com` })),
    );
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 19, 'dead iterable.identity_conflict': 1 });
    expect((await stage.deadLetters()).map(({ recordId }) => recordId)).toEqual([leadId(7)]);
  });

  it('buries an update whose user the project cannot know', async () => {
    stage = await new Stage({ projectType: 'user-id' }).open();
    await stage.startWriter({ ITERABLE_PROJECT_TYPE: 'user-id' });
    await stage.send('realtime', [{}, { userId: 'known' }]);
    await allCommitted();
    expect(await stage.tally()).toEqual({ written: 1, 'dead writer.missing_identifier': 1 });
  });
});
