import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SalesforceSandboxOptions } from '../options.js';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { BayeuxProbe, eventsIn, idsIn, replayIdOf } from '../testing/bayeux-probe.js';

let org: TestOrg;
let probe: BayeuxProbe;
afterEach(async () => {
  await org.close();
});

/** Long enough never to pass in a test unless it is what the test waits for. */
const NEVER = 600_000;
const LEADS = '/data/LeadChangeEvent';

async function open(options: Partial<SalesforceSandboxOptions> = {}): Promise<void> {
  org = await openTestOrg({ ...options, timing: { cometdHoldMs: NEVER, cometdReconnectMs: NEVER, ...options.timing } });
  probe = new BayeuxProbe(`${org.url}/cometd/67.0`, await org.token());
}

/** Handshake, first connect, and a subscription. */
async function connected(replay?: unknown, channel = LEADS): Promise<void> {
  await probe.handshake();
  await probe.connect();
  expect(await probe.subscribe(channel, replay)).toMatchObject({ successful: true });
}

const lead = (LastName: string) => ({ LastName, Company: 'Acme' });
const createLeads = (...names: string[]) => org.sandbox.records.create('Lead', names.map(lead));
const fault = (kind: string, options: Record<string, unknown> = {}, match?: string) =>
  org.faults.add({ system: 'salesforce', kind, rate: 1, count: 1, options, ...(match === undefined ? {} : { match }) });

describe('limits', () => {
  it('denies a handshake beyond the number of clients', async () => {
    await open({ limits: { cometdClients: 1 } });
    await probe.handshake();
    const second = new BayeuxProbe(`${org.url}/cometd/67.0`, await org.token());
    expect(await second.handshake()).toMatchObject({
      error: '403::Handshake denied',
      ext: { sfdc: { failureReason: '403::Organization concurrent user limit exceeded' } },
      advice: { reconnect: 'none' },
    });
  });

  it('stops delivery beyond the day’s allocation until the day has passed', async () => {
    await open({ limits: { deliveredEventsPerDay: 3 } });
    await connected();
    createLeads('A', 'B', 'C', 'D');
    const exceeded = '403::Organization total events daily limit exceeded';
    expect(idsIn(await probe.connect())).toHaveLength(3);
    expect(await probe.connect()).toMatchObject([{ error: exceeded, successful: false }]);
    await probe.handshake();
    await probe.connect();
    expect(await probe.subscribe(LEADS, -2)).toMatchObject({ error: exceeded });
    org.clock.advance(25 * 3_600);
    expect(await probe.subscribe(LEADS, -2)).toMatchObject({ successful: true });
    expect(idsIn(await probe.connect())).toHaveLength(3);
  });

  it('refuses requests that are too large or no JSON', async () => {
    await open();
    expect((await probe.post('x'.repeat(32_769))).status).toBe(413);
    expect((await probe.post('{')).status).toBe(400);
    expect((await probe.post('[]')).status).toBe(400);
  });

  it('needs the cookies of the handshake', async () => {
    await open();
    await probe.handshake();
    probe.cookie = '';
    expect(await probe.connect()).toMatchObject([
      {
        error: `400::Client ${probe.clientId} has established a session, but no BAYEUX_BROWSER cookie present`,
        successful: false,
      },
    ]);
  });

  it('knows long polling only, and versions from 37 on', async () => {
    await open();
    await probe.handshake();
    expect(await probe.send({ channel: '/meta/connect', connectionType: 'websocket' })).toMatchObject([
      { error: '400::Invalid connection type {websocket}' },
    ]);
    expect(await probe.send({ channel: '/foo' })).toMatchObject([{ error: '403::Cannot create channel {/foo}' }]);
    const old = new BayeuxProbe(`${org.url}/cometd/36.0`, await org.token());
    expect(await old.handshake()).toMatchObject({ error: expect.stringContaining('400::Unsupported API version.') });
    const none = new BayeuxProbe(`${org.url}/cometd`, await org.token());
    expect(await none.handshake()).toMatchObject({ error: expect.stringContaining('400::API version in the URI') });
  });
});

describe('authentication', () => {
  it('is refused on handshake as in the printed sample', async () => {
    await open();
    const denied = (failureReason: string) => ({
      ext: { sfdc: { failureReason }, replay: true, 'payload.format': true },
      advice: { reconnect: 'none' },
      channel: '/meta/handshake',
      id: '1',
      error: '403::Handshake denied',
      successful: false,
    });
    const wrong = new BayeuxProbe(`${org.url}/cometd/67.0`, 'wrong');
    expect(await wrong.handshake()).toEqual(denied('401::Authentication invalid'));
    const none = new BayeuxProbe(`${org.url}/cometd/67.0`, '');
    expect(await none.handshake()).toEqual(denied('401::Request requires authentication'));
  });

  it('ends a held connect when it is revoked', async () => {
    await open();
    await connected();
    const held = probe.connect();
    const invalid = {
      clientId: probe.clientId,
      advice: { reconnect: 'none', interval: 0 },
      channel: '/meta/connect',
      id: '4',
      error: '401::Authentication invalid',
      successful: false,
    };
    await vi.waitFor(() => expect(probe.pending).toBe(1));
    // The connect may still be on its way: revocation finds it held or refuses it on arrival.
    org.sandbox.revokeTokens();
    expect(await held).toEqual([invalid]);
    expect(await probe.connect()).toMatchObject([{ error: '401::Authentication invalid' }]);
  });

  it('lasts over any time while the client is connected', async () => {
    await open();
    await connected();
    org.clock.advance(80 * 3_600);
    createLeads('A');
    expect(await probe.connect()).toMatchObject([{}, {}]);
  });
});

describe('faults', () => {
  const unknown = (code: number) => ({
    error: `${code}::Unknown client`,
    successful: false,
    advice: { interval: 0, reconnect: 'handshake' },
  });
  const noReconnect = { advice: { reconnect: 'none', interval: 0 }, successful: false };

  it.each([
    ['cometd-unknown-client', unknown(403)],
    ['cometd-402', unknown(402)],
    ['cometd-401', { ...noReconnect, error: '401::Authentication invalid' }],
    ['session-expired', { ...noReconnect, error: '401::Authentication invalid' }],
    [
      'cometd-busy-as-401',
      {
        ...noReconnect,
        error: '401::Authentication invalid',
        ext: { sfdc: { failureReason: '503::Server is too busy.  Please try your request again later.' } },
      },
    ],
    ['cometd-daily-limit', { ...noReconnect, error: '403::Organization total events daily limit exceeded' }],
  ])('%s on connect', async (kind, reply) => {
    await open();
    await connected();
    fault(kind, {}, '/meta/connect');
    expect(await probe.connect()).toMatchObject([{ ...reply, channel: '/meta/connect', clientId: probe.clientId }]);
  });

  it.each([
    ['cometd-handshake-denied', '403::Organization concurrent user limit exceeded'],
    ['cometd-too-many', '403::To protect all customers from excessive use'],
    ['cometd-401', '401::Authentication invalid'],
  ])('%s on handshake', async (kind, reason) => {
    await open();
    fault(kind);
    expect(await probe.handshake()).toMatchObject({
      error: '403::Handshake denied',
      advice: { reconnect: 'none' },
      ext: { sfdc: { failureReason: expect.stringContaining(reason) } },
    });
    expect(await probe.handshake()).toMatchObject({ successful: true });
  });

  it('cometd-replay-expired and cometd-create-denied on subscribe', async () => {
    await open();
    createLeads('A');
    await connected(-2);
    const replayId = replayIdOf(eventsIn(await probe.connect())[0]);
    fault('cometd-replay-expired');
    expect(await probe.subscribe(LEADS, replayId)).toMatchObject({
      error: expect.stringContaining(`400::The replayId {${replayId}}`),
    });
    fault('cometd-create-denied');
    expect(await probe.subscribe(LEADS, replayId)).toMatchObject({
      error: '403::denied_by_security_policy:create_denied',
    });
    expect(await probe.subscribe(LEADS, replayId)).toMatchObject({ successful: true });
  });

  it('cometd-rewind begins before the replay id', async () => {
    await open();
    // One after the other: an event each, and in a known order.
    const ids = ['A', 'B', 'C', 'D'].map((name) => createLeads(name)[0] ?? '');
    await connected(-2);
    const all = eventsIn(await probe.connect());
    org.faults.add({ system: 'salesforce', kind: 'cometd-rewind', rate: 1, options: { events: 2 } });
    await probe.subscribe(LEADS, replayIdOf(all[2]));
    expect(idsIn(await probe.connect())).toEqual(ids.slice(1));
    await probe.subscribe(LEADS, replayIdOf(all[0]));
    expect(idsIn(await probe.connect())).toEqual(ids);
  });

  it('cometd-http-503-html and cometd-http-401-json are no Bayeux at all', async () => {
    await open();
    await connected();
    fault('cometd-http-503-html');
    const page = await probe.post('[{"channel":"/meta/connect"}]');
    expect([page.status, page.headers.get('content-type')]).toEqual([503, 'text/html;charset=UTF-8']);
    fault('cometd-http-401-json');
    const refusal = await probe.post('[{"channel":"/meta/connect"}]');
    expect([refusal.status, await refusal.json()]).toEqual([
      401,
      [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
    ]);
  });

  it('cometd-hang answers never; the client is forgotten when it gives up', async () => {
    await open({ timing: { cometdReconnectMs: 50 } });
    await connected();
    fault('cometd-hang');
    const abort = new AbortController();
    const hung = probe.connect(abort.signal);
    await vi.waitFor(() => expect(org.faults.list()[0]?.hits).toBe(1));
    createLeads('A');
    abort.abort();
    await expect(hung).rejects.toThrow('aborted');
    await vi.waitFor(() => expect(org.sandbox.stats().cometd.clients).toBe(0), { timeout: 5_000 });
  });

  it('cometd-hang may close the socket after a time', async () => {
    await open();
    await connected();
    fault('cometd-hang', { holdMs: 30 });
    await expect(probe.connect()).rejects.toThrow('fetch failed');
  });

  it('cometd-duplicate delivers the previous events again', async () => {
    await open();
    await connected();
    const [a] = createLeads('A');
    await probe.connect();
    const [b] = createLeads('B');
    fault('cometd-duplicate');
    expect(idsIn(await probe.connect())).toEqual([a, b]);
  });

  it('cometd-silent delivers nothing and loses nothing', async () => {
    await open({ timing: { cometdHoldMs: 80 } });
    await connected();
    org.faults.add({ system: 'salesforce', kind: 'cometd-silent', rate: 1, options: {} });
    const ids = createLeads('A', 'B');
    expect(await probe.connect()).toMatchObject([{ channel: '/meta/connect', successful: true }]);
    org.faults.clear();
    expect(idsIn(await probe.connect())).toEqual(ids);
  });

  it('cometd-cut-body breaks the JSON in the middle; its events are gone for this session', async () => {
    await open();
    await connected();
    createLeads('A');
    fault('cometd-cut-body');
    await expect(probe.connect()).rejects.toThrow('terminated');
    const [b] = createLeads('B');
    expect(idsIn(await probe.connect())).toEqual([b]);
  });

  it('all clients can be dropped at once', async () => {
    await open();
    await connected();
    const held = probe.connect();
    await vi.waitFor(() => expect(probe.pending).toBe(1));
    expect(org.sandbox.dropCometdClients()).toBe(1);
    expect(await held).toMatchObject([unknown(403)]);
  });
});
