import type { SalesforceSettings } from '@libs/config';
import { createMetrics } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BayeuxFake, type FakeMessage, type Script } from '../../test/bayeux-fake.js';
import { Follower } from '../../test/follower.js';
import { json } from '../../test/http-fake.js';
import { createSend } from '../rest/http.js';
import { createSessions } from '../rest/session.js';
import type { StreamEnd } from './change-stream.js';
import { openCometdStream, type CometdOptions } from './cometd-stream.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
const header = (n: number) => ({ entityName: 'Lead', recordIds: [`id-${n}`], changeType: 'UPDATE' });

/** Everything a hundred times faster than Salesforce. */
const timings = { answerMs: 600, holdMs: 1500, marginMs: 250, probeMs: 200, tickMs: 20, goodbyeMs: 300 };

let fake: BayeuxFake;
let running: Follower | undefined;

beforeEach(async () => {
  fake = await BayeuxFake.start();
  fake.holdMs = 1500;
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await fake.stop();
});

const replayIdsOf = ({ events }: Follower) => events.map(({ replayId }) => Number(replayId));

function start(channels: readonly string[], options: CometdOptions = {}): Follower {
  const settings: SalesforceSettings = {
    SALESFORCE_LOGIN_URL: fake.url,
    SALESFORCE_AUTH: 'client-credentials',
    SALESFORCE_CLIENT_ID: 'id',
    SALESFORCE_CLIENT_SECRET: 'secret',
    SALESFORCE_API_VERSION: '67.0',
  };
  const sessions = createSessions(settings, createSend(createMetrics()));
  const own = { ...options, timings: { ...timings, ...options.timings } };
  return new Follower((observer) => openCometdStream(sessions, channels, observer, own));
}

async function follow(channels: readonly string[] = [LEADS], options: CometdOptions = {}): Promise<Follower> {
  const follower = start(channels, options);
  running = follower;
  await vi.waitFor(() => expect(new Set(follower.subscribed)).toEqual(new Set(channels)), { timeout: 5_000 });
  return follower;
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 8_000, interval: 10 });

/** Strikes once the messages of a meta channel, after `skip` of them. */
function once(
  channel: string,
  answer: (message: FakeMessage, response: Parameters<Script>[1]) => void,
  skip = 0,
): Script {
  let left = skip;
  let struck = false;
  return (message, response) => {
    if (struck || message.channel !== channel || (left -= 1) >= 0) return false;
    struck = true;
    answer(message, response);
    return true;
  };
}

describe('a stream that works', () => {
  it('delivers events in order, without field values, and asks for new ones when it knows no position', async () => {
    const follower = await follow();
    const ids = fake.push(LEADS, header(1), header(2), header(3));
    await until(() => expect(replayIdsOf(follower)).toEqual(ids));
    expect(follower.events[0]).toEqual({ channel: LEADS, replayId: String(ids[0]), header: header(1) });
    expect(fake.replays(LEADS)).toEqual([-1]);
    expect(follower.alive).toBeGreaterThan(0);
    expect(follower.failures).toEqual([]);
    expect(fake.strays).toEqual([]); // no WebSocket is tried
  });

  it('keeps one position per channel over a re-handshake, where jsforce loses all but one', async () => {
    const follower = await follow([LEADS, CONTACTS]);
    const [lead] = fake.push(LEADS, header(1));
    const [contact] = fake.push(CONTACTS, header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual([lead, contact]));
    fake.forgetClients();
    await until(() => expect(fake.count('/meta/handshake')).toBe(2));
    const missed = [...fake.push(LEADS, header(3)), ...fake.push(CONTACTS, header(4))];
    await until(() => expect(replayIdsOf(follower)).toEqual([lead, contact, ...missed]));
    expect(fake.replays(LEADS)).toEqual([-1, lead]);
    expect(fake.replays(CONTACTS)).toEqual([-1, contact]);
  });

  it('says good-bye when it is stopped, and is silent from then on', async () => {
    const follower = await follow();
    await until(() => expect(fake.count('/meta/connect')).toBeGreaterThan(1));
    await follower.stop();
    expect(fake.count('/meta/disconnect')).toBe(1);
    const messages = fake.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(fake.messages.length).toBe(messages);
  });

  it('takes no more than it may, and goes on from the last one taken when it was flooded', async () => {
    const follower = await follow([LEADS], { maxWaitingIds: 20 });
    const gate = Promise.withResolvers<void>();
    follower.gate = gate.promise;
    const headers = Array.from({ length: 60 }, (_, index) => header(index));
    const ids = fake.push(LEADS, header(-1), ...headers);
    await until(() => expect(fake.count('/meta/connect')).toBeGreaterThan(1));
    gate.resolve();
    await until(() => expect(replayIdsOf(follower).at(-1)).toBe(ids.at(-1)));
    expect(replayIdsOf(follower)).toEqual(ids);
    expect(follower.failures.map(({ failure }) => failure)).toContain('overflow');
  });
});

/** Each row: a fault of facts/salesforce.md §1.10 to §1.12, by which meta channel it comes, and what it must be taken for. */
const faults: ReadonlyArray<
  readonly [string, string, (message: FakeMessage) => unknown, StreamEnd['failure'], number]
> = [
  ['a forgotten client', '/meta/connect', (m) => fake.unknownClient(m), 'unknown-client', 1],
  [
    'an old server forgetting',
    '/meta/connect',
    (m) => ({ ...m, error: '402::Unknown client', successful: false, advice: { reconnect: 'handshake' } }),
    'unknown-client',
    1,
  ],
  ['a forgotten client at the subscription', '/meta/subscribe', (m) => fake.unknownClient(m), 'unknown-client', 1],
  [
    'a refused token on connect',
    '/meta/connect',
    (m) => ({ ...m, error: '401::Authentication invalid', successful: false, advice: { reconnect: 'none' } }),
    'session',
    2,
  ],
  [
    'a refused token at the handshake',
    '/meta/handshake',
    (m) => ({
      ...m,
      error: '403::Handshake denied',
      successful: false,
      advice: { reconnect: 'none' },
      ext: { sfdc: { failureReason: '401::Authentication invalid' } },
    }),
    'session',
    2,
  ],
  [
    'a busy server disguised as a refused token',
    '/meta/connect',
    (m) => ({
      ...m,
      error: '401::Authentication invalid',
      successful: false,
      advice: { reconnect: 'none' },
      ext: { sfdc: { failureReason: '503::Server is too busy.' } },
    }),
    'busy',
    1,
  ],
  [
    'a busy server at the handshake',
    '/meta/handshake',
    (m) => ({
      ...m,
      error: '403::Handshake denied',
      successful: false,
      advice: { reconnect: 'none' },
      ext: { sfdc: { failureReason: '403::Organization concurrent user limit exceeded' } },
    }),
    'busy',
    1,
  ],
  [
    'the allowance',
    '/meta/connect',
    (m) => ({
      ...m,
      error: '403::Organization total events daily limit exceeded',
      successful: false,
      advice: { reconnect: 'none' },
    }),
    'limit',
    1,
  ],
  [
    'a handshake refused without advice',
    '/meta/handshake',
    (m) => ({ ...m, error: '403::Handshake denied', successful: false }),
    'access',
    1,
  ],
  [
    'HTTP 401 in REST form',
    '/meta/connect',
    () => ({ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }),
    'session',
    2,
  ],
  ['JSON that is no message', '/meta/connect', () => ({ hello: 'world' }), 'malformed', 1],
  ['JSON that is not even an object', '/meta/connect', () => 'hello', 'malformed', 1],
];

describe('a stream that dies', () => {
  it.each(faults)('survives %s', async (_what, channel, answer, failure, tokens) => {
    const skip = channel === '/meta/connect' ? 1 : 0;
    fake.script = once(channel, (message, response) => json(response, 200, [answer(message)]), skip);
    running = start([LEADS]);
    const follower = running;
    await until(() => expect(follower.failures.map((end) => end.failure)).toEqual([failure]));
    await until(() => expect(follower.subscribed.length).toBeGreaterThan(0));
    await until(() => expect(fake.count('/meta/connect')).toBeGreaterThan(2));
    const ids = fake.push(LEADS, header(1), header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual(ids));
    expect(fake.tokens).toBe(tokens);
    expect(follower.failures).toHaveLength(1);
  });

  it.each([
    ['a connect that hangs past the hold', '/meta/connect', 1, 2],
    ['a handshake that hangs', '/meta/handshake', 0, 1],
    ['a subscription that hangs', '/meta/subscribe', 0, 1],
  ])('gives up %s', async (_what, channel, skip, subscriptions) => {
    fake.script = once(channel, () => undefined, skip);
    running = start([LEADS]);
    const follower = running;
    await until(() => expect(follower.failures.map(({ failure }) => failure)).toEqual(['silent']));
    await until(() => expect(follower.subscribed).toHaveLength(subscriptions));
    const ids = fake.push(LEADS, header(1));
    await until(() => expect(replayIdsOf(follower)).toEqual(ids));
  });

  it('gives up HTML answers that faye would repeat for ever, and resumes where it was', async () => {
    const follower = await follow();
    const before = fake.push(LEADS, header(1));
    await until(() => expect(replayIdsOf(follower)).toEqual(before));
    fake.script = (_message, response) => {
      response.writeHead(503, { 'content-type': 'text/html' }).end('<html>We are down for maintenance</html>');
      return true;
    };
    await until(() => expect(follower.failures.map(({ failure }) => failure)).toContain('transport'));
    const during = fake.push(LEADS, header(2));
    fake.script = () => false;
    await until(() => expect(replayIdsOf(follower)).toEqual([...before, ...during]));
  });

  it('gets events again whose answer broke off, though the server counts them as delivered', async () => {
    const follower = await follow();
    const before = fake.push(LEADS, header(0));
    await until(() => expect(replayIdsOf(follower)).toEqual(before));
    fake.cutNext = true;
    const ids = fake.push(LEADS, header(1), header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual([...before, ...ids]));
    expect(fake.replays(LEADS)).toEqual([-1, before[0]]);
    expect(follower.failures.map(({ failure }) => failure)).toEqual(['transport']);
  });

  it('survives an event that is no event', async () => {
    const follower = await follow();
    fake.log.push(
      { channel: LEADS, replayId: 1, data: null },
      { channel: LEADS, replayId: 2, data: { payload: 'x', event: { replayId: 2 ** 60 } } },
    );
    fake.flush();
    const ids = fake.push(LEADS, header(1));
    await until(() => expect(follower.events).toHaveLength(3));
    expect(follower.events.map(({ replayId }) => replayId)).toEqual([null, null, String(ids[0])]);
    expect(follower.failures).toEqual([]);
  });

  it('renews the session when a token is revoked in the middle, and loses nothing', async () => {
    const follower = await follow();
    const before = fake.push(LEADS, header(1));
    await until(() => expect(replayIdsOf(follower)).toEqual(before));
    fake.refusedTokens.add('token-1');
    const during = fake.push(LEADS, header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual(expect.arrayContaining([...before, ...during])));
    await until(() => expect(fake.messages.at(-1)?.token).toBe('token-2'));
    expect(follower.failures.map(({ failure }) => failure)).toEqual(['session']);
  });
});

describe('a channel that is refused', () => {
  it('starts over with all retained events when its position is too old, and says so once', async () => {
    fake.push(LEADS, header(1), header(2));
    const follower = start([LEADS, CONTACTS]);
    running = follower;
    follower.positions.set(LEADS, { after: '5' });
    await until(() => expect(replayIdsOf(follower)).toEqual([100, 103]));
    expect(follower.refusals).toEqual([[LEADS, 'replay-id']]);
    expect(fake.replays(LEADS)).toEqual([5, -2]);
    expect(fake.replays(CONTACTS)).toEqual([-1]);
    expect(follower.failures).toEqual([]);
  });

  it('is told after a re-handshake too, where faye keeps silent', async () => {
    const follower = await follow();
    const before = fake.push(LEADS, header(1));
    await until(() => expect(replayIdsOf(follower)).toEqual(before));
    fake.push(LEADS);
    fake.retainedFrom = 1;
    fake.forgetClients();
    const after = fake.push(LEADS, header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual([...before, ...after]));
    expect(follower.refusals).toEqual([[LEADS, 'replay-id']]);
  });

  it.each([
    ['403::Restricted channel', 'permission'],
    ['400::The channel you requested to subscribe to does not exist {x}', 'no-channel'],
    ['418::Teapot', 'unknown'],
  ] as const)('is probed, and does not stop the others: %s', async (error, refusal) => {
    let refusing = true;
    fake.script = (message, response) => {
      if (!refusing || message.subscription !== CONTACTS) return false;
      json(response, 200, [{ ...message, successful: false, error }]);
      return true;
    };
    const follower = start([LEADS, CONTACTS]);
    running = follower;
    await until(() => expect(follower.refusals.length).toBeGreaterThan(1));
    expect(follower.refusals[0]).toEqual([CONTACTS, refusal]);
    const lead = fake.push(LEADS, header(1));
    await until(() => expect(replayIdsOf(follower)).toEqual(lead));
    refusing = false;
    await until(() => expect(follower.subscribed).toContain(CONTACTS));
    const contact = fake.push(CONTACTS, header(2));
    await until(() => expect(replayIdsOf(follower)).toEqual([...lead, ...contact]));
    expect(follower.failures).toEqual([]);
    expect(fake.count('/meta/handshake')).toBe(1);
  });
});

describe('the supervisor', () => {
  it('waits and tries again when no session is to be had', async () => {
    const healthy = fake.http.answer;
    fake.http.answer = (_request, response) => json(response, 400, { error: 'invalid_client', error_description: 'x' });
    const follower = start([LEADS]);
    running = follower;
    await until(() => expect(follower.failures.length).toBeGreaterThan(1));
    expect(follower.failures[0]?.failure).toBe('access');
    fake.http.answer = healthy;
    await until(() => expect(follower.subscribed).toEqual([LEADS]));
  });

  it('leaves no request and no timer of a dead client behind', async () => {
    fake.script = (message, response) => {
      if (message.channel !== '/meta/handshake') return false;
      json(response, 200, [{ ...message, successful: false, error: '403::Handshake denied' }]);
      return true;
    };
    const follower = start([LEADS]);
    running = follower;
    await until(() => expect(follower.failures.length).toBeGreaterThan(2));
    await follower.stop();
    const messages = fake.messages.length;
    // faye would shake hands again 5 s after each refusal
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    expect(fake.messages.length).toBe(messages);
  });
});
