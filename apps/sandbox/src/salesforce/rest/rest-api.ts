import type { IncomingMessage } from 'node:http';
import { badJson, invalidSession, notFound, SalesforceError } from '../errors.js';
import { BodyTooLarge, readBody } from '../http/read-body.js';
import { errorReply, json, type Reply } from '../http/replies.js';
import type { Org } from '../org.js';
import { collectionRoutes } from './collection-routes.js';
import { orgRoutes } from './org-routes.js';
import { queryRoutes } from './query-routes.js';
import type { RestCall, Route } from './route.js';
import { sobjectRoutes } from './sobject-routes.js';
import { NEWEST_VERSION, OLDEST_VERSION, versionList } from './versions.js';
import { strike } from '../fault-kinds.js';

const ROUTES: readonly Route[] = [...orgRoutes, ...queryRoutes, ...sobjectRoutes, ...collectionRoutes];

/** Largest body of a REST request, bytes. Source: REST guide, 50 MB. */
const MAX_BODY_BYTES = 50 * 1024 * 1024;

/** Answers everything below `/services/data`. Never throws a SalesforceError: it is the answer. */
export async function restApi(org: Org, request: IncomingMessage, url: URL): Promise<Reply> {
  const match = /^\/services\/data\/v(\d+)\.0(\/.*)?$/.exec(url.pathname);
  if (match === null) {
    return /^\/services\/data\/?$/.test(url.pathname) ? json(200, versionList()) : refuse(notFound());
  }
  const [, number = '', path = ''] = match;
  try {
    checkVersion(Number(number));
    return withUsage(org, await authenticated(org, request, url, `${number}.0`, path));
  } catch (error) {
    if (!(error instanceof SalesforceError)) throw error;
    return withUsage(org, refuse(error));
  }
}

async function authenticated(org: Org, request: IncomingMessage, url: URL, version: string, path: string) {
  const session = org.sessions.use(request.headers.authorization);
  if (session !== null && strike(org.faults, 'session-expired', url.pathname)) {
    org.sessions.revoke(session.token);
    throw invalidSession();
  }
  if (session === null) throw invalidSession();
  checkLimits(org, url.pathname);
  org.apiRequests.add(1);
  const [route, params] = routeOf(request.method ?? 'GET', path);
  const client = /client\s*=\s*([^,;\s]+)/i.exec(String(request.headers['sforce-call-options'] ?? ''))?.[1];
  const call: RestCall = {
    org,
    request,
    session,
    version,
    url,
    params,
    body: () => jsonBody(request),
    author: {
      userId: session.userId,
      changeOrigin: `com/salesforce/api/rest/${version};client=${client ?? ''}`,
    },
  };
  return route.handle(call);
}

function checkVersion(version: number): void {
  if (version < OLDEST_VERSION) throw new SalesforceError(410, 'GONE', 'The requested API version is retired');
  if (version > NEWEST_VERSION) throw notFound();
}

function checkLimits(org: Org, path: string): void {
  const fault = strike(org.faults, 'request-limit', path);
  if (fault?.concurrent === true) {
    throw new SalesforceError(
      403,
      'REQUEST_LIMIT_EXCEEDED',
      'ConcurrentRequests (Concurrent API Requests) Limit exceeded.',
    );
  }
  if (fault !== null || org.apiRequests.used >= org.limits.apiRequestsPerDay) {
    throw new SalesforceError(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.');
  }
}

function routeOf(method: string, path: string): [Route, string[]] {
  const here = ROUTES.flatMap((route) => {
    const match = route.path.exec(path);
    return match === null ? [] : [{ route, params: match.slice(1).map(decodeURIComponent) }];
  });
  if (here.length === 0) throw notFound();
  const found = here.find((one) => one.route.method === method);
  if (found !== undefined) return [found.route, found.params];
  const allowed = [...new Set(here.map((one) => one.route.method))].join(',');
  throw new SalesforceError(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${method}' not allowed. Allowed are ${allowed}`);
}

async function jsonBody(request: IncomingMessage): Promise<unknown> {
  if (!/\bjson\b/i.test(request.headers['content-type'] ?? '')) {
    throw new SalesforceError(
      415,
      'UNSUPPORTED_MEDIA_TYPE',
      'Unexpected Content-Type. The request entity is in a format not supported by the requested resource',
    );
  }
  try {
    return JSON.parse(await readBody(request, MAX_BODY_BYTES));
  } catch (error) {
    if (error instanceof BodyTooLarge)
      throw new SalesforceError(413, 'REQUEST_ENTITY_TOO_LARGE', 'Request entity too large');
    if (error instanceof SyntaxError) throw badJson(`Unexpected character: ${error.message}`);
    throw error;
  }
}

const refuse = (error: SalesforceError): Reply => errorReply(error.status, error.entries);

/** Every REST reply tells how much of the day's allocation is used. Source: facts/salesforce.md §3.6. */
function withUsage(org: Org, reply: Reply): Reply {
  const usage = `api-usage=${org.apiRequests.used}/${org.limits.apiRequestsPerDay}`;
  return { ...reply, headers: { ...reply.headers, 'sforce-limit-info': usage } };
}
