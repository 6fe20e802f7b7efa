import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { SandboxClock } from '../clock.js';
import { createIterableSandbox, type IterableSandbox, type IterableSandboxOptions, type ProjectType } from './index.js';

let sandbox: IterableSandbox;
let url: string;

async function start(projectType: ProjectType, options: IterableSandboxOptions = {}): Promise<void> {
  sandbox = createIterableSandbox({ projectType, limits: { rates: {} }, ...options });
  ({ url } = await sandbox.listen());
}

afterEach(() => sandbox.close());

interface Reply {
  status: number;
  code?: string;
  body: Record<string, unknown>;
}

async function call(method: string, path: string, body?: unknown, key = 'sandbox'): Promise<Reply> {
  const response = await fetch(`${url}/api/${path}`, {
    method,
    headers: { 'Api-Key': key },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const parsed = (await response.json()) as Record<string, unknown>;
  return { status: response.status, code: parsed['code'] as string, body: parsed };
}

const bulk = (users: unknown[], more: object = {}) => call('POST', 'users/bulkUpdate', { users, ...more });
const fieldsOf = (by: Parameters<IterableSandbox['user']>[0]) => sandbox.user(by)?.['dataFields'];
const failedOf = (reply: Reply) =>
  Object.fromEntries(
    Object.entries(reply.body['failedUpdates'] as Record<string, string[]>).filter(([, list]) => list.length > 0),
  );
const ok = { status: 200, code: 'Success' };

describe('bulk updates of data', () => {
  it('adds, overwrites, leaves and removes fields, and merges objects on demand', async () => {
    await start('email');
    const email = 'ada@example.com';
    await bulk([{ email, dataFields: { A: 1, B: 'x', Name: { First: 'Ada' } } }]);
    await bulk([{ email, dataFields: { A: 2, B: null, Name: { Last: 'Byron' } }, mergeNestedObjects: true }]);
    expect(fieldsOf({ email })).toMatchObject({ A: 2, Name: { First: 'Ada', Last: 'Byron' } });
    expect(fieldsOf({ email })).not.toHaveProperty('B');
    await bulk([{ email, dataFields: { Name: { Last: 'Lovelace' } } }]);
    expect(fieldsOf({ email })).toMatchObject({ Name: { Last: 'Lovelace' } });
    expect(fieldsOf({ email })).not.toHaveProperty('Name.First');
  });

  it('drops unknown fields by request or by project, and says which', async () => {
    await start('email', { switches: { createNewFields: false } });
    const user = { email: 'ada@example.com', dataFields: { Known: 1 } };
    expect((await bulk([user])).body).toMatchObject({ filteredOutFields: ['Known'], createdFields: [] });
    expect((await bulk([user], { createNewFields: true })).body).toMatchObject({ createdFields: ['Known'] });
    const twice = { ...user, dataFields: { Known: 2, Other: 1 } };
    expect((await bulk([twice, twice])).body).toMatchObject({ successCount: 2, filteredOutFields: ['Other'] });
    expect(fieldsOf(user)).toMatchObject({ Known: 2 });
  });

  it('refuses a badly typed user alone where the project is switched so, and fixes no type by it', async () => {
    await start('hybrid', { switches: { mismatchMode: 'per-user' } });
    await bulk([{ userId: 'u1', dataFields: { Score: 1 } }]);
    const reply = await bulk([
      { userId: 'u1', dataFields: { Score: 'high', Fresh: 1 } },
      { userId: 'u2', dataFields: { Score: 2 } },
    ]);
    expect(reply.body).toMatchObject({ successCount: 1, failCount: 1, createdFields: [] });
    expect(failedOf(reply)).toEqual({ invalidDataUserIds: ['u1'] });
    expect((await bulk([{ userId: 'u1', dataFields: { Fresh: 'text' } }])).body).toMatchObject({ successCount: 1 });
  });

  it('keeps to a thousand fields', async () => {
    await start('email', { limits: { rates: {}, maxFields: 20 } });
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`F${n}`, n]));
    expect(await bulk([{ email: 'a@example.com', dataFields: many }])).toMatchObject({
      status: 400,
      code: 'UniqueFieldsLimitExceeded',
      body: { params: { limit: 20, requestedTotal: 44, newFields: Object.keys(many) } },
    });
    expect(sandbox.stats()).toMatchObject({ users: 0, fields: 14 });
    expect(await bulk([{ email: 'a@example.com', dataFields: { F0: 1 } }])).toMatchObject({ status: 200 });
  });

  it('refuses values that are too long, for that user', async () => {
    await start('email');
    const reply = await bulk([{ email: 'a@example.com', dataFields: { Text: 'x'.repeat(40_000) } }]);
    expect(failedOf(reply)).toEqual({ invalidDataEmails: ['a@example.com'] });
  });

  it('takes one user twice in order, or the other way round', async () => {
    await start('email');
    const users = [1, 2].map((n) => ({ email: 'a@example.com', dataFields: { N: n } }));
    expect((await bulk(users)).body).toMatchObject({ successCount: 2 });
    expect(fieldsOf({ email: 'a@example.com' })).toMatchObject({ N: 2 });
    sandbox.setSwitches({ duplicateUsers: 'reordered' });
    await bulk(users);
    expect(fieldsOf({ email: 'a@example.com' })).toMatchObject({ N: 1 });
  });

  it('names users that did not change, where it is switched so', async () => {
    await start('email', { switches: { noOpLists: 'filled' } });
    const user = { email: 'a@example.com', dataFields: { N: 1 } };
    expect((await bulk([user])).body).toMatchObject({ noOpEmails: [] });
    expect((await bulk([user])).body).toMatchObject({ successCount: 1, noOpEmails: ['a@example.com'] });
    sandbox.setSwitches({ noOpLists: 'absent' });
    expect((await bulk([user])).body).not.toHaveProperty('noOpEmails');
  });

  it('refuses a body over the limit in each of the three ways', async () => {
    await start('email', { switches: { bodyLimitBytes: 1_000 } });
    const send = () =>
      fetch(`${url}/api/users/bulkUpdate`, {
        method: 'POST',
        headers: { 'Api-Key': 'sandbox' },
        body: JSON.stringify({ users: [{ email: 'a@example.com', dataFields: { Text: 'x'.repeat(2_000) } }] }),
      });
    const page = await send();
    expect([page.status, page.headers.get('content-type')]).toEqual([413, 'text/html']);
    sandbox.setSwitches({ oversizedBody: '413-json' });
    expect((await send()).status).toBe(413);
    sandbox.setSwitches({ oversizedBody: '400-batch-too-large' });
    const reply = await send();
    expect([reply.status, await reply.json()]).toMatchObject([400, { code: 'BatchTooLarge' }]);
    expect(sandbox.stats().users).toBe(0);
  });
});

describe('identity over the API', () => {
  it('email-based: lists not found, invalid and forgotten users, in lower case or as sent', async () => {
    await start('email');
    await call('POST', 'users/forget', { email: 'Gone@example.com' });
    const users = [
      { email: 'Fine@example.com' },
      { userId: 'nobody' },
      { email: 'NOT-an-email' },
      { email: 'GONE@example.com' },
      { userId: 'x'.repeat(53) },
      { userId: 'made', preferUserId: true },
    ];
    const reply = await bulk(users);
    expect(reply.body).toMatchObject({ successCount: 2, failCount: 4, invalidEmails: ['not-an-email'] });
    expect(failedOf(reply)).toEqual({
      notFoundUserIds: ['nobody'],
      invalidEmails: ['not-an-email'],
      forgottenEmails: ['gone@example.com'],
      invalidUserIds: ['x'.repeat(53)],
    });
    expect(sandbox.user({ userId: 'made' })).toMatchObject({ email: 'made@placeholder.email' });
    sandbox.setSwitches({ failureListCase: 'as-sent' });
    expect(failedOf(await bulk(users))).toMatchObject({ forgottenEmails: ['GONE@example.com'] });
  });

  it('hybrid: a conflict names the identifier that stands in the way', async () => {
    await start('hybrid');
    await bulk([{ userId: 'lead', dataFields: { email: 'ada@example.com' } }]);
    const reply = await bulk([{ userId: 'contact', dataFields: { email: 'Ada@example.com' } }]);
    expect(failedOf(reply)).toEqual({ conflictEmails: ['ada@example.com'] });
    expect(
      await call('POST', 'users/update', { userId: 'contact', dataFields: { email: 'ada@example.com' } }),
    ).toMatchObject({ status: 409, code: 'ExternalKeyConflict' });
  });

  it('userID-based: two profiles may share an email; one without a userId is refused', async () => {
    await start('user-id');
    const dataFields = { email: 'same@example.com' };
    const reply = await bulk([{ userId: 'u1', dataFields }, { userId: 'u2', dataFields }, { email: 'a@example.com' }]);
    expect(reply.body).toMatchObject({ successCount: 2, failCount: 1 });
    expect(sandbox.stats().users).toBe(2);
    expect((await call('GET', 'users/byUserId/u2')).body).toMatchObject({ user: { email: 'same@example.com' } });
  });

  it('moves a profile to a new email, in email-based projects only', async () => {
    await start('email');
    await bulk([
      { email: 'old@example.com', dataFields: { A: 1 } },
      { email: 'taken@example.com', userId: 'u2' },
    ]);
    const move = (body: object) => call('POST', 'users/updateEmail', body);
    expect(await move({ currentEmail: 'Old@example.com', newEmail: 'New@example.com' })).toMatchObject(ok);
    expect(sandbox.user({ email: 'old@example.com' })).toBeNull();
    expect(fieldsOf({ email: 'new@example.com' })).toMatchObject({ A: 1, email: 'new@example.com' });
    expect(await move({ currentUserId: 'u2', newEmail: 'moved@example.com' })).toMatchObject(ok);
    for (const [body, status, code] of [
      [{ currentEmail: 'nobody@example.com', newEmail: 'x@example.com' }, 400, 'BadParams'],
      [{ currentUserId: 'nobody', newEmail: 'x@example.com' }, 400, 'BadParams'],
      [{ currentEmail: 'new@example.com', newEmail: 'moved@example.com' }, 400, 'EmailAlreadyExists'],
      [{ currentEmail: 'new@example.com', newEmail: 'nonsense' }, 400, 'InvalidEmailAddressError'],
      [{ currentEmail: 'new@example.com' }, 400, 'BadJsonBody'],
      [{ newEmail: 'x@example.com' }, 400, 'BadParams'],
    ] as const) {
      expect(await move(body)).toMatchObject({ status, code });
    }
    const nobody = { currentEmail: 'nobody@example.com', newEmail: 'x@example.com' };
    expect((await move(nobody)).body).toMatchObject({
      msg: 'Cannot change user Some(nobody@example.com). User does not exist',
      params: null,
    });
    sandbox.setSwitches({ unknownUser: 'own-code' });
    expect(await move(nobody)).toMatchObject({ status: 400, code: 'UnknownEmailError' });
    expect(await move({ ...nobody, currentEmail: undefined, currentUserId: 'nobody' })).toMatchObject({
      status: 400,
      code: 'UnknownUserIdError',
    });
    await call('POST', 'users/forget', { email: 'gone@example.com' });
    expect(await move({ currentEmail: 'new@example.com', newEmail: 'gone@example.com' })).toMatchObject({
      status: 409,
      code: 'ForgottenUserError',
    });
    await sandbox.close();
    await start('hybrid');
    expect(await move({ currentEmail: 'a@example.com', newEmail: 'b@example.com' })).toMatchObject({ status: 400 });
  });

  it('merges two users: the destination wins, arrays join, an unknown destination renames', async () => {
    await start('hybrid');
    await bulk([
      { userId: 'lead', dataFields: { A: 'lead', OnlyLead: 1, Campaigns: ['x', 'y'], Orders: [{ id: 1, q: 1 }] } },
      { userId: 'contact', dataFields: { A: 'contact', Campaigns: ['y', 'z'], Orders: [{ id: 1, q: 9 }] } },
      { userId: 'other', dataFields: { B: 1 } },
    ]);
    const merge = (body: object, key?: string) => call('POST', 'users/merge', body, key);
    const both = { sourceUserId: 'lead', destinationUserId: 'contact' };
    expect(await merge({ ...both, arrayMerge: [{ field: 'Campaigns', dedupeBy: 'id' }] })).toMatchObject({
      status: 400,
    });
    const arrayMerge = [{ field: 'Campaigns' }, { field: 'Orders', dedupeBy: 'id' }];
    expect(await merge({ ...both, arrayMerge })).toMatchObject(ok);
    expect(sandbox.user({ userId: 'lead' })).toBeNull();
    expect(fieldsOf({ userId: 'contact' })).toMatchObject({
      A: 'contact',
      OnlyLead: 1,
      Campaigns: ['y', 'z', 'x'],
      Orders: [{ id: 1, q: 9 }],
    });
    expect(await merge({ sourceUserId: 'other', destinationUserId: 'renamed' })).toMatchObject(ok);
    expect(fieldsOf({ userId: 'renamed' })).toMatchObject({ B: 1, userId: 'renamed' });
    expect(await merge({ sourceUserId: 'nobody', destinationUserId: 'contact' })).toMatchObject({
      status: 400,
      body: { msg: expect.stringContaining('User does not exist') as string },
    });
    expect(await merge({ ...both, sourceEmail: 'a@example.com' })).toMatchObject({ status: 400, code: 'BadParams' });
    expect(await merge(both, 'sandbox-client-side')).toMatchObject({ status: 403 });
    await call('POST', 'users/forget', { userId: 'forgotten' });
    expect(await merge({ sourceUserId: 'contact', destinationUserId: 'forgotten' })).toMatchObject({ status: 409 });
  });

  it('deletes by either identifier, all who share a userId, and lets them come back', async () => {
    await start('email');
    await bulk([
      { email: 'a+1@example.com', userId: 'shared' },
      { email: 'b@example.com', userId: 'shared' },
      { email: 'c/d@example.com' },
    ]);
    expect(await call('DELETE', 'users/byUserId/shared')).toMatchObject(ok);
    expect(sandbox.stats().users).toBe(1);
    expect(await call('DELETE', `users/${encodeURIComponent('c/d@example.com')}`)).toMatchObject(ok);
    expect(sandbox.stats().users).toBe(0);
    expect((await bulk([{ email: 'a+1@example.com' }])).body).toMatchObject({ successCount: 1 });
    await sandbox.close();
    await start('user-id');
    expect(await call('DELETE', 'users/a%40example.com')).toMatchObject({ status: 400, code: 'BadParams' });
  });

  it('forgets and unforgets, lists the hashes, and keeps the daily cap', async () => {
    const clock = new SandboxClock();
    await start('hybrid', { clock, limits: { rates: {}, forgetsPerDay: 3 } });
    await bulk([{ email: 'ada@example.com', userId: 'Ada' }]);
    expect(await call('POST', 'users/forget', { email: 'ADA@example.com' })).toMatchObject(ok);
    expect(await call('POST', 'users/forget', { userId: 'Ada' })).toMatchObject(ok);
    expect(sandbox.stats()).toMatchObject({ users: 0, forgotten: 2 });
    const sha = (text: string) => createHash('sha256').update(text).digest('hex');
    expect((await call('GET', 'users/forgotten')).body).toEqual({ hashedEmails: [sha('ada@example.com')] });
    expect((await call('GET', 'users/forgottenUserIds')).body).toEqual({ hashedUserIds: [sha('ada')] });
    expect(await call('POST', 'users/update', { userId: 'Ada' })).toMatchObject({
      status: 409,
      code: 'ForgottenUserError',
    });
    expect(await call('POST', 'users/unforget', { userId: 'Ada' })).toMatchObject(ok);
    expect(await call('POST', 'users/update', { userId: 'Ada' })).toMatchObject(ok);
    expect(await call('POST', 'users/forget', { userId: 'third' })).toMatchObject(ok);
    expect(await call('POST', 'users/forget', { userId: 'fourth' })).toMatchObject({ status: 429 });
    clock.advance(86_401);
    expect(await call('POST', 'users/forget', { userId: 'fourth' })).toMatchObject(ok);
  });

  it('forgets by the identifier of the project only', async () => {
    await start('email');
    expect(await call('POST', 'users/forget', { userId: 'u' })).toMatchObject({ status: 400, code: 'BadParams' });
    expect(await call('GET', 'users/forgottenUserIds')).toMatchObject({ status: 400 });
    await sandbox.close();
    await start('user-id');
    expect(await call('POST', 'users/forget', { email: 'a@example.com' })).toMatchObject({ status: 400 });
    expect(await call('GET', 'users/forgotten')).toMatchObject({ status: 400 });
  });
});

describe('subscriptions', () => {
  it('overwrites each list that is given and leaves the others', async () => {
    await start('email');
    const email = 'ada@example.com';
    await bulk([{ email }]);
    const set = (body: object) => call('POST', 'users/updateSubscriptions', { email, ...body });
    expect(await set({ emailListIds: [1, 2], unsubscribedChannelIds: [7] })).toMatchObject(ok);
    expect(await set({ emailListIds: [3], unsubscribedChannelIds: null })).toMatchObject(ok);
    expect(fieldsOf({ email })).toMatchObject({ emailListIds: [3], unsubscribedChannelIds: [7] });
    expect(await set({ subscribedMessageTypeIds: [1] })).toMatchObject({ status: 400, code: 'BadParams' });
    sandbox.setSwitches({ optInMessageTypes: true });
    expect(await set({ subscribedMessageTypeIds: [1] })).toMatchObject(ok);
    const reply = await bulk([{ email, dataFields: { unsubscribedChannelIds: [9] } }]);
    expect(reply.body).toMatchObject({ filteredOutFields: ['unsubscribedChannelIds'] });
    expect(fieldsOf({ email })).toMatchObject({ unsubscribedChannelIds: [7] });
    expect(await call('POST', 'users/updateSubscriptions', { email: 'nobody@example.com' })).toMatchObject({
      code: 'BadParams',
    });
  });

  it('counts many at once, the invalid ones by list', async () => {
    await start('hybrid');
    await bulk([{ userId: 'u1' }]);
    const reply = await call('POST', 'users/bulkUpdateSubscriptions', {
      updateSubscriptionsRequests: [{ userId: 'u1', emailListIds: [5] }, { email: 'nonsense' }, { userId: 'nobody' }],
    });
    expect(reply.body).toEqual({
      successCount: 1,
      failCount: 2,
      invalidEmails: ['nonsense'],
      invalidUserIds: ['nobody'],
      validEmailFailures: [],
      validUserIdFailures: [],
    });
    expect(fieldsOf({ userId: 'u1' })).toMatchObject({ userListIds: [5] });
  });
});

describe('time', () => {
  it('makes bulk and single writes readable after their own delays, so that one overtakes the other', async () => {
    const clock = new SandboxClock();
    await start('email', { clock, switches: { visibilityDelayBulkMs: 60_000, visibilityDelaySingleMs: 20_000 } });
    const email = 'ada@example.com';
    await bulk([{ email, dataFields: { From: 'bulk, sent first' } }]);
    await call('POST', 'users/update', { email, dataFields: { From: 'single, sent second' } });
    expect((await call('GET', `users/${email}`)).body).toEqual({});
    expect(sandbox.stats().pending).toEqual({ bulk: 1, single: 1, forget: 0 });
    clock.advance(30);
    expect(fieldsOf({ email })).toMatchObject({ From: 'single, sent second' });
    clock.advance(31);
    expect(fieldsOf({ email })).toMatchObject({ From: 'bulk, sent first' });
  });

  it('tells the type of every field', async () => {
    await start('email');
    await call(
      'POST',
      'users/bulkUpdate',
      '{"users":[{"email":"a@example.com","dataFields":{"R":10.0,"N":{"D":"2026-01-01"}}}]}',
    );
    expect((await call('GET', 'users/getFields')).body['fields']).toMatchObject({
      R: 'double',
      N: 'object',
      'N.D': 'date',
      email: 'string',
    });
  });

  it('lets a client-side key update a user but not read the fields, and knows no other path', async () => {
    await start('email');
    expect(await call('POST', 'users/update', { email: 'a@example.com' }, 'sandbox-client-side')).toMatchObject(ok);
    expect(await call('GET', 'users/getFields', undefined, 'sandbox-client-side')).toMatchObject({ status: 401 });
    expect(await call('GET', 'users/getFields', undefined, '')).toMatchObject({ status: 401, code: 'BadApiKey' });
    expect(await call('POST', 'users/nothing', {})).toMatchObject({ status: 404, code: 'NotFound' });
    expect(await call('GET', 'users/%E0%A4%A')).toMatchObject({ status: 400, code: 'BadParams' });
  });
});

describe('the rate limit', () => {
  it('answers as its switches say', async () => {
    await start('email', { limits: {}, switches: { bulkBucketCapacity: 1 } });
    await bulk([]);
    expect((await bulk([])).body).toMatchObject({ params: { rateLimitLimit: 1, rateLimitRemaining: 0 } });
    sandbox.setSwitches({ numbersAsStrings: true });
    expect((await bulk([])).body).toMatchObject({ params: { rateLimitLimit: '1', rateLimitReset: '1' } });
    sandbox.setSwitches({ rateLimitHints: false, retryAfterHeader: true });
    const response = await fetch(`${url}/api/users/bulkUpdate`, {
      method: 'POST',
      headers: { 'Api-Key': 'sandbox' },
      body: '{"users":[]}',
    });
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await response.json()).toMatchObject({ code: 'RateLimitExceeded', params: null });
  });

  it('gives the token of a failed request back where it is switched so', async () => {
    await start('email', { limits: {}, switches: { bulkBucketCapacity: 1, failedRequestsConsume: false } });
    const bad = () => call('POST', 'users/bulkUpdate', '{');
    expect([(await bad()).status, (await bad()).status, (await bad()).status]).toEqual([400, 400, 400]);
    sandbox.setSwitches({ failedRequestsConsume: true });
    await bad();
    expect((await bad()).status).toBe(429);
  });
});
