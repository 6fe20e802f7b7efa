import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import PubSubApiClient, { type SubscribeCallback } from 'salesforce-pubsub-api-client';
import { openTestOrg, type TestOrg } from '../testing/test-org.js';
import { selfSigned } from '../testing/certificate.js';

interface Received {
  readonly replayId: number;
  readonly payload: Record<string, unknown> & { ChangeEventHeader: Record<string, unknown> };
}

const quiet = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn(), log: vi.fn() } as unknown as Console;
const LEADS = '/data/LeadChangeEvent';

let org: TestOrg;
let clients: PubSubApiClient[];
let events: Received[];
let failures: number;
const collect: SubscribeCallback = (_, type, data) => {
  if (type === 'event') events.push(data as Received);
  if (type === 'error') failures += 1;
};

beforeEach(async () => {
  [clients, events, failures] = [[], [], 0];
  org = await openTestOrg({ pubsub: { port: 0, tls: selfSigned() } });
});
afterEach(async () => {
  // It stops listening before it hangs up: an error after that would be nobody's.
  const streams = org.sandbox.dropPubSubStreams();
  await vi.waitFor(() => expect(failures).toBeGreaterThanOrEqual(streams));
  for (const client of clients) client.close();
  await org.close();
});

/** It speaks TLS only, and logs in by client credentials at the org's HTTP port. */
async function connected(): Promise<PubSubApiClient> {
  const client = new PubSubApiClient(
    {
      authType: 'oauth-client-credentials',
      loginUrl: org.url,
      clientId: 'sandbox',
      clientSecret: 'sandbox',
      pubSubEndpoint: org.pubsub,
      rejectUnauthorizedSsl: false,
    },
    quiet,
  );
  clients.push(client);
  await client.connect();
  return client;
}

const subscribed = () => vi.waitFor(() => expect(org.sandbox.stats().pubsub?.subscriptions).toBe(1));

describe('salesforce-pubsub-api-client, over TLS', () => {
  it('receives and decodes changes, with the names behind the bitmaps', async () => {
    (await connected()).subscribe(LEADS, collect);
    await subscribed();
    const [id = ''] = org.sandbox.records.create('Lead', [{ LastName: 'Byron', Company: 'Engines', City: 'London' }]);
    org.sandbox.records.update('Lead', [{ Id: id, FirstName: 'Ada', City: null, Status: 'Working - Contacted' }]);
    org.sandbox.records.remove('Lead', [id]);
    await vi.waitFor(() => expect(events).toHaveLength(3));
    const [created, updated, deleted] = events;
    expect(created?.payload).toMatchObject({
      Company: 'Engines',
      Name: { LastName: 'Byron' },
      ChangeEventHeader: { entityName: 'Lead', recordIds: [id], changeType: 'CREATE' },
    });
    expect(updated?.payload.ChangeEventHeader).toMatchObject({
      changeType: 'UPDATE',
      changedFields: ['Status', 'LastModifiedDate', 'Name.FirstName', 'Address.City'],
    });
    // It overlooks a set that consists of parts of one compound only, here Address.City.
    expect(updated?.payload.ChangeEventHeader['nulledFields']).toEqual([]);
    expect(deleted?.payload.ChangeEventHeader).toMatchObject({ changeType: 'DELETE' });
  });

  it('goes through more events than one credit, in order, and resumes from a replay id', async () => {
    for (let n = 0; n < 250; n += 1) org.sandbox.records.create('Lead', [{ LastName: `L${n}`, Company: 'Acme' }]);
    (await connected()).subscribeFromEarliestEvent(LEADS, collect);
    await vi.waitFor(() => expect(events).toHaveLength(250));
    const ids = events.map((one) => one.replayId);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));

    events = [];
    (await connected()).subscribeFromReplayId(LEADS, collect, 40, ids[199] ?? 0);
    await vi.waitFor(() => expect(events).toHaveLength(40));
    expect(events.map((one) => one.replayId)).toEqual(ids.slice(200, 240));
  });

  it('is told when its replay id has expired', async () => {
    org.sandbox.records.create('Lead', [{ LastName: 'Old', Company: 'Acme' }]);
    const { newestReplayId } = org.sandbox.stats().events;
    org.clock.advance(80 * 3_600);
    (await connected()).subscribeFromReplayId(LEADS, collect, 10, newestReplayId);
    await vi.waitFor(() => expect(failures).toBe(1));
    expect(events).toEqual([]);
  });
});
