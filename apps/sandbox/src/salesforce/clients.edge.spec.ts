import { CometD } from 'cometd';
import { adapt } from 'cometd-nodejs-client';
import { Client } from 'faye';
import { Connection } from 'jsforce';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openTestOrg, type TestOrg } from './testing/test-org.js';

let org: TestOrg;
afterEach(async () => {
  await org.close();
});

/** The part of a change event the specs look at. */
interface EventMessage {
  readonly data: {
    readonly payload: { readonly ChangeEventHeader: { readonly recordIds: string[]; readonly changeType: string } };
    readonly event: { readonly replayId: number };
  };
}

const idsOf = (messages: readonly EventMessage[]) =>
  messages.flatMap((one) => one.data.payload.ChangeEventHeader.recordIds);

describe('jsforce', () => {
  it('logs in by client credentials, describes, writes and pages through a query', async () => {
    org = await openTestOrg();
    await org.sandbox.seed({ leads: 4_500, seed: 3 });
    const connection = new Connection({
      instanceUrl: org.url,
      version: '67.0',
      oauth2: { loginUrl: org.url, clientId: 'sandbox', clientSecret: 'sandbox' },
    });
    const user = await connection.authorize({ grant_type: 'client_credentials' });
    expect(user.organizationId).toMatch(/^00D/);

    const lead = await connection.describe('Lead');
    expect(lead.fields.find((one) => one.name === 'Email')?.type).toBe('email');

    const created = await connection
      .sobject('Lead')
      .create({ LastName: 'Kim', Company: 'Acme', Email: 'kim@example.com' });
    expect(created.success).toBe(true);
    const id = created.id ?? '';
    await connection.sobject('Lead').update({ Id: id, FirstName: 'Ann' });
    expect(await connection.sobject('Lead').retrieve(id)).toMatchObject({ Name: 'Ann Kim', Email: 'kim@example.com' });

    const seen = new Set<string>();
    let page = await connection.query<{ Id: string }>('SELECT Id FROM Lead ORDER BY SystemModstamp, Id');
    expect(page.totalSize).toBe(4_501);
    for (;;) {
      for (const record of page.records) seen.add(record.Id);
      if (page.done) break;
      page = await connection.queryMore(page.nextRecordsUrl ?? '');
    }
    expect(seen.size).toBe(4_501);

    const many = await connection.sobject('Lead').create([
      { LastName: 'A', Company: 'A' },
      { LastName: 'B', Company: 'B' },
    ]);
    expect(many.map((one) => one.success)).toEqual([true, true]);
    await connection.sobject('Lead').destroy(id);
    const gone = await connection.query(`SELECT Id FROM Lead WHERE Id = '${id}'`);
    expect(gone.totalSize).toBe(0);
    expect(connection.limitInfo.apiUsage?.limit).toBe(5_000_000);
  });

  it('logs in by password and asks again after a revocation', async () => {
    org = await openTestOrg();
    let next = '';
    const connection = new Connection({
      instanceUrl: org.url,
      loginUrl: org.url,
      version: '67.0',
      oauth2: { loginUrl: org.url, clientId: 'sandbox', clientSecret: 'sandbox' },
      refreshFn: (_, callback) => callback(null, next),
    });
    await connection.login('sandbox', 'sandbox');
    expect(org.sandbox.revokeTokens()).toBe(1);
    next = await org.token();
    expect((await connection.query('SELECT COUNT() FROM User')).totalSize).toBe(21);
  });
});

describe('faye', () => {
  it('receives events and replays from a place', async () => {
    org = await openTestOrg();
    const client = new Client(`${org.url}/cometd/67.0`, { timeout: 10 });
    client.setHeader('Authorization', `OAuth ${await org.token()}`);
    let from: number = -1;
    client.addExtension({
      outgoing: (message: Record<string, unknown>, callback: (message: unknown) => void) => {
        if (message['channel'] === '/meta/subscribe') {
          message['ext'] = { replay: { [String(message['subscription'])]: from } };
        }
        callback(message);
      },
    });
    const first: EventMessage[] = [];
    const collect = (into: EventMessage[]) => (data: EventMessage['data']) => into.push({ data });
    await client.subscribe('/data/LeadChangeEvent', collect(first));
    const ids = org.sandbox.records.create('Lead', [
      { LastName: 'A', Company: 'A' },
      { LastName: 'B', Company: 'B' },
    ]);
    await vi.waitFor(() => expect(idsOf(first)).toEqual(ids), { timeout: 10_000 });

    from = first[0]?.data.event.replayId ?? 0;
    const second: EventMessage[] = [];
    await client.subscribe('/data/ChangeEvents', collect(second));
    await vi.waitFor(() => expect(idsOf(second)).toEqual(ids.slice(1)), { timeout: 10_000 });
    // The types that jsforce declares for faye lack this method.
    await (client as unknown as { disconnect(): Promise<void> }).disconnect();
  });
});

describe('cometd', () => {
  it('subscribes, is pushed events and replays all that is kept', async () => {
    org = await openTestOrg();
    const ids = org.sandbox.records.create('Contact', [{ LastName: 'Early' }]);
    adapt({});
    const client = new CometD();
    client.unregisterTransport('websocket');
    client.configure({
      url: `${org.url}/cometd/67.0`,
      appendMessageTypeToURL: false,
      requestHeaders: { Authorization: `Bearer ${await org.token()}` },
    });
    const seen: EventMessage[] = [];
    await new Promise<void>((resolve, reject) => {
      client.handshake((reply) => (reply.successful ? resolve() : reject(new Error(String(reply.error)))));
    });
    await new Promise<void>((resolve, reject) => {
      client.subscribe(
        '/data/IterableSync__chn',
        (message) => seen.push(message as unknown as EventMessage),
        { ext: { replay: { '/data/IterableSync__chn': -2 } } },
        (reply) => (reply.successful ? resolve() : reject(new Error(String(reply.error)))),
      );
    });
    await vi.waitFor(() => expect(idsOf(seen)).toEqual(ids), { timeout: 10_000 });
    org.sandbox.records.update('Contact', [{ Id: ids[0] ?? '', FirstName: 'Late' }]);
    await vi.waitFor(() => expect(idsOf(seen)).toEqual([...ids, ...ids]), { timeout: 10_000 });
    expect(seen[1]?.data.payload).toMatchObject({ Name: { FirstName: 'Late' } });
    await new Promise<void>((resolve) => {
      client.disconnect(() => resolve());
    });
  });
});
