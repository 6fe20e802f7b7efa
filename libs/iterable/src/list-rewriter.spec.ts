import { describe, expect, it } from 'vitest';
import type { UnsubscribedLists } from './client.js';
import { EndpointPace } from './endpoint-pace.js';
import type { HttpAnswer } from './http.js';
import { ListRewriter } from './list-rewriter.js';
import type { ProfileKey } from './profile-key.js';

const never = new AbortController().signal;
const answer = (status: number, body: unknown): HttpAnswer => ({
  status,
  headers: {},
  text: JSON.stringify(body),
  receivedAtMs: 0,
});
const idOf = (key: ProfileKey) => ('email' in key ? key.email : key.userId);

/** A project in memory, whose write answers as the test wants. */
class FakeProject {
  readonly profiles = new Map<string, { unsubscribedChannelIds?: unknown }>();
  readonly writes: Array<readonly UnsubscribedLists[]> = [];
  reads = 0;
  /** Answers a write instead of the project, which then applies nothing. */
  instead: (requests: readonly UnsubscribedLists[]) => HttpAnswer | null = () => null;

  getUser(key: ProfileKey): Promise<HttpAnswer> {
    this.reads += 1;
    const dataFields = this.profiles.get(idOf(key));
    return Promise.resolve(answer(200, dataFields === undefined ? {} : { user: { userId: idOf(key), dataFields } }));
  }

  bulkUpdateSubscriptions(requests: readonly UnsubscribedLists[]): Promise<HttpAnswer> {
    this.writes.push(requests);
    const given = this.instead(requests);
    if (given !== null) return Promise.resolve(given);
    for (const { unsubscribedChannelIds, ...key } of requests) this.profiles.set(idOf(key), { unsubscribedChannelIds });
    return Promise.resolve(answer(200, { successCount: requests.length, failCount: 0 }));
  }
}

/** A project with profiles `u0`, `u1`, …; and a way to unsubscribe all of them from channel 1. */
function stage(count: number) {
  const project = new FakeProject();
  const keys = Array.from({ length: count }, (_, at) => ({ userId: `u${at}` }));
  for (const { userId } of keys) project.profiles.set(userId, {});
  // Time runs a thousand times as fast for the pace: its rates are not what this is about.
  const rewriter = new ListRewriter(project, new EndpointPace({ clock: () => performance.now() * 1_000 }));
  const wanted = { channelIds: [1], messageTypeIds: [] };
  return { project, keys, run: (signal = never) => rewriter.unsubscribe(keys, wanted, signal) };
}
const done = { kind: 'done' };
const kinds = (verdicts: ReadonlyArray<{ kind: string }>) => verdicts.map(({ kind }) => kind);

describe('ListRewriter', () => {
  it('reads and writes fifty at a time, so that a write follows its reads', async () => {
    const { project, run } = stage(120);
    expect(await run()).toEqual(Array.from({ length: 120 }, () => done));
    expect(project.writes.map((write) => write.length)).toEqual([50, 50, 20]);
    expect(project.reads).toBe(120);
  });

  it('looks for the one that makes Iterable refuse all, reading again what it writes again', async () => {
    const { project, run } = stage(9);
    project.instead = (requests) =>
      requests.some((one) => idOf(one) === 'u4') ? answer(409, { code: 'ForgottenUserError' }) : null;
    const verdicts = await run();
    expect(verdicts[4]).toEqual({ kind: 'dead', code: 'iterable.forgotten' });
    expect(verdicts.filter((verdict) => verdict.kind === 'done')).toHaveLength(8);
    expect(project.reads).toBe(project.writes.flat().length);
  });

  it('asks each alone when the answer does not say who failed', async () => {
    const { project, run } = stage(3);
    project.instead = (requests) => {
      if (requests.length > 1) return answer(200, { successCount: requests.length - 1, failCount: 1 });
      return requests.some((one) => idOf(one) === 'u1') ? answer(200, { successCount: 0, failCount: 1 }) : null;
    };
    expect(await run()).toEqual([done, { kind: 'dead', code: 'iterable.unknown_failure' }, done]);
  });

  it('tells a profile that has gone between its read and its write from one that is refused', async () => {
    const { project, run } = stage(3);
    project.instead = (requests) => {
      project.profiles.delete('u0');
      if (requests.length === 3) return answer(200, { successCount: 1, failCount: 2, invalidUserIds: ['u0', 'u1'] });
      return answer(200, { successCount: 0, failCount: 1, invalidUserIds: ['u1'] });
    };
    expect(await run()).toEqual([{ kind: 'unknown' }, { kind: 'dead', code: 'iterable.invalid_user_id' }, done]);
  });

  it('has an internal error of Iterable tried again', async () => {
    const { project, run } = stage(2);
    project.instead = (requests) =>
      answer(200, { successCount: 1, failCount: 1, validUserIdFailures: [idOf(requests[0] as ProfileKey)] });
    expect(kinds(await run())).toEqual(['retry', 'done']);
  });

  it('replaces no list that it cannot read', async () => {
    const { project, run } = stage(2);
    project.profiles.set('u0', { unsubscribedChannelIds: ['7'] });
    expect(await run()).toEqual([{ kind: 'retry', code: 'iterable.unreadable_answer' }, done]);
    expect(project.profiles.get('u0')).toEqual({ unsubscribedChannelIds: ['7'] });
  });

  it('stops asking when nobody gets through', async () => {
    const { project, run } = stage(200);
    project.instead = () => answer(401, { code: 'BadApiKey' });
    expect(await run()).toEqual(
      Array.from({ length: 200 }, () => ({ kind: 'refused', code: 'iterable.access_refused' })),
    );
    expect(project.reads).toBe(50);
  });

  it('does one call after the other, and goes on after one that was given up', async () => {
    const { project, keys, run } = stage(60);
    const stop = new AbortController();
    const first = run(stop.signal).catch((error: unknown) => error);
    const second = run();
    project.instead = () => {
      stop.abort(new Error('claim lost'));
      project.instead = () => null;
      return null;
    };
    expect(await first).toMatchObject({ message: 'claim lost' });
    const verdicts = await second;
    expect(kinds(verdicts).filter((kind) => kind === 'already')).toHaveLength(50);
    expect(keys.map(({ userId }) => project.profiles.get(userId))).toEqual(
      keys.map(() => ({ unsubscribedChannelIds: [1] })),
    );
  });
});
