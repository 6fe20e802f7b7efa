import { afterEach, describe, expect, it } from 'vitest';
import { fault } from '../../apps/sandbox/src/faults.js';
import { parseFields, parseProfile, type ProfileCall, type ProfileKey } from '@libs/iterable';
import { closeStages, openStage, type Stage } from './stage.js';

afterEach(closeStages);

const done = { kind: 'done' };
const unknown = { kind: 'already', why: 'unknown-user' };
const strike = (stage: Stage, kind: string, options: object = {}) =>
  stage.faults.add(fault.parse({ system: 'iterable', kind, count: 1, options }));

/** Each kind of call, on what it works on, and how a repeat is answered once it was applied. */
const cases: ReadonlyArray<{
  name: string;
  projectType: 'email' | 'user-id' | 'hybrid';
  users: object[];
  call: ProfileCall;
  repeat: object;
  after: Array<[ProfileKey, object | null]>;
}> = [
  {
    name: 'a rename',
    projectType: 'email',
    users: [{ email: 'old@example.com', dataFields: { A: 1 } }],
    call: { kind: 'update-email', from: 'Old@example.com', to: 'New+x@example.com' },
    repeat: unknown,
    after: [
      [{ email: 'old@example.com' }, null],
      [{ email: 'new+x@example.com' }, { A: 1 }],
    ],
  },
  ...(['user-id', 'hybrid'] as const).map((projectType) => ({
    name: 'a merge',
    projectType,
    users: [
      { userId: '00Q1', dataFields: { A: 'lead', B: 'lead', unsubscribedChannelIds: [101] } },
      { userId: '0031', dataFields: { A: 'contact' } },
    ],
    call: { kind: 'merge', source: { userId: '00Q1' }, destination: { userId: '0031' } } as const,
    repeat: unknown,
    after: [
      [{ userId: '00Q1' }, null],
      [{ userId: '0031' }, { A: 'contact', B: 'lead', unsubscribedChannelIds: [101] }],
    ] as Array<[ProfileKey, object | null]>,
  })),
  {
    name: 'a merge by email',
    projectType: 'email',
    users: [
      { email: 'old@example.com', dataFields: { A: 'old', B: 'old' } },
      { email: 'new@example.com', dataFields: { A: 'new' } },
    ],
    call: { kind: 'merge', source: { email: 'old@example.com' }, destination: { email: 'new@example.com' } },
    repeat: unknown,
    after: [
      [{ email: 'old@example.com' }, null],
      [{ email: 'new@example.com' }, { A: 'new', B: 'old' }],
    ],
  },
  {
    name: 'a merge into nobody, which renames',
    projectType: 'hybrid',
    users: [{ userId: '00Q1', email: 'a@example.com', dataFields: { A: 1 } }],
    call: { kind: 'merge', source: { userId: '00Q1' }, destination: { userId: '0031' } },
    repeat: unknown,
    after: [
      [{ userId: '00Q1' }, null],
      [{ userId: '0031' }, { A: 1, email: 'a@example.com' }],
    ],
  },
  {
    name: 'a delete by email',
    projectType: 'email',
    users: [{ email: "a+b/c'd@example.com" }],
    call: { kind: 'delete', profile: { email: "a+b/c'd@example.com" } },
    repeat: done,
    after: [[{ email: "a+b/c'd@example.com" }, null]],
  },
  ...(['email', 'user-id', 'hybrid'] as const).map((projectType) => ({
    name: 'a delete by user id',
    projectType,
    users: [{ ...(projectType === 'email' ? { email: 'a@example.com' } : {}), userId: 'u/1' }],
    call: { kind: 'delete', profile: { userId: 'u/1' } } as const,
    repeat: done,
    after: [[{ userId: 'u/1' }, null]] as Array<[ProfileKey, null]>,
  })),
  ...(['email', 'hybrid'] as const).map((projectType) => ({
    name: 'a forget by email',
    projectType,
    users: [{ email: 'a@example.com' }],
    call: { kind: 'forget', profile: { email: 'a@example.com' } } as const,
    repeat: done,
    after: [[{ email: 'a@example.com' }, null]] as Array<[ProfileKey, null]>,
  })),
  ...(['user-id', 'hybrid'] as const).map((projectType) => ({
    name: 'a forget by user id',
    projectType,
    users: [{ userId: 'u1' }],
    call: { kind: 'forget', profile: { userId: 'u1' } } as const,
    repeat: done,
    after: [[{ userId: 'u1' }, null]] as Array<[ProfileKey, null]>,
  })),
];

async function expectProfiles(stage: Stage, after: ReadonlyArray<readonly [ProfileKey, object | null]>): Promise<void> {
  for (const [key, fields] of after) {
    const found = parseProfile(await stage.client.getUser(key));
    if (fields === null) expect(found).toBeNull();
    else expect(found).toMatchObject({ ...key, dataFields: fields });
  }
}

describe.each(cases)('$name in a project of type $projectType', ({ projectType, users, call, repeat, after }) => {
  it('works, and may be repeated', async () => {
    const stage = await openStage({ projectType });
    await stage.seed(...users);
    expect(await stage.calls.run(call, stage.signal)).toEqual(done);
    await expectProfiles(stage, after);
    expect(await stage.calls.run(call, stage.signal)).toEqual(repeat);
    expect(await stage.calls.run(call, stage.signal)).toEqual(repeat);
    await expectProfiles(stage, after);
  });

  it('is tried again after what the world does to it', async () => {
    const stage = await openStage({ projectType });
    await stage.seed(...users);
    const failures: Array<[string, object, object]> = [
      ['http-500', {}, { kind: 'retry', code: 'iterable.unavailable' }],
      ['http-502-html', {}, { kind: 'retry', code: 'iterable.unavailable' }],
      ['rate-limit-storm', { hints: false }, { kind: 'retry', code: 'iterable.rate_limited' }],
      ['bad-key', {}, { kind: 'refused', code: 'iterable.access_refused' }],
      ['code-success-on-4xx', {}, { kind: 'dead', code: 'iterable.bad_request' }],
      ['disconnect', {}, { kind: 'retry', code: 'iterable.unreachable' }],
    ];
    for (const [kind, options, verdict] of failures) {
      strike(stage, kind, options);
      expect([kind, await stage.calls.run(call, stage.signal)]).toEqual([kind, verdict]);
    }
    expect(stage.sandbox.stats().users).toBe(users.length);
    strike(stage, 'reset-after-apply');
    expect(await stage.calls.run(call, stage.signal)).toEqual({ kind: 'retry', code: 'iterable.unreachable' });
    expect(await stage.calls.run(call, stage.signal)).toEqual(repeat);
    await expectProfiles(stage, after);
  });
});

describe('what stands in the way of a call', () => {
  it('a rename onto an address that has a profile says so, and the merge that follows ends it', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed({ email: 'old@example.com', dataFields: { A: 1 } }, { email: 'new@example.com' });
    const rename: ProfileCall = { kind: 'update-email', from: 'old@example.com', to: 'NEW@example.com' };
    expect(await stage.calls.run(rename, stage.signal)).toEqual({ kind: 'exists' });
    const merge: ProfileCall = {
      kind: 'merge',
      source: { email: 'old@example.com' },
      destination: { email: 'NEW@example.com' },
    };
    expect(await stage.calls.run(merge, stage.signal)).toEqual(done);
    expect(await stage.calls.run(rename, stage.signal)).toEqual(unknown);
    expect(stage.sandbox.user({ email: 'new@example.com' })).toMatchObject({ dataFields: { A: 1 } });
  });

  it('a repeated rename ends the same way where Iterable looks at the new address first', async () => {
    const stage = await openStage({ projectType: 'email', switches: { updateEmailLooksAt: 'destination' } });
    await stage.seed({ email: 'old@example.com', dataFields: { A: 1 } });
    const [from, to] = ['old@example.com', 'new@example.com'] as const;
    const rename: ProfileCall = { kind: 'update-email', from, to };
    const merge: ProfileCall = { kind: 'merge', source: { email: from }, destination: { email: to } };
    expect(await stage.calls.run(rename, stage.signal)).toEqual(done);
    expect(await stage.calls.run(rename, stage.signal)).toEqual({ kind: 'exists' });
    expect(await stage.calls.run(merge, stage.signal)).toEqual(unknown);
    expect(stage.sandbox.user({ email: to })).toMatchObject({ dataFields: { A: 1 } });
  });

  it('who was forgotten takes nothing, until that is taken back', async () => {
    const stage = await openStage({ projectType: 'hybrid' });
    await stage.seed({ userId: 'u1' }, { userId: 'u2' });
    const forgotten = { kind: 'dead', code: 'iterable.forgotten' };
    const merge: ProfileCall = { kind: 'merge', source: { userId: 'u1' }, destination: { userId: 'u2' } };
    expect(await stage.calls.run({ kind: 'forget', profile: { userId: 'u2' } }, stage.signal)).toEqual(done);
    expect(await stage.calls.run(merge, stage.signal)).toEqual(forgotten);
    for (let time = 0; time < 2; time += 1) {
      expect(await stage.calls.run({ kind: 'unforget', profile: { userId: 'u2' } }, stage.signal)).toEqual(done);
    }
    expect(await stage.calls.run(merge, stage.signal)).toEqual(done);
    expect(stage.sandbox.user({ userId: 'u2' })).not.toBeNull();
  });

  it('an address is refused, and nobody is asked what needs no asking', async () => {
    const stage = await openStage({ projectType: 'email' });
    await stage.seed({ email: 'a@example.com' });
    expect(
      await stage.calls.run({ kind: 'update-email', from: 'a@example.com', to: 'nonsense' }, stage.signal),
    ).toEqual({ kind: 'dead', code: 'iterable.invalid_email' });
    const before = stage.seen().length;
    expect(
      await stage.calls.run({ kind: 'update-email', from: 'a@example.com', to: 'A@example.com' }, stage.signal),
    ).toEqual({ kind: 'already', why: 'same-profile' });
    for (const userId of ['', '.', '..']) {
      expect(await stage.calls.run({ kind: 'delete', profile: { userId } }, stage.signal)).toEqual({
        kind: 'dead',
        code: 'iterable.invalid_user_id',
      });
    }
    expect(stage.seen()).toHaveLength(before);
    expect(stage.sandbox.stats().users).toBe(1);
  });

  it('a day’s worth of forgetting is used up: said at once, without asking, and not to the other calls', async () => {
    const stage = await openStage({ projectType: 'user-id', limits: { rates: {}, forgetsPerDay: 1 } });
    await stage.seed({ userId: 'u2' });
    const forget = (userId: string) => stage.calls.run({ kind: 'forget', profile: { userId } }, stage.signal);
    expect(await forget('u1')).toEqual(done);
    const refused = await forget('u2');
    expect(refused).toMatchObject({ kind: 'daily-limit' });
    expect((refused as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(86_000_000);
    const asked = stage.seen().length;
    const again = await forget('u2');
    expect(again).toMatchObject({ kind: 'daily-limit' });
    expect((again as { retryAfterMs: number }).retryAfterMs).toBeLessThanOrEqual(
      (refused as { retryAfterMs: number }).retryAfterMs,
    );
    expect(stage.seen()).toHaveLength(asked);
    expect(await stage.calls.run({ kind: 'unforget', profile: { userId: 'u1' } }, stage.signal)).toEqual(done);
    expect(await stage.calls.run({ kind: 'delete', profile: { userId: 'u2' } }, stage.signal)).toEqual(done);
  });

  it('a repeat before Iterable has worked on the first is taken like the first', async () => {
    const stage = await openStage({ projectType: 'email', switches: { visibilityDelaySingleMs: 60_000 } });
    await stage.seed({ email: 'old@example.com', dataFields: { A: 1 } });
    const rename: ProfileCall = { kind: 'update-email', from: 'old@example.com', to: 'new@example.com' };
    expect(await stage.calls.run(rename, stage.signal)).toEqual(done);
    expect(await stage.calls.run(rename, stage.signal)).toEqual(done);
    stage.clock.advance(61);
    expect(await stage.calls.run(rename, stage.signal)).toEqual(unknown);
    expect(stage.sandbox.user({ email: 'new@example.com' })).toMatchObject({ dataFields: { A: 1 } });
  });
});

describe('the documented rates', () => {
  it('are kept: no 429 among calls that all want to leave at once', async () => {
    const stage = await openStage({ projectType: 'user-id', limits: {} });
    const profiles = Array.from({ length: 150 }, (_, at) => ({ userId: `u${at}` }));
    const verdicts = await Promise.all([
      ...profiles.map((profile) => stage.calls.run({ kind: 'delete', profile }, stage.signal)),
      ...profiles.slice(0, 5).map((profile) => stage.calls.run({ kind: 'forget', profile }, stage.signal)),
    ]);
    expect(verdicts).toEqual(verdicts.map(() => done));
    const times = stage.sandbox.requests({ endpoint: 'users/byUserId/{userId}' }).map(({ at }) => at);
    expect((times.at(-1) as number) - (times[0] as number)).toBeGreaterThan(1_400);
    const forgets = stage.sandbox.requests({ endpoint: 'users/forget' }).map(({ at }) => at);
    expect((forgets.at(-1) as number) - (forgets[0] as number)).toBeGreaterThan(1_000);
  });
});

describe('reading', () => {
  it('gives the fields of the project with their types', async () => {
    const stage = await openStage({ projectType: 'hybrid' });
    await stage.seed({ userId: 'u1', dataFields: { Name: { First: 'Ada' }, Score: 1.5 } });
    const fields = parseFields(await stage.client.getFields());
    expect([fields.get('Name.First'), fields.get('Score'), fields.get('Nothing')]).toEqual([
      'string',
      'double',
      undefined,
    ]);
  });

  it('says that nobody is there, and that an answer cannot be used', async () => {
    const stage = await openStage({ projectType: 'email' });
    expect(parseProfile(await stage.client.getUser({ email: 'a@example.com' }))).toBeNull();
    const bad = await stage.client.getUser({ email: 'nonsense' });
    expect(() => parseProfile(bad)).toThrow(
      expect.objectContaining({ code: 'iterable.invalid_email', retryable: false }),
    );
    strike(stage, 'http-503-html');
    const out = await stage.client.getUser({ email: 'a@example.com' });
    expect(() => parseProfile(out)).toThrow(expect.objectContaining({ code: 'iterable.unavailable', retryable: true }));
  });
});
