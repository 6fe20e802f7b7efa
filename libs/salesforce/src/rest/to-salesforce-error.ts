import type { SyncError } from '@libs/contracts';
import {
  SalesforceAccessError,
  SalesforceLimitError,
  SalesforceQueryError,
  SalesforceQueryExpiredError,
  SalesforceQueryTooLargeError,
  SalesforceSessionError,
  SalesforceTimeoutError,
  SalesforceUnavailableError,
} from '../errors.js';

/** An HTTP answer, read to its end. Header names in lower case. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How long to leave the org alone when it says that an allowance is used up and not for how long (it never does).
 * The daily allowance rolls over 24 h, so a probe every few minutes is cheap; long calls end within minutes. Milliseconds.
 * Source: facts/salesforce.md §3.6.
 */
const DAILY_LIMIT_WAIT_MS = 5 * 60_000;
const CONCURRENT_LIMIT_WAIT_MS = 15_000;

/** Codes that say: the query, or what it names, is not to be had. Source: facts/salesforce.md §4.4. */
const QUERY_CODES = new Set([
  'INVALID_FIELD',
  'INVALID_TYPE',
  'MALFORMED_QUERY',
  'MALFORMED_ID',
  'MALFORMED_SEARCH',
  'INVALID_QUERY_FILTER_OPERATOR',
  'INVALID_OPERATION',
  'INVALID_ID_FIELD',
  'NOT_FOUND',
]);
const TOO_LARGE_CODES = new Set(['QUERY_TIMEOUT', 'QUERY_TOO_COMPLICATED', 'EXCEEDED_ID_LIMIT']);
const TRANSIENT_CODES = new Set([
  'UNABLE_TO_LOCK_ROW',
  'UNKNOWN_EXCEPTION',
  'SERVER_UNAVAILABLE',
  'REQUEST_RUNNING_TOO_LONG',
]);
/** OAuth errors that waiting mends. Source: facts/salesforce.md §3.1. */
const OAUTH_LIMIT_CODES = new Set(['rate_limit_exceeded', 'login_rate_exceeded']);

interface Said {
  readonly errorCode: string;
  readonly message: string;
}

/** What the body says, if it is one of Salesforce's two JSON forms: a list (REST) or an object (OAuth). */
function said(body: string): Said | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null; // HTML, or nothing: the status must do
  }
  const first = (Array.isArray(parsed) ? parsed[0] : parsed) as Record<string, unknown> | null | undefined;
  if (typeof first !== 'object' || first === null) return null;
  const errorCode = first['errorCode'] ?? first['error'];
  const message = first['message'] ?? first['error_description'] ?? '';
  return typeof errorCode === 'string' && /^[A-Za-z0-9_ ]{1,80}$/.test(errorCode)
    ? { errorCode, message: typeof message === 'string' ? message : '' }
    : null;
}

/**
 * Names of metadata in a message of Salesforce. Only these leave this function: the rest of a message may quote the query,
 * and with it values of records.
 */
function namedIn(message: string): { object?: string; field?: string } {
  const column = /No such column '([A-Za-z0-9_.]{1,120})' on entity '([A-Za-z0-9_]{1,80})'/.exec(message);
  if (column?.[1] !== undefined && column[2] !== undefined) return { field: column[1], object: column[2] };
  const relation = /Didn't understand relationship '([A-Za-z0-9_]{1,80})'/.exec(message)?.[1];
  if (relation !== undefined) return { field: relation };
  const type = /sObject type '([A-Za-z0-9_]{1,80})'/.exec(message)?.[1];
  if (type !== undefined) return { object: type };
  const filter = /field '([A-Za-z0-9_.]{1,120})' can not be filtered/.exec(message)?.[1];
  return filter === undefined ? {} : { field: filter };
}

function queryError(doing: string, { errorCode, message }: Said, cause?: unknown): SalesforceQueryError {
  const about = namedIn(message);
  const place = /Row:(\d+):Column:(\d+)/.exec(message);
  const details = [
    about.field === undefined ? '' : ` for ${about.field}`,
    about.object === undefined ? '' : ` on ${about.object}`,
    place === null ? '' : ` at row ${place[1]}, column ${place[2]}`,
    errorCode === 'INVALID_FIELD' ? ' (unknown field, or hidden from the integration user)' : '',
  ].join('');
  return new SalesforceQueryError(`${doing}: refused with ${errorCode}${details}`, errorCode, about, { cause });
}

/** Seconds or a date of `Retry-After`, as milliseconds from now. */
function retryAfterMs(headers: HttpAnswer['headers']): number | null {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, DAILY_LIMIT_WAIT_MS) : null;
}

/**
 * Every answer that is not a success, as one of our errors; the only place that reads Salesforce's error forms.
 *
 * `doing` says what was asked, without values (`query on Lead`). The answer's own words are left out but for metadata names.
 * Total: an unknown code is judged by its status. Source: facts/salesforce.md §3.1, §3.6, §4.4.
 */
export function toSalesforceError(doing: string, answer: HttpAnswer): SyncError {
  const { status } = answer;
  const what = said(answer.body);
  const code = what?.errorCode ?? '';
  const text = `${doing}: answered ${status}${code === '' ? '' : ` ${code}`}`;

  if (code === 'REQUEST_LIMIT_EXCEEDED' || OAUTH_LIMIT_CODES.has(code) || status === 429) {
    const concurrent = what?.message.includes('Concurrent') ?? false;
    const wait = retryAfterMs(answer.headers) ?? (concurrent ? CONCURRENT_LIMIT_WAIT_MS : DAILY_LIMIT_WAIT_MS);
    return new SalesforceLimitError(text, wait);
  }
  if (TRANSIENT_CODES.has(code)) return new SalesforceUnavailableError(text);
  if (TOO_LARGE_CODES.has(code) || status === 414 || status === 431 || status === 413) {
    return new SalesforceQueryTooLargeError(text);
  }
  if (code === 'INVALID_QUERY_LOCATOR') return new SalesforceQueryExpiredError(text);
  if (code === 'INVALID_SESSION_ID') return new SalesforceSessionError(text);
  if (status === 401) return what === null ? new SalesforceSessionError(text) : new SalesforceAccessError(text);
  if (what !== null && (QUERY_CODES.has(code) || status === 405 || status === 415)) return queryError(doing, what);
  if (status === 403 || status === 410 || status === 420) {
    // An HTML 403 comes from something in between (a firewall, maintenance), not from the org's permissions.
    return what === null && status === 403 ? new SalesforceUnavailableError(text) : new SalesforceAccessError(text);
  }
  if (status === 400 && what !== null) {
    // The OAuth endpoint refuses in lower case (`invalid_grant`), REST in upper case (`JSON_PARSER_ERROR`).
    return /[a-z]/.test(code) ? new SalesforceAccessError(text) : queryError(doing, what);
  }
  return new SalesforceUnavailableError(text);
}

/** A call that got no answer: broken connection, refused, unknown host, or our own deadline. */
export function toTransportError(doing: string, error: unknown): SyncError {
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new SalesforceTimeoutError(`${doing}: no answer in time`, { cause: error });
  }
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return new SalesforceUnavailableError(`${doing}: ${typeof code === 'string' ? code : 'connection failed'}`, {
    cause: error,
  });
}
