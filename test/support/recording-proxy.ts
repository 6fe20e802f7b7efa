import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** One request that went through. */
export interface PassedOn {
  readonly path: string;
  readonly body: string;
}

/** A door before another server: passes everything on, and keeps what was sent, in the order of arrival. */
export async function openRecordingProxy(
  target: string,
): Promise<{ readonly url: string; readonly passed: readonly PassedOn[]; close(): Promise<void> }> {
  const passed: PassedOn[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const [path, body] = [request.url ?? '/', await text(request)];
      passed.push({ path, body });
      const headers = { 'api-key': String(request.headers['api-key']), 'content-type': 'application/json' };
      const method = request.method ?? 'GET';
      const answer = await fetch(target + path, { method, headers, ...(body !== '' && { body }) });
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'application/json' });
      response.end(await answer.text());
    })().catch(() => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
