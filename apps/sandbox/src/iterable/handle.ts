import { setTimeout as delay } from 'node:timers/promises';
import type { Faults } from '../faults.js';
import { badJson, envelope, html, type Answer } from './answers.js';
import type { ApiRequest } from './endpoints/endpoint.js';
import { route, type Route } from './endpoints/index.js';
import { iterableFaultKinds, type FaultOptions, type IterableFaultKind } from './fault-kinds.js';
import { badApiKey, checkKey, oversized, stormed, type ApiKeys, type RateGate } from './gate.js';
import { isObject, parseJson, type Json, type JsonObject } from './project/json.js';
import type { IterableProject } from './project/project.js';
import type { LoggedRequest } from './request-log.js';

/** A request off the wire. */
export interface Incoming {
  method: string;
  /** Path without the query, still encoded. */
  path: string;
  query: URLSearchParams;
  /** null: longer than the limit; nothing of it is kept. */
  body: string | null;
  key: string | undefined;
  ip: string;
  signal: AbortSignal;
}

/** What to do with the connection. */
export type Outcome = { kind: 'answer'; answer: Answer } | { kind: 'destroy' } | { kind: 'hang' };

export interface Handling {
  project: IterableProject;
  gate: RateGate;
  faults: Faults;
  keys: ApiKeys;
  random: () => number;
}

type Strike = <K extends IterableFaultKind>(kind: K) => FaultOptions<K> | null;

const answer = (given: Answer): Outcome => ({ kind: 'answer', answer: given });

/** The endpoint's documented name, e.g. `users/bulkUpdate`, for the log. */
export function endpointName(found: Route | 'malformed' | null, path: string): string {
  return found === null || found === 'malformed' ? path : found.endpoint.path;
}

/** Works on one request, from faults over key, rate, size and JSON to the endpoint. */
export async function handle(on: Handling, incoming: Incoming, entry: LoggedRequest): Promise<Outcome> {
  const strike: Strike = (kind) => {
    const fault = on.faults.strikes('iterable', kind, incoming.path);
    if (fault === null) return null;
    entry.faults.push(kind);
    return iterableFaultKinds[kind].options.parse(fault.options) as FaultOptions<typeof kind>;
  };
  if (strike('disconnect')) return { kind: 'destroy' };
  const hang = strike('hang');
  if (hang && !hang.applied) return { kind: 'hang' };
  const latency = strike('latency');
  if (latency && !latency.applied) await delay(latency.delayMs, undefined, { signal: incoming.signal });

  const given = injectedAnswer(on, incoming, strike) ?? work(on, incoming, strike, entry);

  if (latency?.applied) await delay(latency.delayMs, undefined, { signal: incoming.signal });
  if (hang) return { kind: 'hang' };
  if (given.status < 300 && incoming.method !== 'GET' && strike('reset-after-apply')) return { kind: 'destroy' };
  return answer(given.status === 200 ? disguise(given, strike) : given);
}

function injectedAnswer(on: Handling, incoming: Incoming, strike: Strike): Answer | null {
  if (strike('http-500')) return envelope(500, 'GenericError', 'An unexpected error occurred');
  if (strike('http-502-html')) return html(502, '502 Bad Gateway');
  if (strike('http-503-html')) return html(503, '503 Service Temporarily Unavailable');
  if (strike('bad-key')) return badApiKey(incoming.path, incoming.ip, 'ServerSide');
  const storm = strike('rate-limit-storm');
  if (storm) return stormed(storm, on.project.switches);
  const disguised = strike('code-success-on-4xx');
  return disguised && envelope(disguised.status, 'Success', 'error.lists.invalidListId(1)');
}

function work(on: Handling, incoming: Incoming, strike: Strike, entry: LoggedRequest): Answer {
  const found = incoming.path.startsWith('/api/') ? route(incoming.method, incoming.path.slice('/api/'.length)) : null;
  if (found === null) return envelope(404, 'NotFound', `No endpoint ${incoming.method} ${incoming.path}`);
  const name = found === 'malformed' ? incoming.path : `${found.endpoint.method} ${found.endpoint.path}`;
  const key = checkKey(incoming.key, on.keys, name, incoming.path, incoming.ip);
  if (!key.ok) return key.answer;
  if (found === 'malformed') return envelope(400, 'BadParams', 'The path is not well encoded');
  const entered = on.gate.enter(name, key.keyType);
  if (entered.answer) return entered.answer;
  const given = inside(on, incoming, strike, entry, found, key.keyType);
  if (given.status >= 400 && !on.project.switches.failedRequestsConsume) entered.refund();
  return given;
}

/** Users named in a body, for the log. */
function countUsers(body: Json): number {
  if (!isObject(body)) return 0;
  const many = body['users'] ?? body['updateSubscriptionsRequests'];
  const byUserId = body['usersByUserId'];
  if (!Array.isArray(many) && !Array.isArray(byUserId)) return 1;
  return (Array.isArray(many) ? many.length : 0) + (Array.isArray(byUserId) ? byUserId.length : 0);
}

function inside(
  on: Handling,
  incoming: Incoming,
  strike: Strike,
  entry: LoggedRequest,
  { endpoint, params }: Route,
  keyType: ApiRequest['keyType'],
): Answer {
  if (incoming.body === null) return oversized(on.project.switches.oversizedBody);
  let parsed: ReturnType<typeof parseJson> = { value: null, decimals: null };
  if (endpoint.method === 'POST' || endpoint.method === 'PUT') {
    try {
      parsed = parseJson(incoming.body);
    } catch {
      return badJson(incoming.path, { obj: 'Value is not JSON' });
    }
    entry.users = countUsers(parsed.value);
  }
  return endpoint.handle(on.project, {
    path: incoming.path,
    params,
    query: incoming.query,
    body: parsed.value,
    decimals: parsed.decimals,
    keyType,
    random: on.random,
    strike,
  });
}

/** Optional members of a bulk response. Source: facts/iterable.md §1.3. */
const REQUIRED_IN_BULK = new Set(['successCount', 'failCount']);

/** The faults that change how a good answer looks. */
function disguise(given: Answer, strike: Strike): Answer {
  let { body } = given;
  if (!isObject(body)) return given;
  const missing = 'successCount' in body ? strike('missing-lists') : null;
  if (missing) body = withoutLists(body, missing.all);
  if (strike('unknown-fields')) {
    const failed = body['failedUpdates'];
    body = {
      ...body,
      ...(isObject(failed) ? { failedUpdates: { ...failed, reviewNotes: [{ level: 'info' }] } } : {}),
      requestId: 'sandbox',
      processing: { region: 'us-east-1', warnings: [] },
    };
  }
  return { ...given, body };
}

const isEmpty = (value: Json | undefined): boolean => Array.isArray(value) && value.length === 0;

function withoutLists(body: JsonObject, all: boolean): JsonObject {
  const kept: JsonObject = {};
  for (const [name, value] of Object.entries(body)) {
    if (REQUIRED_IN_BULK.has(name)) kept[name] = value;
    else if (all || isEmpty(value)) continue;
    else if (isObject(value)) {
      const lists = Object.entries(value).filter(([, list]) => !isEmpty(list));
      if (lists.length > 0) kept[name] = Object.fromEntries(lists);
    } else kept[name] = value;
  }
  return kept;
}
