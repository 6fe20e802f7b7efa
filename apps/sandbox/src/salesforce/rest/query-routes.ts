import { SalesforceError } from '../errors.js';
import { json, type Reply } from '../http/replies.js';
import type { QueryPage } from '../soql/query-engine.js';
import type { RestCall, Route } from './route.js';
import { refreshUsageMetrics } from './usage-metrics.js';
import { strike } from '../fault-kinds.js';

/** Source: facts/salesforce.md §4.1. */
const LARGEST_PAGE = 2_000;
const SMALLEST_PAGE = 200;

/** `query`, `queryAll` and the later pages of both. */
export const queryRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/query\/?$/, handle: (call) => firstPage(call, false) },
  { method: 'GET', path: /^\/queryAll\/?$/i, handle: (call) => firstPage(call, true) },
  { method: 'GET', path: /^\/query(?:All)?\/([^/]+)$/i, handle: laterPage },
];

function firstPage(call: RestCall, includeDeleted: boolean): Reply {
  const soql = call.url.searchParams.get('q');
  if (soql === null) throw new SalesforceError(400, 'MALFORMED_QUERY', 'A query string has to be specified');
  if (strike(call.org.faults, 'query-timeout', call.url.pathname)) {
    throw new SalesforceError(400, 'QUERY_TIMEOUT', 'Your query request was running for too long.');
  }
  refreshUsageMetrics(call.org, soql);
  const page = call.org.queries.query(soql, { includeDeleted, pageSize: pageSize(call), version: call.version });
  return pageReply(call, page);
}

function laterPage(call: RestCall): Reply {
  const page = call.org.queries.more(call.params[0] ?? '', { pageSize: pageSize(call), version: call.version });
  return pageReply(call, page);
}

function pageReply(call: RestCall, page: QueryPage): Reply {
  const { totalSize, done, next, records } = page;
  const more = next === null ? {} : { nextRecordsUrl: `/services/data/v${call.version}/query/${next}` };
  return json(200, { totalSize, done, ...more, records });
}

/** `Sforce-Query-Options: batchSize=N`, between 200 and 2,000; the fault `small-pages` makes it smaller. */
function pageSize(call: RestCall): number {
  const header = String(call.request.headers['sforce-query-options'] ?? '');
  const asked = Number(/batchSize\s*=\s*(\d+)/i.exec(header)?.[1] ?? LARGEST_PAGE);
  const size = Math.min(LARGEST_PAGE, Math.max(SMALLEST_PAGE, asked));
  const fault = strike(call.org.faults, 'small-pages', call.url.pathname);
  if (fault === null) return size;
  const max = Math.min(size, fault.max);
  return 1 + Math.floor(call.org.random() * max);
}
