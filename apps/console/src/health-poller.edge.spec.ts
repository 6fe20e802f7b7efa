import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { httpHealthSource, watchedServices } from './health-poller.js';

let server: Server;
let base: string;
const checks = [{ name: 'iterable', ok: false, detail: 'Iterable refuses the key' }];

beforeAll(async () => {
  server = createServer((request, response) => {
    if (request.url === '/health/ready')
      response.writeHead(503).end(JSON.stringify({ app: 'x', status: 'unavailable', checks }));
    else response.writeHead(404).end('<html>');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

it('asks those whose address it knows, and says what it was told', async () => {
  const services = await httpHealthSource(
    new Map([
      ['iterable-writer', base],
      ['batcher', 'http://127.0.0.1:9'],
      ['mine', base],
    ]),
  )();
  expect(services.map(({ name }) => name)).toEqual([...watchedServices, 'mine']);
  const find = (name: string) => services.find((service) => service.name === name);
  expect(find('iterable-writer')).toEqual({ name: 'iterable-writer', state: 'not-ready', checks });
  expect(find('batcher')).toEqual({ name: 'batcher', state: 'unreachable', checks: [] });
  expect(find('mapper')).toEqual({ name: 'mapper', state: 'unwatched', checks: [] });
});

it('takes something else at the address as no answer', async () => {
  const stranger = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const address = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  const services = await httpHealthSource(new Map([['batcher', address]]))();
  expect(services.find(({ name }) => name === 'batcher')?.state).toBe('unreachable');
  stranger.close();
});
