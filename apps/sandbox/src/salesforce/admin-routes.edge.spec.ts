import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { salesforceAdminPaths, salesforceAdminRoutes } from './admin-routes.js';
import { openTestOrg, type TestOrg } from './testing/test-org.js';

let org: TestOrg;
let admin: Server;
beforeEach(async () => {
  org = await openTestOrg();
  const app = express().use(express.json()).use('/salesforce', salesforceAdminRoutes(org.sandbox));
  admin = createServer(app);
  await new Promise<void>((resolve) => {
    admin.listen(0, '127.0.0.1', resolve);
  });
});
afterEach(async () => {
  await org.close();
  admin.closeAllConnections();
  admin.close();
});

async function post(path: string, body: unknown = {}) {
  const { port } = admin.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/salesforce${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, body: isJson ? await response.json() : null };
}

const createLead = () => org.sandbox.records.create('Lead', [{ LastName: 'Kim', Company: 'Acme' }])[0] ?? '';

describe('the admin routes of the org', () => {
  it('emit events', async () => {
    const event = { entity: 'Lead', changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] };
    expect(await post('/events', event)).toMatchObject({ status: 200, body: { replayId: expect.any(Number) } });
    expect(org.sandbox.stats().events.retained).toBe(1);
    expect(await post('/events', { ...event, entity: 'Foo' })).toEqual({
      status: 400,
      body: { error: 'the org has no object Foo' },
    });
  });

  it('restore and purge records', async () => {
    const id = createLead();
    org.sandbox.records.remove('Lead', [id]);
    expect(await post('/undelete', { object: 'Lead', ids: [id] })).toEqual({ status: 200, body: { undeleted: 1 } });
    expect((await post('/undelete', { object: 'Lead', ids: [id] })).status).toBe(400);
    expect(await post('/purge', { object: 'Lead', ids: [id] })).toEqual({ status: 200, body: { purged: 1 } });
    expect(org.sandbox.records.get('Lead', id)).toBeNull();
  });

  it('write records on behalf of a user or an API client', async () => {
    const { Id: userId } = (await org.query("SELECT Id FROM User WHERE Alias <> 'integ' LIMIT 1")).records[0] ?? {};
    const record = { LastName: 'Kim', Company: 'Acme' };
    const created = await post('/records', { kind: 'create', object: 'Lead', records: [record], userId });
    const [id] = (created.body as { ids: string[] }).ids;
    expect(await post('/records', { kind: 'update', object: 'Lead', records: [{ Id: id, Title: 'CEO' }] })).toEqual({
      status: 200,
      body: { updated: 1 },
    });
    expect(await org.query('SELECT Title, CreatedById FROM Lead')).toMatchObject({
      records: [{ Title: 'CEO', CreatedById: userId }],
    });
    expect(await post('/records', { kind: 'delete', object: 'Lead', ids: [id] })).toMatchObject({ status: 200 });
    expect((await post('/records', { kind: 'delete', object: 'Lead', ids: [id] })).status).toBe(400);
    expect((await post('/records', { kind: 'create', object: 'Foo', records: [record] })).status).toBe(400);
  });

  it('convert and merge', async () => {
    const [leadId, winner, loser] = [createLead(), createLead(), createLead()];
    expect(await post('/convert', { leadId, createOpportunity: false })).toMatchObject({
      status: 200,
      body: { leadId, contactId: expect.stringMatching(/^003/), opportunityId: null },
    });
    expect(await post('/convert', { leadId })).toEqual({
      status: 400,
      body: { error: 'cannot reference converted lead' },
    });
    expect(await post('/merge', { object: 'Lead', winner, losers: [loser], values: { Title: 'CEO' } })).toEqual({
      status: 200,
      body: { winner, merged: 1 },
    });
    expect((await post('/merge', { object: 'Lead', winner, losers: [loser] })).status).toBe(400);
    expect(org.sandbox.records.get('Lead', loser)).toMatchObject({ MasterRecordId: winner });
  });

  it('change many records at once, and raise storms', async () => {
    await org.sandbox.seed({ leads: 50 });
    expect(await post('/mass', { object: 'Lead', kind: 'update', count: 40, set: { Title: 'Boss' } })).toEqual({
      status: 200,
      body: { records: 40 },
    });
    expect(await post('/storm', { events: 120, records: 30 })).toMatchObject({
      status: 200,
      body: { events: 120, records: 30, seconds: expect.any(Number) },
    });
    expect(org.sandbox.stats().events.appended).toBe(121);
    expect((await post('/storm', { object: 'Contact', events: 1 })).status).toBe(400);
    expect((await post('/storm', { object: 'Contact', events: 1, background: true })).status).toBe(400);
    expect(await post('/storm', { events: 500, background: true })).toEqual({ status: 200, body: { started: true } });
    await vi.waitFor(() => expect(org.sandbox.stats().events.appended).toBe(621));
  });

  it('define channels and set limits', async () => {
    expect(await post('/channels', { name: 'New__chn', entities: ['Lead'] })).toEqual({
      status: 200,
      body: { channel: '/data/New__chn' },
    });
    expect((await post('/channels', { name: 'New__chn', entities: ['Foo'] })).status).toBe(400);
    await post('/limits', { deliveredEventsPerDay: 25_000 });
    expect(await org.call('GET', '/limits')).toMatchObject({
      body: { DailyDeliveredPlatformEvents: { Max: 25_000, Remaining: 25_000 } },
    });
  });

  it('hide fields', async () => {
    expect((await post('/fields', { object: 'Lead', field: 'Email', visible: false })).status).toBe(200);
    expect(await org.query('SELECT Email FROM Lead')).toMatchObject([{ errorCode: 'INVALID_FIELD' }]);
    expect((await post('/fields', { object: 'Lead', field: 'Foo', visible: false })).status).toBe(400);
  });

  it('take RSA keys only', async () => {
    const pemOf = (type: 'rsa' | 'ed25519') => {
      const pair =
        type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
      return pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
    };
    expect((await post('/jwt-keys', { publicKey: pemOf('rsa') })).status).toBe(200);
    expect((await post('/jwt-keys', { publicKey: pemOf('ed25519') })).status).toBe(400);
    expect((await post('/jwt-keys', { publicKey: '-----BEGIN nonsense' })).status).toBe(400);
  });

  it('end sessions and drop clients', async () => {
    await org.token();
    expect(await post('/sessions/revoke')).toEqual({ status: 200, body: { revoked: 1 } });
    expect(await post('/cometd/drop')).toEqual({ status: 200, body: { dropped: 0 } });
    expect(await post('/pubsub/drop')).toEqual({ status: 200, body: { dropped: 0 } });
  });

  it('start and stop traffic', async () => {
    expect(await post('/traffic', { perSecond: 2 })).toEqual({ status: 200, body: { perSecond: 2 } });
    expect(await post('/traffic', { perSecond: 0 })).toEqual({ status: 200, body: { perSecond: 0 } });
  });

  it('are all listed', async () => {
    for (const path of salesforceAdminPaths) {
      const { status } = await post(path.replace('POST /salesforce', ''), { unknown: 1 });
      expect({ path, isThere: status !== 404 }).toEqual({ path, isThere: true });
    }
  });
});
