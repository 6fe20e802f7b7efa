import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createIterableClient } from './client.js';
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
