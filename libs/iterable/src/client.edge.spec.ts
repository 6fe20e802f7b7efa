import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createIterableClient, type IterableApi } from './client.js';
import { IterableTimeoutError, IterableUnreachableError, isCallError } from './errors.js';

const servers: Server[] = [];

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const client = (baseUrl: string, timeoutMs = 5_000) =>
  createIterableClient({ baseUrl, apiKey: 'key', timeoutMs, userAgent: 'test/1' });

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

describe('the Iterable client', () => {
  it('sends the key and the body as they are, and keeps the connection', async () => {
    const seen: Array<{
      path: string | undefined;
      headers: IncomingHttpHeaders;
      body: string;
      port: number | undefined;
    }> = [];
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push({ path: request.url, headers: request.headers, body, port: request.socket.remotePort });
        response.setHeader('Request-Time', '12').end('{"successCount":1}');
      });
    });
    const iterable = client(`${url}/`);
    const answer = await iterable.bulkUpdateUsers('{"users":[]}');
    for (let call = 0; call < 9; call += 1) await iterable.bulkUpdateUsers('{"users":[]}');
    expect(answer).toMatchObject({ status: 200, text: '{"successCount":1}', headers: { 'request-time': '12' } });
    expect(seen[0]).toMatchObject({
      path: '/api/users/bulkUpdate',
      body: '{"users":[]}',
      headers: { 'api-key': 'key', 'content-type': 'application/json', 'user-agent': 'test/1' },
    });
    expect(new Set(seen.map((call) => call.port)).size).toBeLessThan(4);
  });

  it('gives any status back, and follows no redirect', async () => {
    const url = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
    await expect(client(url).bulkUpdateUsers('{}')).resolves.toMatchObject({ status: 302 });
  });

  it('says what kind of no answer it was', async () => {
    const hanging = await serve(() => {});
    await expect(client(hanging, 50).bulkUpdateUsers('{}')).rejects.toBeInstanceOf(IterableTimeoutError);
    const resetting = await serve((request) => request.socket.resetAndDestroy());
    await expect(client(resetting).bulkUpdateUsers('{}')).rejects.toBeInstanceOf(IterableUnreachableError);
    const breaking = await serve((request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"succ');
      setTimeout(() => request.socket.destroy(), 20);
    });
    await expect(client(breaking).bulkUpdateUsers('{}')).rejects.toBeInstanceOf(IterableUnreachableError);
    const closed = await serve(() => {});
    await new Promise((resolve) => servers.pop()?.close(resolve));
    await expect(client(closed).bulkUpdateUsers('{}')).rejects.toMatchObject({
      code: 'iterable.unreachable',
      message: 'POST /api/users/bulkUpdate: ECONNREFUSED',
    });
  });

  it('stops when told to, with the reason given', async () => {
    const hanging = await serve(() => {});
    const stop = new AbortController();
    const call = client(hanging).bulkUpdateUsers('{}', stop.signal);
    stop.abort(new Error('claim lost'));
    const error = await call.catch((reason: unknown) => reason);
    expect([(error as Error).message, isCallError(error)]).toEqual(['claim lost', false]);
  });
});

describe('the calls', () => {
  const odd = { email: "a+b/c'd@example.com" };
  const byId = { userId: 'a b/ü?#%' };
  const held = { emailListIds: [], subscribedMessageTypeIds: [3] };

  it.each<[string, (api: IterableApi) => Promise<unknown>, string, unknown]>([
    [
      'updateEmail',
      (api) => api.updateEmail({ currentEmail: 'a@example.com', newEmail: 'b@example.com' }),
      'POST /api/users/updateEmail',
      { currentEmail: 'a@example.com', newEmail: 'b@example.com' },
    ],
    [
      'mergeUsers',
      (api) => api.mergeUsers({ source: { userId: '00Q' }, destination: { email: 'b@example.com' } }),
      'POST /api/users/merge',
      { sourceUserId: '00Q', destinationEmail: 'b@example.com' },
    ],
    ['deleteUser by email', (api) => api.deleteUser(odd), "DELETE /api/users/a%2Bb%2Fc'd%40example.com", null],
    ['deleteUser by id', (api) => api.deleteUser(byId), 'DELETE /api/users/byUserId/a%20b%2F%C3%BC%3F%23%25', null],
    ['forgetUser', (api) => api.forgetUser(odd), 'POST /api/users/forget', odd],
    ['unforgetUser', (api) => api.unforgetUser(byId), 'POST /api/users/unforget', byId],
    [
      'getUser by email',
      (api) => api.getUser(odd),
      'GET /api/users/getByEmail?email=a%2Bb%2Fc%27d%40example.com',
      null,
    ],
    ['getUser by id', (api) => api.getUser({ userId: '..' }), 'GET /api/users/byUserId?userId=..', null],
    ['getFields', (api) => api.getFields(), 'GET /api/users/getFields', null],
    ['listChannels', (api) => api.listChannels(), 'GET /api/channels', null],
    ['listMessageTypes', (api) => api.listMessageTypes(), 'GET /api/messageTypes', null],
    [
      'unsubscribeUsers',
      (api) => api.unsubscribeUsers({ group: 'messageChannel', id: 7, profiles: [odd, byId] }),
      'PUT /api/subscriptions/messageChannel/7?action=unsubscribe',
      { users: [odd.email], usersByUserId: [byId.userId] },
    ],
    [
      'unsubscribeUsers by email only',
      (api) => api.unsubscribeUsers({ group: 'messageType', id: 8, profiles: [odd] }),
      'PUT /api/subscriptions/messageType/8?action=unsubscribe',
      { users: [odd.email] },
    ],
    [
      'bulkUpdateSubscriptions, without what it must not overwrite',
      (api) =>
        api.bulkUpdateSubscriptions([
          { ...odd, unsubscribedChannelIds: [1, 2] },
          { ...byId, ...held, unsubscribedMessageTypeIds: [] },
        ]),
      'POST /api/users/bulkUpdateSubscriptions',
      {
        updateSubscriptionsRequests: [
          { ...odd, unsubscribedChannelIds: [1, 2] },
          { ...byId, unsubscribedMessageTypeIds: [] },
        ],
      },
    ],
  ])('%s', async (_, make, line, body) => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        const type = request.headers['content-type'];
        seen.push([
          `${request.method} ${request.url}`,
          text === '' ? null : JSON.parse(text),
          type ?? null,
          request.headers['api-key'],
        ]);
        response.writeHead(409).end('{}');
      });
    });
    await expect(make(client(url))).resolves.toMatchObject({ status: 409, text: '{}' });
    expect(seen).toEqual([[line, body, body === null ? null : 'application/json', 'key']]);
  });

  it.each(['', '.', '..'])('refuse the name %o, which would be another address', async (name) => {
    await expect(client('http://127.0.0.1:9').deleteUser({ userId: name })).rejects.toThrow(RangeError);
  });

  it('name no person in an error', async () => {
    const resetting = await serve((request) => request.socket.resetAndDestroy());
    const failures = [client(resetting).deleteUser(odd), client(resetting).getUser(odd)];
    for (const call of failures) {
      const error = (await call.catch((reason: unknown) => reason)) as Error;
      expect(error).toBeInstanceOf(IterableUnreachableError);
      expect(error.message).not.toContain('example.com');
    }
  });
});
