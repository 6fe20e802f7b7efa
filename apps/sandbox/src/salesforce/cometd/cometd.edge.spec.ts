import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SalesforceSandboxOptions } from '../options.js';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { BayeuxProbe, eventsIn, headerOf, idsIn, replayIdOf } from '../testing/bayeux-probe.js';

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

describe('a session', () => {
  it('goes as documented: handshake, first connect at once with advice, subscribe, events', async () => {
    await open();
    expect(await probe.handshake()).toEqual({
      ext: { replay: true, 'payload.format': true },
      minimumVersion: '1.0',
      clientId: expect.stringMatching(/^\w{20,}$/),
      supportedConnectionTypes: ['long-polling'],
      channel: '/meta/handshake',
      id: '1',
      version: '1.0',
      successful: true,
    });
    expect(await probe.connect()).toEqual([
      {
        clientId: probe.clientId,
        advice: { interval: 0, timeout: NEVER, reconnect: 'retry' },
        channel: '/meta/connect',
        id: '2',
        successful: true,
      },
    ]);
    expect(await probe.subscribe(LEADS)).toEqual({
      clientId: probe.clientId,
      channel: '/meta/subscribe',
      id: '3',
      subscription: LEADS,
      successful: true,
    });
    const held = probe.connect();
    const [id] = createLeads('Kim');
    const messages = await held;
    expect(messages).toHaveLength(2);
    expect(messages.find((one) => one['channel'] === '/meta/connect')).toEqual({
      clientId: probe.clientId,
      channel: '/meta/connect',
      id: '4',
      successful: true,
    });
    const [event] = eventsIn(messages);
    expect(event).toEqual({
      channel: LEADS,
      data: {
        schema: expect.stringMatching(/^[\w-]{22}$/),
        payload: expect.objectContaining({ Name: { LastName: 'Kim' }, Company: 'Acme' }),
        event: { replayId: expect.any(Number) },
      },
    });
    expect(headerOf(event)).toMatchObject({
      entityName: 'Lead',
      changeType: 'CREATE',
      recordIds: [id],
      sequenceNumber: 1,
    });
    expect(Number(headerOf(event)?.['commitTimestamp']) % 1000).toBe(0);
  });

  it('answers a connect without events after the hold time', async () => {
    await open({ timing: { cometdHoldMs: 60 } });
    await connected();
    expect(await probe.connect()).toEqual([
      { clientId: probe.clientId, channel: '/meta/connect', id: '4', successful: true },
    ]);
  });

  it('ends when the client does not come back in time', async () => {
    await open({ timing: { cometdReconnectMs: 40 } });
    await connected();
    await vi.waitFor(() => expect(org.sandbox.stats().cometd.clients).toBe(0), { timeout: 5_000 });
    const unknown = {
      error: '403::Unknown client',
      successful: false,
      advice: { interval: 0, reconnect: 'handshake' },
    };
    expect(await probe.connect()).toMatchObject([unknown]);
    expect(await probe.subscribe(LEADS)).toMatchObject(unknown);
  });

  it('stays while a connect is held', async () => {
    await open({ timing: { cometdReconnectMs: 30, cometdHoldMs: 200 } });
    await connected();
    expect(await probe.connect()).toMatchObject([{ successful: true }]);
  });

  it('ends by disconnect, and lets the held connect go', async () => {
    await open();
    await connected();
    const held = probe.connect();
    await vi.waitFor(() => expect(org.sandbox.stats().cometd.clients).toBe(1));
    expect(await probe.send({ channel: '/meta/disconnect' })).toMatchObject([
      { channel: '/meta/disconnect', successful: true },
    ]);
    expect(await held).toMatchObject([{ channel: '/meta/connect' }]);
    expect(org.sandbox.stats().cometd.clients).toBe(0);
  });

  it('unsubscribes', async () => {
    await open();
    await connected();
    expect(await probe.send({ channel: '/meta/unsubscribe', subscription: LEADS })).toMatchObject([
      { successful: true, subscription: LEADS },
    ]);
    expect(org.sandbox.stats().cometd.channels).toEqual({});
  });

  it('batches events, at most as many as the limit in a reply', async () => {
    await open({ limits: { eventsPerReply: 3 } });
    await connected();
    const ids = createLeads('A', 'B', 'C', 'D', 'E');
    const first = await probe.connect();
    const second = await probe.connect();
    expect([idsIn(first).length, idsIn(second).length]).toEqual([3, 2]);
    expect([...idsIn(first), ...idsIn(second)]).toEqual(ids);
  });

  it('puts events before the connect reply or after it', async () => {
    await open();
    await connected();
    const places = new Set<number>();
    for (let n = 0; n < 40 && places.size < 2; n += 1) {
      createLeads(`N${n}`);
      places.add((await probe.connect()).findIndex((one) => one['channel'] === '/meta/connect'));
    }
    expect(places).toEqual(new Set([0, 1]));
  });
});

describe('channels', () => {
  it('carry their entities only, and name the subscribed channel', async () => {
    await open();
    await connected(undefined, '/data/IterableSync__chn');
    const [contact] = org.sandbox.records.create('Contact', [{ LastName: 'Kim' }]);
    const [user] = org.sandbox.records.create('User', [
      { LastName: 'U', Username: 'u', Alias: 'u', Email: 'u@example.com' },
    ]);
    expect(user).toMatch(/^005/);
    const [id] = createLeads('Lee');
    const messages = await probe.connect();
    expect(idsIn(messages)).toEqual([contact, id]);
    expect(eventsIn(messages).map((one) => one['channel'])).toEqual(Array(2).fill('/data/IterableSync__chn'));
  });

  it.each([
    ['/data/FooChangeEvent', '400::The channel you requested to subscribe to does not exist {/data/FooChangeEvent}'],
    ['/data/leadchangeevent', '400::The channel you requested to subscribe to does not exist {/data/leadchangeevent}'],
    ['data/LeadChangeEvent', "400::Channel subscriptions must start with a leading '/'"],
    ['', '400::Channel name not specified'],
  ])('refuse %s', async (channel, error) => {
    await open();
    await probe.handshake();
    await probe.connect();
    expect(await probe.subscribe(channel)).toMatchObject({ successful: false, error });
  });
});

describe('replay', () => {
  it('gives new events only, all retained ones, or those after a place', async () => {
    await open();
    const ids = createLeads('A', 'B', 'C');
    await connected(-2);
    const all = await probe.connect();
    expect(idsIn(all)).toEqual(ids);
    const second = replayIdOf(eventsIn(all)[1]);
    for (const [replay, expected] of [
      [second, ids.slice(2)],
      [String(second), ids.slice(2)],
      [-1, []],
      [undefined, []],
    ] as const) {
      await probe.subscribe(LEADS, replay);
      const [marker] = createLeads('Marker');
      expect(idsIn(await probe.connect()), `replay ${replay}`).toEqual(
        expected.length === 0 ? [marker] : expect.arrayContaining([...expected]),
      );
    }
  });

  it('reads the entry of the subscribed channel only', async () => {
    await open();
    createLeads('Old');
    await probe.handshake();
    await probe.connect();
    const ext = { replay: { '/data/ContactChangeEvent': -2 } };
    await probe.send({ channel: '/meta/subscribe', subscription: LEADS, ext });
    const [id] = createLeads('New');
    expect(idsIn(await probe.connect())).toEqual([id]);
  });

  it('releases a connect that is already held', async () => {
    await open();
    const ids = createLeads('A');
    await probe.handshake();
    await probe.connect();
    const held = probe.connect();
    await probe.subscribe(LEADS, -2);
    expect(idsIn(await held)).toEqual(ids);
  });

  it.each([[5], ['abc'], [1.5]])('refuses the unknown place %s in the exact words', async (replay) => {
    await open();
    await probe.handshake();
    await probe.connect();
    expect(await probe.subscribe(LEADS, replay)).toEqual({
      clientId: probe.clientId,
      channel: '/meta/subscribe',
      id: '3',
      subscription: LEADS,
      error: `400::The replayId {${replay}} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.`,
      successful: false,
    });
  });

  it('refuses a place older than 72 hours, and keeps the client connected meanwhile', async () => {
    await open();
    createLeads('A', 'B');
    await connected(-2);
    const [first] = eventsIn(await probe.connect());
    org.clock.advance(73 * 3_600);
    expect(await probe.subscribe(LEADS, replayIdOf(first))).toMatchObject({
      successful: false,
      error: expect.stringContaining('400::The replayId {'),
    });
    const [id] = createLeads('C');
    await probe.subscribe(LEADS, -2);
    expect(idsIn(await probe.connect())).toEqual([id]);
  });
});

describe('what REST writes', () => {
  it('tells its origin, groups 200 in a transaction and merges equal changes', async () => {
    await open();
    await connected();
    const attributes = { type: 'Lead' };
    const records = Array.from({ length: 200 }, (_, n) => ({ attributes, ...lead(`L${n}`) }));
    const created = (await org.call('POST', '/composite/sobjects', { records })).body as Array<{ id: string }>;
    const events = eventsIn(await probe.connect());
    expect(events).toHaveLength(200);
    expect(new Set(events.map((one) => headerOf(one)?.['transactionKey'])).size).toBe(1);
    expect(events.map((one) => headerOf(one)?.['sequenceNumber'])).toEqual(events.map((_, index) => index + 1));
    expect(headerOf(events[0])?.['changeOrigin']).toBe('com/salesforce/api/rest/67.0;client=Spec');

    const updates = created.map(({ id }) => ({ attributes, id, Status: 'Working - Contacted' }));
    await org.call('PATCH', '/composite/sobjects', { records: updates });
    const merged = eventsIn(await probe.connect());
    expect(merged.map((one) => headerOf(one)?.['recordIds'])).toEqual([created.map((one) => one.id)]);
    expect(merged[0]).toMatchObject({ data: { payload: { Status: 'Working - Contacted' } } });

    await org.call(
      'DELETE',
      `/composite/sobjects?ids=${created
        .slice(0, 2)
        .map((one) => one.id)
        .join(',')}`,
    );
    const [deleted] = eventsIn(await probe.connect());
    expect(headerOf(deleted)).toMatchObject({ changeType: 'DELETE', changedFields: [] });
    expect(headerOf(deleted)?.['recordIds']).toHaveLength(2);
  });

  it('can be joined by gap and overflow events', async () => {
    await open();
    await connected();
    org.sandbox.emit({ entity: 'Lead', changeType: 'GAP_UPDATE', recordIds: ['00Q*'] });
    org.sandbox.emit({ entity: 'Lead', changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] });
    const events = eventsIn(await probe.connect());
    expect(events.map((one) => [headerOf(one)?.['changeType'], headerOf(one)?.['recordIds']])).toEqual([
      ['GAP_UPDATE', ['00Q*']],
      ['GAP_OVERFLOW', ['000000000000000AAA']],
    ]);
  });

  it('prints commit numbers beyond 2^53 in full', async () => {
    await open();
    await connected();
    createLeads('A');
    await probe.connect();
    expect(probe.lastText).toMatch(/"commitNumber":\d{19},/);
  });
});
