import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.js';
import { classifyBayeux } from './bayeux.js';
import { EventQueue } from './event-queue.js';

const denied = {
  channel: '/meta/handshake',
  error: '403::Handshake denied',
  successful: false,
  advice: { reconnect: 'none' },
};
const because = (failureReason: string) => ({ ...denied, ext: { sfdc: { failureReason }, replay: true } });
const onConnect = (error: string, reconnect?: string) => ({
  channel: '/meta/connect',
  id: '7',
  error,
  successful: false,
  ...(reconnect === undefined ? {} : { advice: { reconnect, interval: 0 } }),
});
const onSubscribe = (error: string) => ({
  channel: '/meta/subscribe',
  id: '3',
  subscription: '/data/LeadChangeEvent',
  error,
  successful: false,
});

describe('classifyBayeux', () => {
  it.each([
    ['a token refused on connect', onConnect('401::Authentication invalid', 'none'), 'session'],
    ['a token refused on handshake', because('401::Authentication invalid'), 'session'],
    ['a header missing', because('401::Request requires authentication'), 'session'],
    [
      'a forgotten client, as printed',
      { error: '403::Unknown client', successful: false, advice: { reconnect: 'handshake' } },
      'unknown-client',
    ],
    ['a forgotten client on subscribe', onSubscribe('403::Unknown client'), 'unknown-client'],
    ['an old server', onConnect('402::Unknown client', 'handshake'), 'unknown-client'],
    [
      'lost cookies',
      onConnect('400::Client abc has established a session, but no BAYEUX_BROWSER cookie present'),
      'unknown-client',
    ],
    ['advice alone', onConnect('400::Something', 'handshake'), 'unknown-client'],
    [
      'advice on a success',
      { channel: '/meta/connect', successful: true, advice: { reconnect: 'handshake' } },
      'unknown-client',
    ],
    [
      'a dead end on a success',
      { channel: '/meta/connect', successful: true, advice: { reconnect: 'none' } },
      'unknown',
    ],
    [
      'too many connections',
      because(
        '403::To protect all customers from excessive use and Denial of Service attacks, we limit the number of simultaneous connections per server.',
      ),
      'busy',
    ],
    ['too many users', because('403::Organization concurrent user limit exceeded'), 'busy'],
    [
      'a busy server disguised as a refused token',
      {
        ...onConnect('401::Authentication invalid', 'none'),
        ext: { sfdc: { failureReason: '503::Server is too busy.  Please try your request again later.' } },
      },
      'busy',
    ],
    ['the allowance on connect', onConnect('403::Organization total events daily limit exceeded', 'none'), 'limit'],
    ['the allowance on subscribe', onSubscribe('403::Organization total events daily limit exceeded'), 'limit'],
    ['a handshake denied by policy', because('403::denied_by_security_policy:create_denied'), 'access'],
    ['a handshake denied without a reason', denied, 'access'],
    ['a wrong connection type', onConnect('400::Invalid connection type'), 'unknown'],
    ['no reason at all', { channel: '/meta/connect', successful: false }, 'unknown'],
    ['HTTP 401 in JSON', { message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }, 'session'],
    ['HTTP 503 in JSON', { message: 'x', errorCode: 'SERVER_UNAVAILABLE' }, 'busy'],
    ['HTTP 403 in JSON', { message: 'x', errorCode: 'REQUEST_LIMIT_EXCEEDED' }, 'limit'],
    ['some other JSON', { message: 'x', errorCode: 'NOT_FOUND' }, 'malformed'],
    ['an empty object', {}, 'malformed'],
    ['text', 'hello', 'malformed'],
    ['a list in a list', [], 'malformed'],
    ['nothing', null, 'malformed'],
  ])('client: %s', (_what, message, failure) => {
    expect(classifyBayeux(message)).toMatchObject({ scope: 'client', failure });
  });

  it.each([
    [
      'an expired replay id',
      '400::The replayId {5} you provided was invalid.  Please provide a valid ID, -2 to replay all events, or -1 to replay only new events.',
      'replay-id',
    ],
    [
      'an unknown channel',
      '400::The channel you requested to subscribe to does not exist {/data/XChangeEvent}',
      'no-channel',
    ],
    ['no View All Data', '403::User not allowed to subscribe CDC without View All Data permissions', 'permission'],
    ['a restricted channel', '403::Restricted channel', 'permission'],
    ['a channel that cannot be made', '403::Cannot create channel {/data/XChangeEvent}', 'permission'],
    ['a policy', '403::denied_by_security_policy:create_denied', 'permission'],
    ['something new', '418::Teapot', 'unknown'],
    ['nothing', '', 'unknown'],
  ])('channel: %s', (_what, error, refusal) => {
    expect(classifyBayeux(onSubscribe(error))).toMatchObject({ scope: 'channel', refusal });
  });

  it.each([
    [
      'a good connect',
      { channel: '/meta/connect', id: '2', successful: true, advice: { reconnect: 'retry', timeout: 110_000 } },
    ],
    ['an event', { channel: '/data/LeadChangeEvent', data: {} }],
    ['a good-bye that came too late', { channel: '/meta/disconnect', successful: false, error: '403::Unknown client' }],
  ])('nothing amiss: %s', (_what, message) => {
    expect(classifyBayeux(message)).toBeNull();
  });

  it('cuts what the server says', () => {
    expect(classifyBayeux(onConnect(`500::${'x'.repeat(5_000)}`))?.detail.length).toBeLessThan(250);
  });
});

describe('backoffMs', () => {
  it.each([
    ['unknown-client', [0, 1_000, 2_000, 4_000]],
    ['transport', [0, 1_000, 2_000, 4_000]],
    ['malformed', [1_000, 2_000, 4_000, 8_000]],
    ['busy', [60_000, 120_000, 240_000, 480_000]],
    ['limit', [300_000, 300_000, 600_000, 900_000]],
  ] as const)('%s', (failure, expected) => {
    expect([1, 2, 3, 4].map((attempt) => backoffMs(failure, attempt, 0.999_999))).toEqual(expected);
    for (const attempt of [5, 50, 5_000]) expect(backoffMs(failure, attempt, 0.5)).toBeLessThanOrEqual(900_000);
  });

  it('spreads over the upper half', () => {
    expect([backoffMs('busy', 2, 0), backoffMs('busy', 2, 0.999_999)]).toEqual([60_000, 120_000]);
  });
});

describe('EventQueue', () => {
  const event = (replayId: string, ids = 0) => ({
    channel: '/c',
    replayId,
    header: { recordIds: Array.from({ length: ids }) },
  });

  it('gives what it has, in order, and waits for more', async () => {
    const queue = new EventQueue(100);
    for (const id of ['1', '2', '3']) queue.push(event(id));
    expect((await queue.take(2))?.map(({ replayId }) => replayId)).toEqual(['1', '2']);
    expect((await queue.take(2))?.map(({ replayId }) => replayId)).toEqual(['3']);
    const waiting = queue.take(2);
    queue.push(event('4'));
    expect((await waiting)?.map(({ replayId }) => replayId)).toEqual(['4']);
  });

  it('is full by the record ids it holds, and has room again when they are taken', async () => {
    const queue = new EventQueue(10);
    expect(queue.push(event('1', 5))).toBe(true);
    expect(queue.push(event('2', 5))).toBe(false);
    expect(queue.push(event('3', 3))).toBe(true);
    await queue.take(10);
    expect(queue.push(event('4', 50))).toBe(true);
    expect(queue.push(event('5'))).toBe(false);
  });

  it('ends after what it holds, or at once', async () => {
    const kept = new EventQueue(10);
    kept.push(event('1'));
    kept.end(false);
    expect(kept.push(event('2'))).toBe(false);
    expect(await kept.take(5)).toHaveLength(1);
    expect(await kept.take(5)).toBeNull();
    const dropped = new EventQueue(10);
    dropped.push(event('1'));
    dropped.end(true);
    expect(await dropped.take(5)).toBeNull();
    const waiting = new EventQueue(10);
    const next = waiting.take(5);
    waiting.end(false);
    expect(await next).toBeNull();
  });
});
