import { generateKeyPairSync } from 'node:crypto';
import type { SalesforceSettings } from '@libs/config';
import { createMetrics, type Metrics } from '@libs/observability';
import { jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HttpFake, json } from '../../test/http-fake.js';
import {
  SalesforceAccessError,
  SalesforceLimitError,
  SalesforceQueryError,
  SalesforceTimeoutError,
  SalesforceUnavailableError,
} from '../errors.js';
import { createSalesforceClient, type SalesforceClientOptions } from './client.js';

const ORGANIZATION = '00D5f000003XYZaEAO';
const USER = '0055f000005mc66AAA';

let fake: HttpFake;
let metrics: Metrics;
/** Tokens handed out, the good ones and the way to the rest of the org. */
let tokens: number;
let good: Set<string>;

beforeEach(async () => {
  fake = await HttpFake.start();
  metrics = createMetrics();
  tokens = 0;
  good = new Set();
  fake.answer = (request, response) => {
    if (request.path === '/services/oauth2/token') {
      tokens += 1;
      const token = `00D!token-${tokens}`;
      good.add(token);
      return json(response, 200, {
        access_token: token,
        instance_url: fake.url,
        id: `https://login.salesforce.com/id/${ORGANIZATION}/${USER}`,
        token_type: 'Bearer',
      });
    }
    if (!good.has((request.headers.authorization ?? '').replace('Bearer ', ''))) {
      return json(response, 401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]);
    }
    return json(
      response,
      200,
      { totalSize: 1, done: true, records: [{ Id: '00Q5f000005bwLFEAY' }] },
      { 'Sforce-Limit-Info': 'api-usage=18/5000' },
    );
  };
});
afterEach(() => fake.stop());

function client(settings: Partial<SalesforceSettings> = {}, options: Partial<SalesforceClientOptions> = {}) {
  return createSalesforceClient(
    {
      SALESFORCE_LOGIN_URL: fake.url,
      SALESFORCE_AUTH: 'client-credentials',
      SALESFORCE_CLIENT_ID: 'id',
      SALESFORCE_CLIENT_SECRET: 'secret',
      SALESFORCE_API_VERSION: '67.0',
      ...settings,
    },
    { metrics, ...options },
  );
}

const tokenForms = () =>
  fake.received.filter(({ path }) => path === '/services/oauth2/token').map(({ body }) => new URLSearchParams(body));
const counted = async (code: string) =>
  (await metrics.salesforceRequests.get()).values.find(({ labels }) => labels.code === code)?.value ?? 0;

describe('session', () => {
  it('is opened by connect, once for many callers', async () => {
    const org = client();
    const opened = await Promise.all([org.connect(), org.connect(), org.query('SELECT Id FROM Lead')]);
    expect(opened[0]).toEqual({ organizationId: ORGANIZATION, userId: USER, instanceUrl: fake.url });
    expect(tokens).toBe(1);
  });

  it.each([
    ['client-credentials', {}, { grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' }],
    [
      'password',
      { SALESFORCE_USERNAME: 'u', SALESFORCE_PASSWORD: 'p' },
      { grant_type: 'password', client_id: 'id', client_secret: 'secret', username: 'u', password: 'p' },
    ],
    [
      'refresh-token',
      { SALESFORCE_REFRESH_TOKEN: 'r' },
      { grant_type: 'refresh_token', client_id: 'id', client_secret: 'secret', refresh_token: 'r' },
    ],
  ] as const)('opens by %s', async (flow, settings, form) => {
    await client({ SALESFORCE_AUTH: flow, ...settings }).connect();
    expect(Object.fromEntries(tokenForms()[0] ?? [])).toEqual(form);
  });

  it.each(['pkcs8', 'pkcs1'] as const)('opens by jwt with a %s key', async (type) => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type, format: 'pem' }) as string;
    await client({
      SALESFORCE_AUTH: 'jwt',
      SALESFORCE_USERNAME: 'sync@example.com',
      SALESFORCE_PRIVATE_KEY: pem.replaceAll('\n', '\\n'),
    }).connect();
    const [form] = tokenForms();
    expect(form?.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const { payload, protectedHeader } = await jwtVerify(form?.get('assertion') ?? '', publicKey, {
      audience: fake.url,
      issuer: 'id',
      subject: 'sync@example.com',
    });
    expect(protectedHeader.alg).toBe('RS256');
    const seconds = (payload.exp ?? 0) - Date.now() / 1000;
    expect(seconds).toBeGreaterThan(60);
    expect(seconds).toBeLessThan(180);
  });

  it('goes on with a rotated refresh token', async () => {
    const plain = fake.answer;
    fake.answer = (request, response) => {
      if (request.path !== '/services/oauth2/token') return plain(request, response);
      tokens += 1;
      good = new Set([`00D!token-${tokens}`]);
      return json(response, 200, {
        access_token: `00D!token-${tokens}`,
        refresh_token: `r-${tokens}`,
        instance_url: fake.url,
        id: `https://x/id/${ORGANIZATION}/${USER}`,
      });
    };
    const org = client({ SALESFORCE_AUTH: 'refresh-token', SALESFORCE_REFRESH_TOKEN: 'r-0' });
    await org.connect();
    good.clear();
    await org.query('SELECT Id FROM Lead');
    expect(tokenForms().map((form) => form.get('refresh_token'))).toEqual(['r-0', 'r-1']);
  });

  it.each([
    ['client-credentials', { SALESFORCE_CLIENT_SECRET: '' }, 'SALESFORCE_CLIENT_SECRET required'],
    ['jwt', {}, 'SALESFORCE_USERNAME, SALESFORCE_PRIVATE_KEY required'],
    [
      'jwt',
      { SALESFORCE_USERNAME: 'u', SALESFORCE_PRIVATE_KEY: 'no key' },
      'SALESFORCE_PRIVATE_KEY is not a PEM private key',
    ],
    ['password', {}, 'SALESFORCE_USERNAME, SALESFORCE_PASSWORD required'],
    ['refresh-token', {}, 'SALESFORCE_REFRESH_TOKEN required'],
  ] as const)('refuses %s with a setting missing', (flow, settings, message) => {
    expect(() => client({ SALESFORCE_AUTH: flow, ...settings })).toThrow(message);
  });

  it('is renewed once when ten calls at once find it expired', async () => {
    const org = client();
    await org.connect();
    good.clear();
    const pages = await Promise.all(Array.from({ length: 10 }, () => org.query('SELECT Id FROM Lead')));
    expect(pages.every(({ totalSize }) => totalSize === 1)).toBe(true);
    expect(tokens).toBe(2);
  });

  it('ends with a refused access, not in a loop, when new tokens are refused too', async () => {
    const plain = fake.answer;
    fake.answer = (request, response) => {
      plain(request, response);
      good.clear();
    };
    await expect(client().query('SELECT Id FROM Lead')).rejects.toThrow(SalesforceAccessError);
    expect(tokens).toBe(2);
    expect(fake.received.filter(({ path }) => path.endsWith('/query'))).toHaveLength(2);
  });

  it('tells a refused credential from an org that is out, and tries anew on the next call', async () => {
    const plain = fake.answer;
    const org = client();
    fake.answer = (_request, response) => json(response, 400, { error: 'invalid_client_id', error_description: 'x' });
    await expect(org.connect()).rejects.toThrow(SalesforceAccessError);
    fake.answer = (_request, response) => void response.writeHead(503, { 'content-type': 'text/html' }).end('<html>');
    await expect(org.connect()).rejects.toThrow(SalesforceUnavailableError);
    fake.answer = (_request, response) => json(response, 200, { access_token: 't', id: 'x' });
    await expect(org.connect()).rejects.toThrow('unreadable answer (instance_url, id)');
    fake.answer = plain;
    await expect(org.connect()).resolves.toMatchObject({ organizationId: ORGANIZATION });
  });
});

describe('query', () => {
  it('sends the pinned version, the caller name and the page size, and counts', async () => {
    const org = client();
    const soql = "SELECT Id, Owner.Name FROM Lead WHERE LastName = 'O\\'Neil + é'";
    await expect(org.query(soql, { pageSize: 200 })).resolves.toEqual({
      totalSize: 1,
      records: [{ Id: '00Q5f000005bwLFEAY' }],
      next: null,
    });
    const [request] = fake.received.filter(({ method }) => method === 'GET');
    expect(request?.path).toBe('/services/data/v67.0/query');
    expect(request?.query.get('q')).toBe(soql);
    expect(request?.headers['sforce-call-options']).toBe('client=salesforce-iterable-sync');
    expect(request?.headers['sforce-query-options']).toBe('batchSize=200');
    expect(request?.headers.authorization).toBe('Bearer 00D!token-1');
    expect((await metrics.salesforceApiUsed.get()).values[0]?.value).toBe(0.0036);
    expect(await counted('200')).toBe(2);
  });

  it('goes through the pages by their locator', async () => {
    const plain = fake.answer;
    fake.answer = (request, response) => {
      if (request.path.endsWith('/token')) return plain(request, response);
      return request.path.endsWith('/queryAll')
        ? json(response, 200, {
            totalSize: 3,
            done: false,
            nextRecordsUrl: '/services/data/v67.0/query/01gRO-2',
            records: [{}, {}],
          })
        : json(response, 200, { totalSize: 3, done: true, records: [{}] });
    };
    const org = client();
    const first = await org.query('SELECT Id FROM Lead', { includeDeleted: true });
    expect(first.next).toBe('/services/data/v67.0/query/01gRO-2');
    const second = await org.queryMore(first.next ?? '');
    expect([second.records.length, second.next]).toEqual([1, null]);
    expect(fake.received.at(-1)?.path).toBe('/services/data/v67.0/query/01gRO-2');
  });

  it.each([
    ['a refused field', 400, JSON.stringify([{ errorCode: 'INVALID_FIELD', message: 'x' }]), SalesforceQueryError],
    [
      'the allowance',
      403,
      JSON.stringify([{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'x' }]),
      SalesforceLimitError,
    ],
    ['maintenance', 503, '<html>', SalesforceUnavailableError],
    ['a login page instead of rows', 200, '<html>', SalesforceUnavailableError],
    ['JSON cut short', 200, '{"totalSize":1,"rec', SalesforceUnavailableError],
    ['rows without an end', 200, '{"totalSize":1,"done":false,"records":[]}', SalesforceUnavailableError],
  ])('turns %s into one error, without trying behind the caller', async (_what, status, body, expected) => {
    const org = client();
    await org.connect();
    fake.answer = (_request, response) =>
      void response
        .writeHead(status, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' })
        .end(body);
    await expect(org.query('SELECT Id FROM Lead')).rejects.toThrow(expected);
    expect(fake.received.filter(({ path }) => path.endsWith('/query'))).toHaveLength(1);
    expect(await counted(String(status))).toBeGreaterThan(0);
  });

  it.each([
    ['no answer', (): void => undefined],
    [
      'a body that never ends',
      (_request: unknown, response: import('node:http').ServerResponse): void => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.write('{"totalSize":');
      },
    ],
  ])('gives up on %s at its deadline', async (_what, answer) => {
    const org = client({}, { deadlines: { query: 150 } });
    await org.connect();
    fake.answer = answer;
    await expect(org.query('SELECT Id FROM Lead')).rejects.toThrow(SalesforceTimeoutError);
    expect(await counted('timeout')).toBe(1);
  });

  it('survives a connection cut in the middle of a body', async () => {
    const org = client();
    await org.connect();
    fake.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '5000' });
      response.write('{"totalSize":', () => response.destroy());
    };
    await expect(org.query('SELECT Id FROM Lead')).rejects.toThrow(SalesforceUnavailableError);
    expect(await counted('network')).toBe(1);
  });

  it("stops when its caller gives up, with the caller's reason", async () => {
    const org = client();
    await org.connect();
    const asked = Promise.withResolvers<void>();
    fake.answer = () => asked.resolve();
    const controller = new AbortController();
    const query = org.query('SELECT Id FROM Lead', { signal: controller.signal });
    await asked.promise;
    controller.abort(new Error('partition taken away'));
    await expect(query).rejects.toThrow('partition taken away');
    await expect(org.query('SELECT Id FROM Lead', { signal: controller.signal })).rejects.toThrow(
      'partition taken away',
    );
  });
});

describe('limits', () => {
  it('reads the two numbers of each allowance, and leaves out what has none', async () => {
    const before = fake.answer;
    fake.answer = (request, response) => {
      if (!request.path.endsWith('/limits')) return before(request, response);
      return json(response, 200, {
        DailyDeliveredPlatformEvents: { Max: 50_000, Remaining: 12_000 },
        PermissionSets: { Max: 1_500, Remaining: 1_499, CreateCustom: { Max: 1_000, Remaining: 999 } },
        Odd: { Max: 'many' },
      });
    };
    const limits = await client().limits();
    expect([...limits]).toEqual([
      ['DailyDeliveredPlatformEvents', { max: 50_000, remaining: 12_000 }],
      ['PermissionSets', { max: 1_500, remaining: 1_499 }],
    ]);
  });
});
