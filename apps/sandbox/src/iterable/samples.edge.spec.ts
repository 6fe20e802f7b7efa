import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIterableSandbox, type IterableSandbox, type IterableSandboxOptions } from './index.js';

let sandbox: IterableSandbox;
let url: string;

async function start(options: IterableSandboxOptions = {}): Promise<void> {
  sandbox = createIterableSandbox({ projectType: 'hybrid', ...options });
  ({ url } = await sandbox.listen());
}

beforeEach(() => start());
afterEach(() => sandbox.close());

async function call(method: string, path: string, body?: unknown, key = 'sandbox') {
  const response = await fetch(`${url}/api/${path}`, {
    method,
    headers: { 'Api-Key': key, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Bodies as recorded or specified, with invented identities. Shapes: facts/iterable.md §1 and the samples beside it. */
const request = {
  createNewFields: false,
  users: [
    {
      userId: '003Kd00000AbCdEIAV',
      mergeNestedObjects: true,
      dataFields: {
        email: 'Ada.Byron@example.com',
        firstName: 'Ada',
        phoneNumber: '+14155550123',
        sfLastModifiedAt: '2026-11-24 08:15:30 +00:00',
        sfBirthdate: '1990-12-10',
        sfAnnualRevenue: 125000.5,
        sfIsActive: true,
        sfDescription: null,
        sfUnmappedField: 'not known to the project',
        account: { name: 'Analytical Engines', tier: 'gold' },
      },
    },
    {
      userId: '00QKd00000LmNoPIAV',
      mergeNestedObjects: true,
      dataFields: { email: 'not-an-email', firstName: 'Bad', sfObjectType: 'Lead' },
    },
  ],
};

/** Gives the project the fields of the request, but for `sfUnmappedField`. */
async function seedFields(): Promise<void> {
  const { sfUnmappedField: _unknown, ...fields } = request.users[0]?.dataFields ?? {};
  const seed = { userId: 'seed', dataFields: { ...fields, email: 'seed@example.com', sfObjectType: 'Lead' } };
  expect((await call('POST', 'users/bulkUpdate', { users: [seed] })).status).toBe(200);
}

describe('the documented bodies', () => {
  it('answers a bulk request in part good with 200 and the failures in lists', async () => {
    await seedFields();
    const answer = await call('POST', 'users/bulkUpdate', request);
    expect(answer.status).toBe(200);
    expect(answer.body).toStrictEqual({
      successCount: 1,
      failCount: 1,
      invalidEmails: ['not-an-email'],
      invalidUserIds: [],
      filteredOutFields: ['sfUnmappedField'],
      createdFields: [],
      noOpEmails: [],
      noOpUserIds: [],
      failedUpdates: {
        invalidEmails: ['not-an-email'],
        invalidUserIds: [],
        notFoundEmails: [],
        notFoundUserIds: [],
        invalidDataEmails: [],
        invalidDataUserIds: [],
        conflictEmails: [],
        conflictUserIds: [],
        forgottenEmails: [],
        forgottenUserIds: [],
      },
    });
  });

  it('echoes a profile with the managed fields, and an unknown user as an empty object', async () => {
    await seedFields();
    await call('POST', 'users/bulkUpdate', request);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+00:00$/) as string;
    const { sfDescription: _null, sfUnmappedField: _dropped, ...written } = request.users[0]?.dataFields ?? {};
    const profile = {
      user: {
        email: 'ada.byron@example.com',
        userId: '003Kd00000AbCdEIAV',
        dataFields: {
          ...written,
          email: 'ada.byron@example.com',
          userId: '003Kd00000AbCdEIAV',
          signupSource: 'API',
          signupDate: time,
          profileUpdatedAt: time,
          itblInternal: { documentCreatedAt: time, documentUpdatedAt: time, emailDomain: 'example.com' },
        },
      },
    };
    for (const path of [
      'users/Ada.Byron%40example.com',
      'users/getByEmail?email=ada.byron%40example.com',
      'users/byUserId/003Kd00000AbCdEIAV',
      'users/byUserId?userId=003Kd00000AbCdEIAV',
    ]) {
      expect((await call('GET', path)).body).toStrictEqual(profile);
    }
    expect(await call('GET', 'users/nobody%40example.com')).toMatchObject({ status: 200, body: {} });
    expect((await call('GET', 'users/nobody%40example.com')).body).toStrictEqual({});
    expect(await call('GET', 'users/getByEmail?email=nonsense')).toMatchObject({
      status: 400,
      body: { code: 'InvalidEmailAddressError' },
    });
  });

  it('names the path of a badly typed member', async () => {
    const users = [{ email: 'a@example.com' }, { userId: 'u', preferUserId: 'yes' }];
    expect(await call('POST', 'users/bulkUpdate', { users })).toMatchObject({
      status: 400,
      body: {
        msg: '[/api/users/bulkUpdate] Invalid JSON body',
        code: 'BadJsonBody',
        params: { 'obj.users[1].preferUserId': 'Boolean value expected' },
      },
    });
    expect(await call('POST', 'users/bulkUpdate', '{"users": [')).toMatchObject({
      status: 400,
      body: { code: 'BadJsonBody' },
    });
  });

  it('refuses the whole request for a value of another type, naming the field and not the user', async () => {
    await seedFields();
    const users = [
      { email: 'good@example.com', dataFields: { firstName: 'Good' } },
      { email: 'bad@example.com', dataFields: { sfLastModifiedAt: '2026-11-24 08:15:30.000' } },
    ];
    const answer = await call('POST', 'users/bulkUpdate', { users });
    expect(answer.status).toBe(400);
    expect(answer.body).toStrictEqual({
      msg: "Project 10001: The request does not have the same data types as the data previously submitted. Field 'sfLastModifiedAt' already exists for type 'user' and has a data type of 'date' but possible types 'string, keyword' in the request.",
      code: 'RequestFieldsTypesMismatched',
      params: {
        validationErrors: {
          sfLastModifiedAt: {
            incomingTypes: ['string', 'keyword'],
            expectedType: 'date',
            category: 'user',
            offendingValue: '2026-11-24 08:15:30.000',
            _type: 'UnexpectedType',
          },
        },
      },
    });
    expect(sandbox.user({ email: 'good@example.com' })).toBeNull();
  });

  it('refuses a wrong key and a key without the privilege', async () => {
    const refused = await call('POST', 'users/bulkUpdate', { users: [] }, 'sandbox-client-side');
    expect(refused.status).toBe(401);
    expect(refused.body).toStrictEqual({
      msg: 'Disabled API key or insufficient privileges',
      code: 'BadApiKey',
      params: {
        ip: '127.0.0.1',
        endpoint: '/api/users/bulkUpdate',
        apiKeyIdentifier: '0a1b2c3d',
        apiKeyType: 'ClientSide',
      },
    });
    expect(await call('POST', 'users/bulkUpdate', { users: [] }, 'wrong')).toMatchObject({
      status: 401,
      body: { code: 'BadApiKey', params: { endpoint: '/api/users/bulkUpdate' } },
    });
  });

  it('answers the sixth request of a second with 429 and the hints', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('POST', 'users/bulkUpdate', { users: [] })));
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(answers.find((answer) => answer.status === 429)?.body).toStrictEqual({
      msg: 'Exceeded rate limit.',
      code: 'RateLimitExceeded',
      params: { rateLimitLimit: 5, rateLimitRemaining: 0, rateLimitReset: 1 },
    });
  });

  it('answers a single-user write with the success envelope', async () => {
    const answer = await call('POST', 'users/update', { email: 'a@example.com', dataFields: { n: 1 } });
    expect(answer.status).toBe(200);
    expect(answer.body).toStrictEqual({ msg: '', code: 'Success', params: null });
  });
});
