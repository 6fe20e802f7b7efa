import { status } from '@grpc/grpc-js';
import type { SalesforceSettings } from '@libs/config';
import { createMetrics } from '@libs/observability';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Follower } from '../../../test/follower.js';
import { leadPayload, PubSubFake, refusal, replayIdOf, type FakeSubscription } from '../../../test/pubsub-fake.js';
import { createSend } from '../../rest/http.js';
import { createSessions } from '../../rest/session.js';
import { openPubSubStream, type PubSubOptions } from './pubsub-stream.js';
import { SchemaCache } from './schema-cache.js';

const LEADS = '/data/LeadChangeEvent';
const CONTACTS = '/data/ContactChangeEvent';
/** Everything a hundred times faster than Salesforce. */
const timings = { answerMs: 1_000, silenceMs: 600, settleMs: 30, probeMs: 200, tickMs: 20 };

let fake: PubSubFake;
let running: Follower | undefined;

beforeEach(async () => {
  fake = await PubSubFake.start();
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  await fake.stop();
});

function start(channels: readonly string[] = [LEADS], options: PubSubOptions = {}): Follower {
  const settings: SalesforceSettings = {
    SALESFORCE_LOGIN_URL: fake.http.url,
    SALESFORCE_AUTH: 'client-credentials',
    SALESFORCE_CLIENT_ID: 'id',
    SALESFORCE_CLIENT_SECRET: 'secret',
    SALESFORCE_API_VERSION: '67.0',
  };
  const parts = {
    endpoint: { address: fake.address, plainText: true },
    sessions: createSessions(settings, createSend(createMetrics())),
    schemas: new SchemaCache({ delaysMs: [5, 5], forgetMs: 60_000 }),
  };
  const own = { ...options, timings: { ...timings, ...options.timings } };
  running = new Follower((observer) => openPubSubStream(parts, channels, observer, own));
  return running;
}

const until = (check: () => void) => vi.waitFor(check, { timeout: 8_000, interval: 5 });

async function follow(channels: readonly string[] = [LEADS], options: PubSubOptions = {}): Promise<Follower> {
  const follower = start(channels, options);
  await until(() => {
    for (const channel of channels) expect(fake.on(channel).credit).toBe(100);
  });
  return follower;
}

const lead = (id: string, schemaId = 'lead-1') => ({ schemaId, payload: leadPayload({ recordIds: [id] }) });
const leads = (count: number, from = 0) => Array.from({ length: count }, (_, n) => lead(`id-${from + n}`));
const replayIds = ({ events }: Follower) => events.map(({ replayId }) => replayId);
const recordIds = ({ events }: Follower) =>
  events.flatMap(({ header }) => (header as { recordIds?: string[] } | undefined)?.recordIds ?? ['?']);

/** Acts on a request once, after `skip` of them. */
function once(act: (subscription: FakeSubscription) => void, skip = 0) {
  let left = skip;
  let struck = false;
  return (subscription: FakeSubscription): boolean => {
    if (struck || (left -= 1) >= 0) return false;
    struck = true;
    act(subscription);
    return true;
  };
}

describe('a stream that works', () => {
  it('tells who calls, delivers events in order without field values, and begins with new ones', async () => {
    fake.push(LEADS, lead('old'));
    const follower = await follow();
    const ids = fake.push(LEADS, ...leads(3));
    await until(() => expect(replayIds(follower)).toEqual(ids));
    expect(follower.events[0]).toEqual({
      channel: LEADS,
      replayId: ids[0],
      header: expect.objectContaining({ entityName: 'Lead', recordIds: ['id-0'], changeType: 'UPDATE' }),
    });
    expect(fake.metadata[0]).toMatchObject({
      accesstoken: 'token-1',
      instanceurl: fake.http.url,
      tenantid: '00D5f000003XYZaEAO',
    });
    expect(fake.on(LEADS).requests[0]).toMatchObject({ replayPreset: 'LATEST', numRequested: 50 });
    expect(fake.asked).toEqual([LEADS, 'lead-1']);
    expect(follower.subscribed).toEqual([LEADS]);
    expect(follower.alive).toBeGreaterThan(0);
  });

  it('says that a channel is subscribed when nothing is said against it', async () => {
    const follower = start([LEADS, CONTACTS]);
    follower.positions.set(LEADS, { after: replayIdOf(0).toString('base64') });
    await until(() => expect(follower.subscribed.toSorted()).toEqual([CONTACTS, LEADS]));
    expect(follower.alive).toBe(0);
  });

  it('resumes each channel from its own position, byte for byte', async () => {
    const follower = await follow([LEADS, CONTACTS]);
    const [first] = fake.push(LEADS, lead('1'));
    const [second] = fake.push(CONTACTS, lead('2'));
    await until(() => expect(new Set(replayIds(follower))).toEqual(new Set([first, second])));
    fake.on(LEADS).fail(refusal(status.UNAVAILABLE, ''));
    await until(() => expect(fake.subscriptions.length).toBe(4));
    await until(() => {
      const asked = [LEADS, CONTACTS].map((topic) => fake.on(topic).requests[0]);
      expect(asked.map((request) => request?.replayPreset)).toEqual(['CUSTOM', 'CUSTOM']);
      expect(asked.map((request) => request?.replayId?.toString('base64'))).toEqual([first, second]);
    });
    fake.push(LEADS, lead('3'));
    await until(() => expect(recordIds(follower)).toContain('3'));
    expect(recordIds(follower).length).toBe(3);
    expect(follower.failures.map(({ failure }) => failure)).toEqual(['transport']);
  });

  it('asks again before its credit is used up, and never for more than 100', async () => {
    const follower = await follow();
    fake.push(LEADS, ...leads(1_000));
    await until(() => expect(follower.events.length).toBe(1_000));
    expect(recordIds(follower)).toEqual(leads(1_000).map((_, n) => `id-${n}`));
    expect(fake.mostCredit).toBeLessThanOrEqual(100);
    const later = () => fake.on(LEADS).requests.slice(1);
    await until(() => expect(later().length).toBeGreaterThanOrEqual(20)); // the last may still be on its way
    for (const { numRequested } of later()) expect(numRequested).toBe(50);
  });

  it('keeps the order while a schema is fetched, and fetches each schema until it has it, once', async () => {
    const follower = await follow();
    const fine = fake.schema;
    // The first answer is late: found at the second asking
    fake.schema = (request) => {
      fake.schema = fine;
      return refusal(status.NOT_FOUND, `schema.notfound.${request.schemaId}`);
    };
    fake.push(LEADS, lead('a', 'slow'), lead('b', 'slow'));
    fake.push(LEADS, lead('c', 'slow'), lead('d', 'other'), lead('e', 'slow'));
    await until(() => expect(recordIds(follower)).toEqual(['a', 'b', 'c', 'd', 'e']));
    expect(fake.asked.filter((id) => id !== LEADS)).toEqual(['slow', 'slow', 'other']);
  });

  it('moves the position by empty responses, behind the events of before', async () => {
    const follower = await follow();
    const [id] = fake.push(LEADS, lead('1'));
    fake.on(LEADS).keepAlive(40);
    await until(() => expect(follower.events.length).toBe(2));
    const place = replayIdOf(40).toString('base64');
    expect(follower.events.map(({ replayId, kind }) => [replayId, kind])).toEqual([
      [id, undefined],
      [place, 'position'],
    ]);
    fake.on(LEADS).fail(refusal(status.INTERNAL, ''));
    await until(() => expect(fake.subscriptions.length).toBe(2));
    await until(() => expect(fake.on(LEADS).requests[0]?.replayId?.toString('base64')).toBe(place));
  });
});

describe('a slow taker', () => {
  it('stops the server, and nothing is lost or kept beyond the bound', async () => {
    const gate = Promise.withResolvers<void>();
    const follower = start([LEADS], { maxWaiting: 200, timings: { silenceMs: 60_000 } });
    follower.gate = gate.promise;
    await until(() => expect(fake.on(LEADS).credit).toBe(100));
    fake.push(LEADS, ...leads(2_000));
    await until(() => expect(fake.on(LEADS).credit).toBe(0));
    // Each event weighs two: itself and its record
    const sent = fake.on(LEADS).next;
    expect(sent).toBeLessThanOrEqual(200);
    gate.resolve();
    await until(() => expect(follower.events.length).toBe(2_000));
    expect(recordIds(follower)).toEqual(leads(2_000).map((_, n) => `id-${n}`));
    expect(follower.failures).toEqual([]);
  });

  it('that is so slow that the server ends the call gets the rest from a new one', async () => {
    const gate = Promise.withResolvers<void>();
    const follower = start([LEADS], { maxWaiting: 20 });
    follower.gate = gate.promise;
    await until(() => expect(fake.on(LEADS).credit).toBe(100));
    fake.push(LEADS, ...leads(300));
    await until(() => expect(fake.on(LEADS).credit).toBe(0));
    // Silence without credit is not held against the server
    await new Promise((resolve) => setTimeout(resolve, timings.silenceMs + 100));
    fake.on(LEADS).call.end();
    await until(() => expect(follower.stream?.end).toMatchObject({ failure: 'overflow' }));
    gate.resolve();
    await until(() => expect(follower.events.length).toBe(300));
    expect(recordIds(follower)).toEqual(leads(300).map((_, n) => `id-${n}`));
    expect(follower.failures.map(({ failure }) => failure)).toEqual(['overflow']);
  });
});

describe('a stream that dies', () => {
  it.each([
    [status.UNAUTHENTICATED, 'service.auth.error', 'session'],
    [status.UNAUTHENTICATED, 'service.auth.refresh.invalid', 'session'],
    [status.UNAVAILABLE, 'service.unavailable', 'transport'],
    [status.INTERNAL, '', 'transport'],
    [status.RESOURCE_EXHAUSTED, 'subscription.limit.exceeded', 'limit'],
    [status.INVALID_ARGUMENT, 'subscription.fetch.requested.events.invalid', 'unknown'],
  ])('of %i %s goes on where it was', async (code, errorCode, failure) => {
    const follower = await follow();
    const before = fake.push(LEADS, lead('1'));
    await until(() => expect(replayIds(follower)).toEqual(before));
    fake.on(LEADS).fail(refusal(code, errorCode));
    const after = fake.push(LEADS, lead('2'), lead('3'));
    await until(() => expect(replayIds(follower)).toEqual([...before, ...after]));
    expect(follower.failures.map((end) => end.failure)).toEqual([failure]);
    expect(fake.on(LEADS).token).toBe(failure === 'session' ? 'token-2' : 'token-1');
  });

  it('is one for all its channels', async () => {
    const follower = await follow([LEADS, CONTACTS]);
    const before = [...fake.push(LEADS, lead('1')), ...fake.push(CONTACTS, lead('2'))];
    await until(() => expect(new Set(replayIds(follower))).toEqual(new Set(before)));
    const old = fake.on(CONTACTS);
    fake.on(LEADS).fail(refusal(status.UNAVAILABLE, ''));
    await until(() => expect(old.over).toBe(true));
    await until(() => expect(fake.on(CONTACTS)).not.toBe(old));
  });

  it('is given up when it says nothing for too long, however it looks', async () => {
    const follower = await follow();
    const began = Date.now();
    await until(() => expect(follower.failures.length).toBe(1));
    expect(follower.failures[0]).toMatchObject({ failure: 'silent', detail: `nothing from ${LEADS} in time` });
    expect(Date.now() - began).toBeLessThan(timings.silenceMs * 3);
  });

  it('lives as long as it is answered, with events or without', async () => {
    const follower = await follow();
    for (let n = 0; n < 6; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, timings.silenceMs / 3));
      fake.on(LEADS).keepAlive();
    }
    expect(follower.failures).toEqual([]);
  });

  it.each([
    ['the question about a topic', () => (fake.topic = () => refusal(status.UNAVAILABLE, ''))],
    ['the question about a schema', () => (fake.schema = () => refusal(status.UNAVAILABLE, ''))],
  ])('by a failure of %s loses nothing', async (_what, breaks) => {
    const { topic, schema } = fake;
    const follower = await follow();
    breaks();
    fake.on(LEADS).fail(refusal(status.UNAVAILABLE, ''));
    const [id] = fake.push(LEADS, lead('1'));
    await until(() => expect(follower.failures.length).toBeGreaterThan(2));
    expect(follower.events).toEqual([]);
    follower.positions.set(LEADS, 'all');
    Object.assign(fake, { topic, schema });
    await until(() => expect(replayIds(follower)).toEqual([id]));
  });

  it('is paced as a failing one until every channel has been answered', async () => {
    const follower = start([LEADS, CONTACTS]);
    fake.script = (subscription) => {
      if (subscription.topic === CONTACTS) subscription.fail(refusal(status.INTERNAL, ''));
      else subscription.keepAlive();
      return true;
    };
    await until(() => expect(follower.attempts.length).toBeGreaterThan(3));
    expect(follower.attempts.slice(0, 4)).toEqual([1, 2, 3, 4]);
    fake.script = (subscription) => {
      subscription.keepAlive();
      return true;
    };
    const failures = follower.attempts.length;
    await until(() => expect(follower.stream).toMatchObject({ worked: true, end: null }));
    fake.on(LEADS).fail(refusal(status.INTERNAL, ''));
    await until(() => expect(follower.attempts.length).toBeGreaterThan(failures));
    expect(follower.attempts.at(-1)).toBe(1);
  });
});

describe('a channel that is refused', () => {
  it.each(['corrupted', 'validation.failed'])('begins anew when its replay id is %s', async (reason) => {
    fake.push(LEADS, lead('1'));
    const follower = start();
    follower.positions.set(LEADS, { after: replayIdOf(999).toString('base64') });
    fake.script = once((subscription) =>
      subscription.fail(refusal(status.INVALID_ARGUMENT, `subscription.fetch.replayid.${reason}`)),
    );
    await until(() => expect(recordIds(follower)).toEqual(['1']));
    expect(follower.refusals).toEqual([[LEADS, 'replay-id']]);
    expect(fake.subscriptions.map(({ requests }) => requests[0]?.replayPreset)).toEqual(['CUSTOM', 'EARLIEST']);
    expect(follower.failures).toEqual([]);
  });

  it('does not ask for ever with replay ids that are refused', async () => {
    fake.script = (subscription) => {
      subscription.fail(refusal(status.INVALID_ARGUMENT, 'subscription.fetch.replayid.corrupted'));
      return true;
    };
    const follower = start([LEADS], { timings: { probeMs: 60_000 } });
    await until(() => expect(follower.refusals.length).toBe(2));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(follower.refusals.length).toBe(2);
  });

  it.each([
    ['does not exist', () => refusal(status.NOT_FOUND, 'subscription.topic.notfound'), 'no-channel'],
    ['may not be seen', () => refusal(status.PERMISSION_DENIED, ''), 'permission'],
    ['cannot be subscribed', (topicName: string) => ({ topicName, canSubscribe: false }), 'permission'],
  ] as const)('because it %s is probed, and does not stop the others', async (_what, answer, expected) => {
    const fine = fake.topic;
    fake.topic = (request) => (request.topicName === CONTACTS ? answer(CONTACTS) : fine(request));
    const follower = start([LEADS, CONTACTS]);
    await until(() => expect(follower.refusals.length).toBeGreaterThan(1));
    expect(new Set(follower.refusals.map(([channel, refused]) => `${channel} ${refused}`))).toEqual(
      new Set([`${CONTACTS} ${expected}`]),
    );
    fake.push(LEADS, lead('1'));
    await until(() => expect(recordIds(follower)).toEqual(['1']));
    fake.topic = fine;
    await until(() => expect(follower.subscribed).toContain(CONTACTS));
    fake.push(CONTACTS, lead('2'));
    await until(() => expect(recordIds(follower)).toEqual(['1', '2']));
    expect(follower.failures).toEqual([]);
  });
});

describe('an event that cannot be read', () => {
  it.each([
    ['of an unknown schema', () => lead('x', 'unknown')],
    ['of broken bytes', () => ({ schemaId: 'lead-1', payload: Buffer.from('no Avro') })],
  ])('%s is told as one, in its place', async (_what, bad) => {
    const fine = fake.schema;
    fake.schema = (request) =>
      request.schemaId === 'unknown' ? refusal(status.NOT_FOUND, 'schema.notfound') : fine(request);
    const follower = await follow();
    const ids = fake.push(LEADS, lead('1'), bad(), lead('2'));
    await until(() => expect(replayIds(follower)).toEqual(ids));
    expect(recordIds(follower)).toEqual(['1', '?', '2']);
    expect(follower.failures).toEqual([]);
  });
});

describe('an end', () => {
  it('leaves no call behind', async () => {
    const follower = await follow([LEADS, CONTACTS]);
    await follower.stop();
    await until(() => expect(fake.subscriptions.every(({ over }) => over)).toBe(true));
  });
});
