import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SandboxClock } from '../clock.js';
import { Faults } from '../faults.js';
import { envelope, type Answer } from './answers.js';
import { route } from './endpoints/index.js';
import { RateGate } from './gate.js';
import { endpointName, handle, type Handling } from './handle.js';
import { iterableLimits, type IterableLimits } from './limits.js';
import type { ChannelSet } from './project/channels.js';
import { IterableProject } from './project/project.js';
import { RequestLog, type LoggedRequest, type RequestFilter } from './request-log.js';
import { iterableSwitchChanges, iterableSwitches, type IterableSwitches, type ProjectType } from './switches.js';

export interface IterableSandboxOptions {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  clock?: SandboxClock;
  faults?: Faults;
  projectType?: ProjectType;
  /** What is not documented; the rest has the defaults of {@link iterableSwitches}. */
  switches?: Partial<IterableSwitches>;
  limits?: Partial<IterableLimits>;
  /** The server-side key. */
  apiKey?: string;
  /** A key of the client-side type, to see what it may not do. */
  clientSideKey?: string;
  /** From 0 to 1, for faults that strike by chance. */
  random?: () => number;
}

/** Counts since the start, and what is in the project now. */
export interface IterableStats {
  projectType: ProjectType;
  users: number;
  fields: number;
  forgotten: number;
  requests: number;
  written: number;
  failed: number;
  /** Writes accepted but not readable yet. */
  pending: { bulk: number; single: number; forget: number };
}

/** A simulated Iterable project behind HTTP. */
export interface IterableSandbox {
  listen(): Promise<{ url: string; port: number }>;
  close(): Promise<void>;
  stats(): IterableStats;
  requests(filter?: RequestFilter): ReturnType<RequestLog['list']>;
  switches(): IterableSwitches;
  /** Changes some switches, from the next request on. Errors: `ZodError`. */
  setSwitches(changes: unknown): IterableSwitches;
  /** A profile as GET shows it, or null. */
  user(by: { email: string } | { userId: string }): Record<string, unknown> | null;
  /** Every profile as GET shows it, in no order. */
  users(): Generator<Record<string, unknown>>;
  channels(): ChannelSet;
  /** Changes what can be unsubscribed from, as somebody does in the project's settings. */
  setChannels(channels: ChannelSet): void;
  /** Empties the project and the log; switches and faults stay. */
  reset(): void;
}

/** Reads a body; null when it is longer than the limit, of which nothing is kept. Errors: the client went away. */
async function readBody(request: IncomingMessage, entry: LoggedRequest, limit: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    entry.bytes += chunk.length;
    if (entry.bytes <= limit) chunks.push(chunk);
    else chunks.length = 0;
  }
  return entry.bytes > limit ? null : Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, answer: Answer, startedAt: number): void {
  const text = answer.html ?? JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': answer.html !== undefined ? 'text/html' : 'application/json',
    'Content-Length': Buffer.byteLength(text),
    Vary: 'Origin',
    'Request-Time': String(Math.round(performance.now() - startedAt)),
    Server: 'iterable-ingress sandbox',
    ...answer.headers,
  });
  response.end(text);
}

const headerText = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

/**
 * Makes a simulated Iterable project, to be reached at `/api/…` after {@link IterableSandbox.listen}.
 * Errors: `ZodError` for switches that do not exist; `listen` rejects when the port is taken.
 */
export function createIterableSandbox(options: IterableSandboxOptions = {}): IterableSandbox {
  const clock = options.clock ?? new SandboxClock();
  const limits: IterableLimits = { ...iterableLimits, ...options.limits };
  const switches = iterableSwitches.parse(options.switches ?? {});
  const project = new IterableProject(options.projectType ?? 'email', switches, limits, clock);
  const random = options.random ?? Math.random;
  const handling: Handling = {
    project,
    gate: new RateGate(limits, clock, () => project.switches),
    faults: options.faults ?? new Faults(random),
    keys: { serverSide: options.apiKey ?? 'sandbox', clientSide: options.clientSideKey ?? 'sandbox-client-side' },
    random,
  };
  const log = new RequestLog();

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAt = performance.now();
    const url = new URL(request.url ?? '/', 'http://sandbox');
    const method = request.method ?? 'GET';
    const found = url.pathname.startsWith('/api/') ? route(method, url.pathname.slice('/api/'.length)) : null;
    const entry = log.add({ at: Date.now(), method, endpoint: endpointName(found, url.pathname), path: url.pathname });
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const body = await readBody(request, entry, project.switches.bodyLimitBytes);
    if (body) log.keepBody(entry, body);
    const outcome = await handle(
      handling,
      {
        method,
        path: url.pathname,
        query: url.searchParams,
        body,
        key: headerText(request.headers['api-key'] ?? request.headers['api_key']),
        ip: request.socket.remoteAddress ?? '',
        signal: gone.signal,
      },
      entry,
    );
    if (outcome.kind === 'hang') return;
    if (outcome.kind === 'destroy') {
      request.socket.destroy();
      return;
    }
    entry.status = outcome.answer.status;
    entry.durationMs = Math.round(performance.now() - startedAt);
    send(response, outcome.answer, startedAt);
  };

  const server: Server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (response.destroyed || request.destroyed) return; // the client went away: nobody to answer
      send(response, envelope(500, 'GenericError', `The sandbox itself failed: ${String(error)}`), performance.now());
    });
  });

  // Longer than clients keep an idle connection: otherwise one is closed under a request now and then.
  server.keepAliveTimeout = 75_000;

  return {
    async listen() {
      const host = options.host ?? '127.0.0.1';
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(options.port ?? 0, host, resolve);
      });
      const { port } = server.address() as AddressInfo;
      return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, port };
    },
    async close() {
      project.close();
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
    stats: () => ({
      projectType: project.projectType,
      users: project.profiles.size,
      fields: project.fields.size,
      forgotten: project.forgottenEmails.size + project.forgottenUserIds.size,
      requests: log.total,
      written: project.counts.written,
      failed: project.counts.failed,
      pending: { bulk: project.bulk.pending, single: project.single.pending, forget: project.forget.pending },
    }),
    requests: (filter) => log.list(filter),
    switches: () => project.switches,
    setSwitches(changes) {
      project.switches = { ...project.switches, ...iterableSwitchChanges.parse(changes) };
      return project.switches;
    },
    channels: () => project.channels,
    setChannels(channels) {
      project.channels = channels;
    },
    user(by) {
      const slots = 'email' in by ? project.byEmail(by.email.toLowerCase()) : project.byUserId(by.userId);
      return project.echo(slots[0]);
    },
    *users() {
      for (const slot of project.profiles.slots()) yield project.echo(slot) ?? {};
    },
    reset() {
      project.reset();
      handling.gate.reset();
      log.reset();
    },
  };
}
