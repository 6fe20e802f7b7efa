import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Faults, type Fault } from '../faults.js';
import {
  createIterableSandbox,
  isStruck,
  iterableFaultKinds,
  type IterableFaultKind,
  type IterableSandbox,
  type ProjectType,
} from './index.js';

let sandbox: IterableSandbox;
let faults: Faults;
let url: string;

async function start(projectType: ProjectType = 'email'): Promise<void> {
  faults = new Faults(() => 0.5);
  sandbox = createIterableSandbox({ projectType, faults, limits: { rates: {} } });
  ({ url } = await sandbox.listen());
}

beforeEach(() => start());
afterEach(() => sandbox.close());

function add(kind: IterableFaultKind, options: Record<string, unknown> = {}, own: Partial<Fault> = {}): void {
  faults.add({ system: 'iterable', kind, rate: 1, options, ...own });
}

const send = (users: unknown[], signal?: AbortSignal) =>
  fetch(`${url}/api/users/bulkUpdate`, {
    method: 'POST',
    headers: { 'Api-Key': 'sandbox' },
    body: JSON.stringify({ users }),
    ...(signal ? { signal } : {}),
  });

async function bulk(users: unknown[]) {
  const response = await send(users);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const people = (count: number) => Array.from({ length: count }, (_, n) => ({ email: `user${n}@example.com` }));
const [ada] = [{ email: 'ada@example.com', dataFields: { A: 1 } }];
const isWritten = () => sandbox.user({ email: 'ada@example.com' }) !== null;

/** What each kind must do; the record is complete, or it does not compile. */
const proofs: Record<IterableFaultKind, () => Promise<void>> = {
  'http-500': async () => {
    add('http-500');
    expect(await bulk([ada])).toMatchObject({ status: 500, body: { code: 'GenericError' } });
    expect(isWritten()).toBe(false);
  },
  'http-502-html': async () => {
    add('http-502-html');
    const response = await send([ada]);
    expect([response.status, response.headers.get('content-type')]).toEqual([502, 'text/html']);
    expect(await response.text()).toContain('<html>');
    expect(isWritten()).toBe(false);
  },
  'http-503-html': async () => {
    add('http-503-html');
    const response = await send([ada]);
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html']);
    expect(isWritten()).toBe(false);
  },
  latency: async () => {
    add('latency', { delayMs: 60 });
    const startedAt = performance.now();
    expect((await bulk([ada])).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(55);
    faults.clear();
    add('latency', { delayMs: 600_000, applied: true });
    await expect(send([{ email: 'slow@example.com' }], AbortSignal.timeout(100))).rejects.toThrow('timeout');
    expect(sandbox.user({ email: 'slow@example.com' })).not.toBeNull();
  },
  hang: async () => {
    add('hang');
    await expect(send([ada], AbortSignal.timeout(100))).rejects.toThrow('timeout');
    expect(isWritten()).toBe(false);
    faults.clear();
    add('hang', { applied: true });
    await expect(send([ada], AbortSignal.timeout(100))).rejects.toThrow('timeout');
    expect(isWritten()).toBe(true);
  },
  disconnect: async () => {
    add('disconnect');
    await expect(send([ada])).rejects.toThrow('fetch failed');
    expect(isWritten()).toBe(false);
  },
  'reset-after-apply': async () => {
    add('reset-after-apply', {}, { count: 1 });
    await expect(send([ada])).rejects.toThrow('fetch failed');
    expect(isWritten()).toBe(true);
    expect((await bulk([ada])).status).toBe(200);
  },
  'rate-limit-storm': async () => {
    add('rate-limit-storm', { resetSeconds: 3 });
    expect(await bulk([ada])).toMatchObject({
      status: 429,
      body: { code: 'RateLimitExceeded', params: { rateLimitReset: 3 } },
    });
    faults.clear();
    add('rate-limit-storm', { hints: false });
    expect(await bulk([ada])).toMatchObject({ status: 429, body: { params: null } });
    expect(isWritten()).toBe(false);
  },
  'partial-failures': async () => {
    add('partial-failures', { list: 'invalidDataEmails', share: 0.2 });
    const first = (await bulk(people(500))).body;
    const failed = (first['failedUpdates'] as Record<string, string[]>)['invalidDataEmails'] ?? [];
    expect(failed.length).toBeGreaterThan(50);
    expect(failed.length).toBeLessThan(150);
    expect(first).toMatchObject({ successCount: 500 - failed.length, failCount: failed.length });
    expect(sandbox.user({ email: failed[0] ?? '' })).toBeNull();
    // Sticky: the same users again, in whatever company.
    const again = (await bulk(people(500).toReversed())).body;
    expect((again['failedUpdates'] as Record<string, string[]>)['invalidDataEmails']?.toSorted()).toEqual(
      failed.toSorted(),
    );
  },
  'type-mismatch': async () => {
    add('type-mismatch', { field: 'Score', expectedType: 'long', share: 0.01 });
    const users = people(300);
    const isBad = async (part: unknown[]) => (await bulk(part)).status === 400;
    expect(await isBad(users)).toBe(true);
    expect(sandbox.stats().users).toBe(0);
    const bad: unknown[] = [];
    for (const user of users) if (await isBad([user])) bad.push(user);
    expect(bad.length).toBeGreaterThan(0);
    expect(bad.length).toBeLessThan(15);
    expect(await isBad(users.filter((user) => !bad.includes(user)))).toBe(false);
    expect((await bulk([bad[0]])).body).toMatchObject({
      code: 'RequestFieldsTypesMismatched',
      params: { validationErrors: { Score: { _type: 'UnexpectedType', expectedType: 'long' } } },
    });
    expect(bad).toEqual(users.filter((user) => isStruck(user, { kind: 'type-mismatch', share: 0.01 })));
  },
  'batch-too-large': async () => {
    add('batch-too-large', { maxUsers: 2 });
    expect(await bulk(people(3))).toMatchObject({ status: 400, body: { code: 'BatchTooLarge' } });
    expect(await bulk(people(2))).toMatchObject({ status: 200 });
  },
  'code-success-on-4xx': async () => {
    add('code-success-on-4xx', { status: 404 });
    expect(await bulk([ada])).toMatchObject({
      status: 404,
      body: { code: 'Success', msg: 'error.lists.invalidListId(1)' },
    });
    expect(isWritten()).toBe(false);
  },
  'unknown-fields': async () => {
    add('unknown-fields');
    expect(await bulk([ada])).toMatchObject({
      status: 200,
      body: { successCount: 1, requestId: 'sandbox', failedUpdates: { reviewNotes: [{ level: 'info' }] } },
    });
  },
  'missing-lists': async () => {
    add('missing-lists');
    expect((await bulk([{ email: 'new@example.com' }])).body).toEqual({ successCount: 1, failCount: 0 });
    const users = [{ email: 'nonsense' }];
    expect((await bulk(users)).body).toEqual({
      successCount: 0,
      failCount: 1,
      invalidEmails: ['nonsense'],
      failedUpdates: { invalidEmails: ['nonsense'] },
    });
    faults.clear();
    add('missing-lists', { all: true });
    expect((await bulk(users)).body).toEqual({ successCount: 0, failCount: 1 });
  },
  'bad-key': async () => {
    add('bad-key', {}, { count: 1 });
    expect(await bulk([ada])).toMatchObject({ status: 401, body: { code: 'BadApiKey' } });
    expect(isWritten()).toBe(false);
    expect((await bulk([ada])).status).toBe(200);
  },
};

describe('each fault', () => {
  it.each(Object.keys(iterableFaultKinds) as IterableFaultKind[])('%s', (kind) => proofs[kind]());

  it('stands in the log of the request that it struck', async () => {
    add('http-500', {}, { count: 1, match: 'bulkUpdate' });
    await bulk([]);
    await bulk([]);
    expect(sandbox.requests().map((one) => [one.status, one.faults])).toEqual([
      [500, ['http-500']],
      [200, []],
    ]);
  });

  it('spreads partial failures over every documented list, or puts them under one of the future', async () => {
    add('partial-failures', { list: 'every', share: 1 });
    const lists = (await bulk(people(300))).body['failedUpdates'] as Record<string, string[]>;
    const used = Object.entries(lists).filter(([, list]) => list.length > 0);
    expect(used.map(([name]) => name)).toEqual([
      'invalidEmails',
      'notFoundEmails',
      'invalidDataEmails',
      'conflictEmails',
      'forgottenEmails',
    ]);
    faults.clear();
    add('partial-failures', { list: 'quarantinedEmails', share: 1 });
    expect((await bulk([ada])).body['failedUpdates']).toMatchObject({ quarantinedEmails: ['ada@example.com'] });
  });

  it('picks users whom a test can name beforehand, each fault its own, both at once', async () => {
    const mismatch = { kind: 'type-mismatch', share: 0.02 } as const;
    const partial = { kind: 'partial-failures', list: 'every', share: 0.05 } as const;
    for (const { kind, ...options } of [mismatch, partial]) add(kind, options);
    const users = people(1_000).map(({ email }, n) => (n % 2 === 0 ? { email } : { email: email.toUpperCase() }));
    const mismatched = users.filter((user) => isStruck(user, mismatch));
    const failed = users.filter((user) => isStruck(user, partial));
    expect([mismatched.length, failed.length].map((count) => count > 5 && count < 80)).toEqual([true, true]);
    const both = mismatched.filter((user) => failed.includes(user));
    expect(both.length).toBeLessThan(mismatched.length);

    expect((await bulk(users)).status).toBe(400);
    const { body } = await bulk(users.filter((user) => !mismatched.includes(user)));
    const listed = Object.values(body['failedUpdates'] as Record<string, string[]>).flat();
    const expected = failed.filter((user) => !both.includes(user)).map(({ email }) => email.toLowerCase());
    expect(listed.toSorted()).toEqual(expected.toSorted());
    for (const user of mismatched.slice(0, 3)) expect((await bulk([user])).status).toBe(400);
  });

  it('takes nothing from the bucket by a storm, and shows which 429 was one', async () => {
    await sandbox.close();
    faults = new Faults(() => 0.5);
    sandbox = createIterableSandbox({
      faults,
      limits: { rates: { 'POST users/bulkUpdate': { perSecond: 0.001, per: 'project' } } },
    });
    ({ url } = await sandbox.listen());
    add('rate-limit-storm', {}, { count: 20 });
    for (let n = 0; n < 20; n += 1) await bulk([ada]);
    const after: number[] = [];
    for (let n = 0; n < 6; n += 1) after.push((await bulk([ada])).status);
    expect(after).toEqual([200, 200, 200, 200, 200, 429]);
    const refused = sandbox.requests().filter(({ status }) => status === 429);
    expect(refused.map(({ faults: struck }) => struck)).toEqual([
      ...Array.from({ length: 20 }, () => ['rate-limit-storm']),
      [],
    ]);
  });

  it('names the identifier of a conflict that was not the key', async () => {
    await sandbox.close();
    await start('hybrid');
    add('partial-failures', { list: 'conflictEmails', share: 1 });
    const reply = await bulk([{ userId: 'u1', dataFields: { email: 'ada@example.com' } }]);
    expect(reply.body['failedUpdates']).toMatchObject({ conflictEmails: ['ada@example.com'], conflictUserIds: [] });
  });

  it('closes with requests hanging', async () => {
    add('hang');
    const hanging = send([ada]).then(
      () => 'answered',
      () => 'broken',
    );
    while (sandbox.requests().length === 0) await new Promise((resolve) => setImmediate(resolve));
    await sandbox.close();
    expect(await hanging).toBe('broken');
  });
});
