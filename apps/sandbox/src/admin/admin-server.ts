import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Router,
  type Response,
} from 'express';
import { z } from 'zod';
import type { SandboxClock } from '../clock.js';
import type { Faults } from '../faults.js';
import { iterableSwitches, pageOf, type IterableSandbox } from '../iterable/index.js';
import { salesforceAdminPaths } from '../salesforce/index.js';
import { clockRequest, faultSelection, requestSelection, seedRequest, type SeedRequest } from './admin-schemas.js';
import { readFault, UnknownFaultError, type FaultCatalogEntry } from './fault-catalog.js';

/** What the admin API works on. */
export interface AdminParts {
  readonly clock: SandboxClock;
  readonly faults: Faults;
  readonly catalog: readonly FaultCatalogEntry[];
  readonly iterable: IterableSandbox;
  /** Makes records in the org; resolves when they are there. */
  seed(request: SeedRequest): Promise<unknown>;
  /** Counts of the org. */
  salesforceStats(): unknown;
  /** What can be done to the org, below `/salesforce`. */
  readonly salesforceRoutes: Router;
  /** Are all doors open and the first records made? */
  isReady(): boolean;
}

/** Answers every error as `{error, …}`: 400 for what the caller can put right. */
const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) {
    next(error);
  } else if (error instanceof z.ZodError) {
    const problems = error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    response.status(400).json({ error: problems.join('; '), problems });
  } else if (error instanceof UnknownFaultError) {
    response.status(400).json({ error: error.message, known: error.known });
  } else if (error instanceof SyntaxError) {
    response.status(400).json({ error: 'the body is not JSON' });
  } else {
    response
      .status(500)
      .json({ error: `the sandbox failed: ${error instanceof Error ? error.message : String(error)}` });
  }
};

function* profilesAsJson(iterable: IterableSandbox): Generator<string> {
  yield '{"profiles":[';
  let separator = '';
  for (const profile of iterable.users()) {
    yield separator + JSON.stringify(profile);
    separator = ',\n';
  }
  yield ']}\n';
}

/** What each switch means, for who reads them over HTTP. */
const aboutSwitches = Object.fromEntries(
  Object.entries(iterableSwitches.shape).map(([name, schema]) => [name, schema.description ?? '']),
);

/** Express 5 takes a handler's promise and passes its error on. */
const later =
  (handler: (request: Request, response: Response) => Promise<void>): RequestHandler =>
  (request, response) =>
    handler(request, response);

/** The routes of the admin API (design.md §9). */
export function createAdminApp(parts: AdminParts): Express {
  const { clock, faults, catalog, iterable } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ type: () => true, limit: '1mb', strict: false }));

  const time = () => ({
    now: new Date(clock.now()).toISOString(),
    aheadSeconds: Math.round((clock.now() - Date.now()) / 1000),
  });
  app.get('/health/live', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/health/ready', (_request, response) => {
    const ready = parts.isReady();
    response.status(ready ? 200 : 503).json({ status: ready ? 'ok' : 'starting' });
  });
  app.get('/stats', (_request, response) => {
    response.json({
      clock: time(),
      salesforce: parts.salesforceStats(),
      iterable: iterable.stats(),
      faults: faults.list(),
    });
  });

  app.get('/faults', (_request, response) => void response.json({ faults: faults.list() }));
  app.get('/faults/kinds', (_request, response) => {
    response.json({ kinds: catalog.map(({ check: _check, ...described }) => described) });
  });
  app.post('/faults', (request, response) => {
    const asked = readFault(catalog, request.body);
    faults.add(asked);
    response.status(201).json({ fault: asked });
  });
  app.delete('/faults', (request, response) => {
    const { system, kind } = faultSelection.parse(request.query);
    const before = faults.list().length;
    faults.clear(system, kind);
    response.json({ cleared: before - faults.list().length, faults: faults.list() });
  });

  app.get('/clock', (_request, response) => void response.json(time()));
  app.post('/clock', (request, response) => {
    clock.advance(clockRequest.parse(request.body).advanceSeconds);
    response.json(time());
  });
  app.post(
    '/seed',
    later(async (request, response) => {
      const asked = seedRequest.parse(request.body);
      const startedAt = performance.now();
      const created = await parts.seed(asked);
      response.status(201).json({ created, seconds: Math.round(performance.now() - startedAt) / 1000 });
    }),
  );

  app.use('/salesforce', parts.salesforceRoutes);

  app.get('/iterable/requests', (request, response) => {
    const { reads, limit, ...filter } = requestSelection.parse(request.query);
    const matching = iterable.requests({ ...filter, writes: !reads });
    response.json({ total: matching.length, requests: pageOf(matching, { ...filter, limit }) });
  });
  app.get(
    '/iterable/profiles',
    later(async (_request, response) => {
      response.type('json');
      await pipeline(Readable.from(profilesAsJson(iterable)), response);
    }),
  );
  app.get('/iterable/switches', (_request, response) => {
    response.json({ switches: iterable.switches(), about: aboutSwitches });
  });
  app.post('/iterable/switches', (request, response) => {
    response.json({ switches: iterable.setSwitches(request.body), about: aboutSwitches });
  });
  app.post('/iterable/reset', (_request, response) => {
    iterable.reset();
    response.json({ iterable: iterable.stats() });
  });

  app.use((request, response) => {
    response.status(404).json({ error: `no such route: ${request.method} ${request.path}`, routes });
  });
  app.use(answerError);
  return app;
}

const routes = [
  'GET /stats',
  'GET|POST|DELETE /faults',
  'GET /faults/kinds',
  'GET|POST /clock',
  'POST /seed',
  ...salesforceAdminPaths,
  'GET /iterable/requests',
  'GET /iterable/profiles',
  'GET|POST /iterable/switches',
  'POST /iterable/reset',
  'GET /health/live',
  'GET /health/ready',
];

/** Serves the admin API. Rejects when the port is taken. */
export async function listenAdmin(
  app: Express,
  port: number,
  host: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
