import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { fault } from '../../apps/sandbox/src/faults.js';
import { seededChannels } from '../../apps/sandbox/src/iterable/index.js';
import type { ProfileKey } from '@libs/iterable';
import { closeStages, openStage, type Stage } from './stage.js';

afterEach(closeStages);

const MARKETING = { allMarketing: true, channelIds: [], messageTypeIds: [] };
const only = (channelIds: number[], messageTypeIds: number[] = []) => ({
  allMarketing: false,
  channelIds,
  messageTypeIds,
});
const done = { kind: 'done' };
const already = { kind: 'already', why: 'unsubscribed' };
const REWRITE = 'POST users/bulkUpdateSubscriptions';
const GROUP = 'PUT subscriptions/{group}/{id}';

const strike = (stage: Stage, kind: string, match: string, options: object = {}, count = 1) =>
  stage.faults.add(fault.parse({ system: 'iterable', kind, match, count, options }));

function listsOf(stage: Stage, key: ProfileKey): { channels: number[]; types: number[] } {
  const fields = (stage.sandbox.user(key)?.['dataFields'] ?? {}) as Record<string, number[] | undefined>;
  return {
    channels: (fields['unsubscribedChannelIds'] ?? []).toSorted((a, b) => a - b),
    types: (fields['unsubscribedMessageTypeIds'] ?? []).toSorted((a, b) => a - b),
  };
}

/** How many calls of a kind came. */
const count = (stage: Stage, line: string) => stage.seen().filter((one) => one === line).length;

describe.each(['email', 'user-id', 'hybrid'] as const)('opt-outs in a project of type %s', (projectType) => {
  const keyOf = (at: number): ProfileKey =>
    projectType === 'email' || (projectType === 'hybrid' && at % 2 === 1)
      ? { email: `p${at}@example.com` }
      : { userId: `u${at}` };

  it.each(['enabled', 'not-found', 'forbidden'] as const)(
    'take all marketing by email and what is named, and nothing else; group endpoint: %s',
    async (groupSubscriptions) => {
      const stage = await openStage({ projectType, switches: { groupSubscriptions } });
      const keys = [0, 1, 2].map(keyOf);
      await stage.seed(
        { ...keys[0], dataFields: { Score: 1, unsubscribedChannelIds: [7] } },
        { ...keys[1], dataFields: { unsubscribedMessageTypeIds: [203] } },
        keys[2] as object,
      );
      const before = stage.sandbox.user(keys[2] as ProfileKey);
      expect(
        await stage.subscriptions.unsubscribe(keys.slice(0, 2), { ...MARKETING, messageTypeIds: [205] }, stage.signal),
      ).toEqual([done, done]);
      expect(listsOf(stage, keys[0] as ProfileKey)).toEqual({ channels: [7, 101, 103], types: [205] });
      expect(listsOf(stage, keys[1] as ProfileKey)).toEqual({ channels: [101, 103], types: [203, 205] });
      expect(stage.sandbox.user(keys[0] as ProfileKey)).toMatchObject({ dataFields: { Score: 1 } });
      expect(stage.sandbox.user(keys[2] as ProfileKey)).toEqual(before);
      const again = await stage.subscriptions.unsubscribe(keys.slice(0, 2), MARKETING, stage.signal);
      expect(again).toEqual(groupSubscriptions === 'enabled' ? [done, done] : [already, already]);
      expect(count(stage, 'GET channels')).toBe(1);
      expect(count(stage, GROUP)).toBe(groupSubscriptions === 'enabled' ? 5 : 1);
      expect(count(stage, REWRITE)).toBe(groupSubscriptions === 'enabled' ? 0 : 1);
    },
  );

  it.each(['enabled', 'not-found'] as const)(
    'never take anybody back: whatever was said no to stays so, however the opt-outs come; group endpoint: %s',
    async (groupSubscriptions) => {
      const stage = await openStage({ projectType, switches: { groupSubscriptions } });
      const ids = fc.uniqueArray(fc.constantFrom<number>(101, 102, 103, 104, 105), { maxLength: 4 });
      const types = fc.uniqueArray(fc.constantFrom<number>(201, 202, 203, 204), { maxLength: 3 });
      const optOut = fc.record({ allMarketing: fc.boolean(), channelIds: ids, messageTypeIds: types });
      let next = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(ids, types), { minLength: 1, maxLength: 4 }),
          fc.array(fc.record({ optOut, together: fc.boolean() }), { minLength: 1, maxLength: 3 }),
          async (held, steps) => {
            const keys = held.map(() => keyOf(next++));
            await stage.seed(
              ...held.map(([unsubscribedChannelIds, unsubscribedMessageTypeIds], at) => ({
                ...keys[at],
                dataFields: { unsubscribedChannelIds, unsubscribedMessageTypeIds },
              })),
            );
            const wanted = held.map(([channels, messageTypes]) => ({
              channels: new Set(channels),
              types: new Set(messageTypes),
            }));
            const running: Array<Promise<unknown>> = [];
            for (const step of steps) {
              const call = stage.subscriptions.unsubscribe(keys, step.optOut, stage.signal);
              running.push(call);
              if (!step.together) await call;
              for (const one of wanted) {
                for (const id of step.optOut.channelIds) one.channels.add(id);
                for (const id of step.optOut.messageTypeIds) one.types.add(id);
                if (step.optOut.allMarketing) for (const id of [101, 103]) one.channels.add(id);
              }
            }
            await Promise.all(running);
            expect(keys.map((key) => listsOf(stage, key))).toEqual(
              wanted.map((one) => ({
                channels: [...one.channels].toSorted((a, b) => a - b),
                types: [...one.types].toSorted((a, b) => a - b),
              })),
            );
          },
        ),
        { numRuns: 40 },
      );
    },
  );
});

describe('the group endpoint', () => {
  const enabled = { groupSubscriptions: 'enabled' } as const;

  it('takes a thousand people in one request a channel', async () => {
    const stage = await openStage({ projectType: 'user-id', switches: enabled });
    const profiles = Array.from({ length: 1_001 }, (_, at) => ({ userId: `u${at}` }));
    await stage.seed(...profiles);
    const verdicts = await stage.subscriptions.unsubscribe(profiles, MARKETING, stage.signal);
    expect(verdicts).toEqual(profiles.map(() => done));
    expect(count(stage, GROUP)).toBe(4);
    expect(count(stage, 'GET users/byUserId')).toBe(0);
    expect([0, 999, 1_000].map((at) => listsOf(stage, { userId: `u${at}` }).channels)).toEqual([
      [101, 103],
      [101, 103],
      [101, 103],
    ]);
  });

  it('is asked in parts when it refuses many for the sake of some', async () => {
    const stage = await openStage({ projectType: 'email', switches: { ...enabled, unknownSubscribers: 'refused' } });
    const good = Array.from({ length: 20 }, (_, at) => ({ email: `p${at}@example.com` }));
    await stage.seed(...good);
    await stage.calls.run({ kind: 'forget', profile: { email: 'gone@example.com' } }, stage.signal);
    const profiles = good
      .toSpliced(7, 0, { email: 'nonsense' }, { email: 'nobody@example.com' })
      .toSpliced(2, 0, { email: 'gone@example.com' });
    const verdicts = await stage.subscriptions.unsubscribe(profiles, only([101]), stage.signal);
    expect(verdicts.filter((verdict) => verdict.kind === 'done')).toHaveLength(20);
    expect([verdicts[2], verdicts[8], verdicts[9]]).toEqual([
      { kind: 'dead', code: 'iterable.forgotten' },
      { kind: 'dead', code: 'iterable.invalid_email' },
      { kind: 'unknown' },
    ]);
    expect(good.every((key) => listsOf(stage, key).channels.length === 1)).toBe(true);
  });

  it('may answer 202', async () => {
    const stage = await openStage({ projectType: 'email', switches: { ...enabled, groupSubscriptionsAccepted: true } });
    await stage.seed({ email: 'a@example.com' });
    expect(await stage.subscriptions.unsubscribe([{ email: 'a@example.com' }], only([101]), stage.signal)).toEqual([
      done,
    ]);
  });

  it('is left alone for an hour after a refusal, and reading waits for what it did before', async () => {
    const stage = await openStage({ projectType: 'email', switches: enabled });
    const key = { email: 'a@example.com' };
    await stage.seed(key);
    expect(await stage.subscriptions.unsubscribe([key], only([101]), stage.signal)).toEqual([done]);
    stage.sandbox.setSwitches({ groupSubscriptions: 'not-found' });
    const [verdict] = await stage.subscriptions.unsubscribe([key], only([103]), stage.signal);
    expect(verdict).toMatchObject({ kind: 'retry', code: 'iterable.unavailable' });
    expect((verdict as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(50_000);
    expect(count(stage, 'GET users/getByEmail')).toBe(0);
    const asked = count(stage, GROUP);
    await stage.subscriptions.unsubscribe([key], only([103]), stage.signal);
    expect(count(stage, GROUP)).toBe(asked);
  });

  it.each(['400', '404'] as const)(
    'a channel that has gone since is found out (%s), and said',
    async (unknownSubscription) => {
      const stage = await openStage({ projectType: 'email', switches: { ...enabled, unknownSubscription } });
      const key = { email: 'a@example.com' };
      await stage.seed(key);
      expect(await stage.subscriptions.unsubscribe([key], only([101, 9]), stage.signal)).toEqual([
        { kind: 'dead', code: 'iterable.unknown_subscription' },
      ]);
      expect(listsOf(stage, key).channels).toEqual([101]);
      expect(count(stage, 'GET channels')).toBe(1);
    },
  );
});

describe('reading and replacing lists', () => {
  const key = { email: 'a@example.com' };
  const other = { email: 'b@example.com' };

  it('sends only the list that grows, and only for whom it grows', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed(
      { ...key, dataFields: { unsubscribedChannelIds: [101], unsubscribedMessageTypeIds: [201] } },
      { ...other, dataFields: { unsubscribedChannelIds: [101], unsubscribedMessageTypeIds: [202] } },
    );
    expect(await stage.subscriptions.unsubscribe([key, other], only([101], [202]), stage.signal)).toEqual([
      done,
      already,
    ]);
    expect(stage.sandbox.requests({ endpoint: 'users/bulkUpdateSubscriptions', email: key.email })[0]?.entries).toEqual(
      [{ ...key, unsubscribedMessageTypeIds: [201, 202] }],
    );
    expect(stage.sandbox.requests({ endpoint: 'users/bulkUpdateSubscriptions', email: other.email })).toEqual([]);
  });

  it('adds what it wrote itself and a read does not show yet', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed(key);
    stage.sandbox.setSwitches({ visibilityDelayBulkMs: 60_000 });
    await stage.subscriptions.unsubscribe([key], only([101]), stage.signal);
    await stage.subscriptions.unsubscribe([key], only([103]), stage.signal);
    stage.clock.advance(61);
    expect(listsOf(stage, key).channels).toEqual([101, 103]);
  });

  it('says who is not there, and leaves others out of it', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed(other);
    const profiles = [key, other, { email: 'nonsense' }];
    expect(await stage.subscriptions.unsubscribe(profiles, only([101]), stage.signal)).toEqual([
      { kind: 'unknown' },
      done,
      { kind: 'dead', code: 'iterable.invalid_email' },
    ]);
    expect(stage.sandbox.stats().users).toBe(1);
  });

  it('survives what the world does to each of its calls', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed(key);
    const run = async () => (await stage.subscriptions.unsubscribe([key], only([101]), stage.signal))[0];
    for (const path of ['channels', 'getByEmail', 'bulkUpdateSubscriptions']) {
      strike(stage, 'http-500', path);
      expect([path, await run()]).toEqual([path, { kind: 'retry', code: 'iterable.unavailable' }]);
      strike(stage, 'rate-limit-storm', path, { hints: false });
      expect([path, await run()]).toEqual([path, { kind: 'retry', code: 'iterable.rate_limited' }]);
      strike(stage, 'bad-key', path);
      expect([path, await run()]).toEqual([path, { kind: 'refused', code: 'iterable.access_refused' }]);
    }
    expect(listsOf(stage, key).channels).toEqual([]);
    strike(stage, 'reset-after-apply', 'bulkUpdateSubscriptions');
    expect(await run()).toEqual({ kind: 'retry', code: 'iterable.unreachable' });
    expect(await run()).toEqual(already);
    expect(listsOf(stage, key).channels).toEqual([101]);
  });
});

describe('the channels of the project', () => {
  it('are asked for again when an id is named that is not among them, once a minute', async () => {
    let skippedMs = 0;
    const stage = await openStage(
      { projectType: 'email', switches: { groupSubscriptions: 'enabled' } },
      { clock: () => performance.now() + skippedMs },
    );
    const key = { email: 'a@example.com' };
    await stage.seed(key);
    const run = async (optOut = only([200])) => (await stage.subscriptions.unsubscribe([key], optOut, stage.signal))[0];
    expect(await run()).toEqual({ kind: 'dead', code: 'iterable.unknown_subscription' });
    const [first] = seededChannels.channels;
    if (first === undefined) throw new Error('no channel is seeded');
    stage.sandbox.setChannels({ ...seededChannels, channels: [...seededChannels.channels, { ...first, id: 200 }] });
    expect(await run()).toEqual({ kind: 'dead', code: 'iterable.unknown_subscription' });
    skippedMs += 60_000;
    expect(await run()).toEqual(done);
    expect(await run(MARKETING)).toEqual(done);
    expect(listsOf(stage, key).channels).toEqual([101, 103, 200]);
    stage.sandbox.setChannels({ ...seededChannels, channels: [first] });
    skippedMs += 60_000;
    expect(await run(MARKETING)).toEqual(done); // 103 is refused, found to be gone, and left out
    skippedMs += 3_600_000;
    expect(await run(only([]))).toEqual(already);
  });
});
