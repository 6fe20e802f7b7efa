import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '@libs/config';
import { runCli } from './cli/program.js';
import { sandboxSettings } from './sandbox.config.js';
import { selfSigned } from './salesforce/testing/certificate.js';
import { createSandbox, PortTakenError, type Sandbox } from './sandbox.js';

let sandbox: Sandbox;

const settings = (own: Record<string, string> = {}) =>
  loadSettings('sandbox', sandboxSettings, {
    SANDBOX_SALESFORCE_PORT: '0',
    SANDBOX_PUBSUB_PORT: '0',
    SANDBOX_ITERABLE_PORT: '0',
    SANDBOX_ADMIN_PORT: '0',
    ...own,
  });

beforeAll(async () => {
  sandbox = await createSandbox(settings());
});
afterAll(() => sandbox.close());

async function admin(method: string, path: string, body?: unknown) {
  const response = await fetch(`${sandbox.urls.admin}${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function cli(...argv: string[]) {
  let out = '';
  let err = '';
  const code = await runCli(['--url', sandbox.urls.admin, ...argv], {
    out: (text) => (out += text),
    err: (text) => (err += text),
    environment: {},
  });
  return { code, out, err };
}

const bulk = (users: unknown[]) =>
  fetch(`${sandbox.urls.iterable}/api/users/bulkUpdate`, {
    method: 'POST',
    headers: { 'Api-Key': 'sandbox' },
    body: JSON.stringify({ users }),
  });

describe('the admin API', () => {
  it('is live and ready, and counts both systems', async () => {
    expect(await admin('GET', '/health/live')).toMatchObject({ status: 200 });
    expect(await admin('GET', '/health/ready')).toMatchObject({ status: 200, body: { status: 'ok' } });
    const { body } = await admin('GET', '/stats');
    expect(body).toMatchObject({ iterable: { projectType: 'email', pending: { bulk: 0, single: 0 } } });
    expect(body['salesforce']).toBeDefined();
  });

  it('makes records in the org, and refuses a request for none or of the wrong shape', async () => {
    const seeded = await admin('POST', '/seed', { leads: 3, contacts: 2, accounts: 1, seed: 7 });
    expect(seeded.status).toBe(201);
    expect(seeded.body['created']).toMatchObject({ leads: 3, contacts: 2, accounts: 1 });
    expect(await admin('POST', '/seed', { leads: -1 })).toMatchObject({ status: 400 });
    expect(await admin('POST', '/seed', {})).toMatchObject({
      status: 400,
      body: { error: 'body: asks for no record: give leads, contacts or accounts' },
    });
    expect(await admin('POST', '/seed', '{')).toMatchObject({ status: 400, body: { error: 'the body is not JSON' } });
    expect((await admin('POST', '/seed', { leeds: 3 })).body['error']).toContain('leeds');
  });

  it('switches faults on and off, and names the kinds where one is unknown', async () => {
    const added = await admin('POST', '/faults', { system: 'iterable', kind: 'http-500', count: 1 });
    expect(added.status).toBe(201);
    expect((await bulk([])).status).toBe(500);
    expect((await bulk([])).status).toBe(200);
    expect(await admin('DELETE', '/faults?system=iterable')).toMatchObject({ body: { cleared: 1, faults: [] } });

    const unknown = await admin('POST', '/faults', { system: 'iterable', kind: 'flood' });
    expect(unknown.status).toBe(400);
    expect(unknown.body['known']).toContain('rate-limit-storm');
    const wrongOption = await admin('POST', '/faults', {
      system: 'iterable',
      kind: 'latency',
      options: { delayMs: 'long' },
    });
    expect(wrongOption).toMatchObject({ status: 400 });
    expect(wrongOption.body['error']).toContain('options.delayMs');
    const misspelt = await admin('POST', '/faults', { system: 'salesforce', kind: 'latency', options: { delay: 5 } });
    expect(misspelt).toMatchObject({ status: 400 });
    expect(await admin('GET', '/faults')).toMatchObject({ body: { faults: [] } });
  });

  it('moves the clock forward only', async () => {
    const before = Date.parse(String((await admin('GET', '/clock')).body['now']));
    const { body } = await admin('POST', '/clock', { advanceSeconds: 3600 });
    expect(Date.parse(String(body['now'])) - before).toBeGreaterThanOrEqual(3_600_000);
    expect(await admin('POST', '/clock', { advanceSeconds: -1 })).toMatchObject({ status: 400 });
  });

  it('shows what Iterable received: writes, and a user within them', async () => {
    const { body: before } = await admin('GET', '/iterable/requests');
    await bulk([
      { email: 'Log@example.com', dataFields: { Step: 'one' } },
      { email: 'other@example.com', dataFields: { Step: 'two' } },
    ]);
    await fetch(`${sandbox.urls.iterable}/api/users/log%40example.com`, { headers: { 'Api-Key': 'sandbox' } });
    const { body } = await admin('GET', '/iterable/requests');
    expect(body['total']).toBe(Number(before['total']) + 1);
    const { body: mine } = await admin('GET', '/iterable/requests?email=log%40EXAMPLE.com');
    expect(mine['requests']).toMatchObject([
      {
        method: 'POST',
        endpoint: 'users/bulkUpdate',
        status: 200,
        users: 2,
        entries: [{ email: 'Log@example.com', dataFields: { Step: 'one' } }],
      },
    ]);
    const { body: reads } = await admin('GET', '/iterable/requests?reads=true&endpoint=users/%7Bemail%7D&limit=1');
    expect(reads['requests']).toMatchObject([{ method: 'GET', status: 200 }]);
    expect(await admin('GET', '/iterable/requests?since=yesterday')).toMatchObject({ status: 400 });
  });

  it('lists every profile', async () => {
    await bulk([{ email: 'listed@example.com', dataFields: { A: 1 } }]);
    const { body } = await admin('GET', '/iterable/profiles');
    const profiles = body['profiles'] as Array<{ email: string; dataFields: unknown }>;
    expect(profiles.find((profile) => profile.email === 'listed@example.com')?.dataFields).toMatchObject({ A: 1 });
  });

  it('changes switches, and refuses one that does not exist', async () => {
    const changed = await admin('POST', '/iterable/switches', { mismatchMode: 'per-user' });
    expect(changed.body['switches']).toMatchObject({ mismatchMode: 'per-user', createNewFields: true });
    expect(await admin('POST', '/iterable/switches', { mismatchMood: 'x' })).toMatchObject({ status: 400 });
    expect(await admin('POST', '/iterable/switches', { mismatchMode: 'whole-request' })).toMatchObject({ status: 200 });
  });

  it('names its routes to who is lost', async () => {
    const lost = await admin('GET', '/fault');
    expect(lost.status).toBe(404);
    expect(lost.body['routes']).toContain('POST /seed');
  });
});

describe('the command line', () => {
  it('adds, lists and clears faults, in JSON too', async () => {
    const added = await cli(
      '--json',
      'fault',
      'add',
      'iterable',
      'latency',
      '--rate',
      '0.5',
      '--match',
      'nowhere',
      '-o',
      'delayMs=7',
    );
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(added.out)).toMatchObject({
      fault: { system: 'iterable', kind: 'latency', rate: 0.5, match: 'nowhere', options: { delayMs: 7 } },
    });
    expect((await cli('fault', 'list')).out).toBe(
      'iterable latency  rate 0.5  hits 0  match nowhere  delayMs=7  applied=false\n',
    );
    expect((await cli('--json', 'fault', 'clear', 'iterable', 'latency')).out).toContain('"cleared":1');
    expect((await cli('fault', 'list')).out).toBe('no fault is on\n');
    const { out } = await cli('fault', 'kinds');
    expect(out).toContain('iterable latency\n    Waits delayMs');
    expect(out).toContain('      delayMs: default 5000\n');
    expect(out).toContain('salesforce session-expired\n');
  });

  it('seeds, advances the clock and shows counts', async () => {
    expect((await cli('seed', '--leads', '2')).code).toBe(0);
    expect((await cli('clock', 'advance', '60')).out).toContain('aheadSeconds');
    expect((await cli('stats')).out).toContain('projectType email');
  });

  it('shows what Iterable received, and its switches', async () => {
    await bulk([{ email: 'cli@example.com', dataFields: { N: 1 } }]);
    const shown = await cli('requests', '--email', 'CLI@example.com', '--endpoint', 'users/bulkUpdate');
    expect(shown.out).toMatch(
      /POST users\/bulkUpdate {2}1 users {2}200\n {4}\{"email":"cli@example.com","dataFields":\{"N":1\}\}\n$/,
    );
    expect((await cli('requests', '--email', 'nobody@example.com')).out).toBe('no such request\n');
    expect((await cli('switches')).out).toContain('mismatchMode = "whole-request"\n    A value of a wrong type');
    const changed = await cli('--json', 'switches', 'retryAfterHeader=true', 'coercion=lenient');
    expect(JSON.parse(changed.out)).toMatchObject({ switches: { retryAfterHeader: true, coercion: 'lenient' } });
    expect(await cli('switches', 'retryAfterHeader=false', 'coercion=widen')).toMatchObject({ code: 0 });
    expect(await cli('switches', 'coercion=magic')).toMatchObject({ code: 1 });
  });

  it('ends with 1 and one sentence where the sandbox refuses or is not there', async () => {
    const refused = await cli('fault', 'add', 'iterable', 'flood');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("iterable has no fault 'flood'; it knows http-500");
    let err = '';
    const code = await runCli(['--url', 'http://127.0.0.1:1', 'stats'], {
      out: () => {},
      err: (text) => (err += text),
    });
    expect(code).toBe(1);
    expect(err).toContain('no sandbox answers at http://127.0.0.1:1');
  });

  it('ends with 2 for what it cannot read', async () => {
    expect(await cli('seed', '--leads', 'many')).toMatchObject({ code: 2 });
    expect(await cli('clock', 'advance', '-5')).toMatchObject({ code: 2 });
    expect(await cli('dance')).toMatchObject({ code: 2 });
    const bad = await runCli(['stats'], { out: () => {}, err: () => {}, environment: { SANDBOX_ADMIN_PORT: 'x' } });
    expect(bad).toBe(2);
    expect((await cli('--help')).code).toBe(0);
  });
});

describe('opening', () => {
  it('says which setting moves a door whose port is taken, and leaves no door open', async () => {
    const taken = new URL(sandbox.urls.admin).port;
    await expect(createSandbox(settings({ SANDBOX_ADMIN_PORT: taken }))).rejects.toThrow(PortTakenError);
    await expect(createSandbox(settings({ SANDBOX_ADMIN_PORT: taken }))).rejects.toThrow('SANDBOX_ADMIN_PORT');
  });

  it('opens the Pub/Sub API, with TLS where it has both halves of it', async () => {
    const taken = sandbox.urls.pubsub.split(':').at(-1) ?? '';
    await expect(createSandbox(settings({ SANDBOX_PUBSUB_PORT: taken }))).rejects.toThrow('SANDBOX_PUBSUB_PORT');
    const { key, certificate } = selfSigned();
    await expect(createSandbox(settings({ SANDBOX_PUBSUB_CERTIFICATE: certificate }))).rejects.toThrow(
      'SANDBOX_PUBSUB_KEY: is required',
    );
    const own = await createSandbox(
      settings({ SANDBOX_PUBSUB_CERTIFICATE: certificate, SANDBOX_PUBSUB_KEY: key, SANDBOX_STREAM_SPEED: '100' }),
    );
    const [host = '', port = ''] = own.urls.pubsub.split(':');
    const socket = connect({ host, port: Number(port), ca: certificate, ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    expect(socket.authorized).toBe(true);
    socket.destroy();
    await own.close();
  });

  it('has an allowance of delivered events, unless it is lifted', async () => {
    const limitOf = async (url: string) => {
      const body = new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: 'sandbox',
        client_secret: 'sandbox',
      });
      const answer = await fetch(`${url}/services/oauth2/token`, { method: 'POST', body });
      const { access_token: token } = (await answer.json()) as { access_token: string };
      const limits = await fetch(`${url}/services/data/v67.0/limits`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return ((await limits.json()) as { DailyDeliveredPlatformEvents: unknown }).DailyDeliveredPlatformEvents;
    };
    expect(await limitOf(sandbox.urls.salesforce)).toEqual({ Max: 50_000, Remaining: 50_000 });
    const own = await createSandbox(settings({ SANDBOX_DELIVERED_EVENTS_PER_DAY: '0' }));
    expect(await limitOf(own.urls.salesforce)).toMatchObject({ Remaining: 150_000 });
    await own.close();
  });

  it('takes the project type and the switches from the environment', async () => {
    const own = await createSandbox(
      settings({ ITERABLE_PROJECT_TYPE: 'hybrid', SANDBOX_ITERABLE_SWITCHES: '{"noOpLists":"absent"}' }),
    );
    expect(own.iterable.stats().projectType).toBe('hybrid');
    expect(own.iterable.switches().noOpLists).toBe('absent');
    await own.close();
    expect(() => settings({ SANDBOX_ITERABLE_SWITCHES: '{"noOp":1}' })).toThrow('SANDBOX_ITERABLE_SWITCHES');
    expect(() => settings({ SANDBOX_ITERABLE_SWITCHES: 'no' })).toThrow('must be a JSON object');
  });
});
