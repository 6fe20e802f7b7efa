import { AccessRefusedError, isRecordError, isRetryable } from '@libs/contracts';
import { describe, expect, it } from 'vitest';
import { SalesforceLimitError, SalesforceQueryError } from '../errors.js';
import { apiUsedRatio } from './http.js';
import { toSalesforceError, toTransportError } from './to-salesforce-error.js';

const rest = (errorCode: string, message = 'x') => JSON.stringify([{ message, errorCode }]);
const oauth = (error: string) => JSON.stringify({ error, error_description: 'nope' });
const html = '<html><body>We are down for maintenance</body></html>';
const answer = (status: number, body: string, headers: Record<string, string> = {}) =>
  toSalesforceError('query on Lead', { status, headers, body });

// status, body, code of ours, is it a refused access (pause and probe)?
const cases: ReadonlyArray<readonly [string, number, string, string, boolean]> = [
  ['an unknown or hidden field', 400, rest('INVALID_FIELD'), 'salesforce.query_refused', true],
  ['an unknown object', 400, rest('INVALID_TYPE'), 'salesforce.query_refused', true],
  ['bad SOQL', 400, rest('MALFORMED_QUERY'), 'salesforce.query_refused', true],
  ['a bad id', 400, rest('MALFORMED_ID'), 'salesforce.query_refused', true],
  ['a field that cannot be filtered', 400, rest('INVALID_QUERY_FILTER_OPERATOR'), 'salesforce.query_refused', true],
  ['an unknown resource', 404, rest('NOT_FOUND'), 'salesforce.query_refused', true],
  ['a wrong method', 405, rest('METHOD_NOT_ALLOWED'), 'salesforce.query_refused', true],
  ['a wrong media type', 415, rest('UNSUPPORTED_MEDIA_TYPE'), 'salesforce.query_refused', true],
  ['a code nobody told us of', 400, rest('SOMETHING_NEW'), 'salesforce.query_refused', true],
  ['a slow query', 400, rest('QUERY_TIMEOUT'), 'salesforce.query_too_large', false],
  ['a heavy query', 400, rest('QUERY_TOO_COMPLICATED'), 'salesforce.query_too_large', false],
  ['a long URI', 414, html, 'salesforce.query_too_large', false],
  ['long headers', 431, '', 'salesforce.query_too_large', false],
  ['a cursor that timed out', 400, rest('INVALID_QUERY_LOCATOR'), 'salesforce.query_expired', false],
  ['a locked row', 400, rest('UNABLE_TO_LOCK_ROW'), 'salesforce.unavailable', false],
  ['an expired session', 401, rest('INVALID_SESSION_ID'), 'salesforce.session_refused', true],
  ['a 401 without a word', 401, html, 'salesforce.session_refused', true],
  ['a 401 of OAuth', 401, oauth('invalid_client'), 'salesforce.access_refused', true],
  [
    'the daily allowance',
    403,
    rest('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'),
    'salesforce.limit_exceeded',
    false,
  ],
  ['a disabled API', 403, rest('API_DISABLED_FOR_ORG'), 'salesforce.access_refused', true],
  ['a missing permission', 403, rest('INSUFFICIENT_ACCESS'), 'salesforce.access_refused', true],
  ['a feature not bought', 403, rest('FUNCTIONALITY_NOT_ENABLED'), 'salesforce.access_refused', true],
  ['a firewall', 403, html, 'salesforce.unavailable', false],
  ['a retired version', 410, rest('GONE'), 'salesforce.access_refused', true],
  ['an org that is gone', 420, html, 'salesforce.access_refused', true],
  ['an internal error', 500, rest('UNKNOWN_EXCEPTION'), 'salesforce.unavailable', false],
  ['maintenance', 503, html, 'salesforce.unavailable', false],
  ['maintenance in JSON', 503, rest('SERVER_UNAVAILABLE'), 'salesforce.unavailable', false],
  ['a bad gateway', 502, html, 'salesforce.unavailable', false],
  ['a gateway timeout', 504, '', 'salesforce.unavailable', false],
  ['a redirect', 302, '', 'salesforce.unavailable', false],
  ['half a body', 400, '[{"errorCode":"INV', 'salesforce.unavailable', false],
  ['a wrong secret', 400, oauth('invalid_client'), 'salesforce.access_refused', true],
  ['a refused grant', 400, oauth('invalid_grant'), 'salesforce.access_refused', true],
  ['an inactive user', 400, oauth('inactive_user'), 'salesforce.access_refused', true],
  ['no run-as user', 400, oauth('no client credentials user enabled'), 'salesforce.access_refused', true],
  ['too many logins', 400, oauth('rate_limit_exceeded'), 'salesforce.limit_exceeded', false],
];

describe('toSalesforceError', () => {
  it.each(cases)('%s (%i)', (_what, status, body, code, refused) => {
    const error = answer(status, body);
    expect(error.code).toBe(code);
    expect(error instanceof AccessRefusedError).toBe(refused);
    // Invariant 7: no answer of Salesforce is about one record
    expect(isRetryable(error)).toBe(true);
    expect(isRecordError(error)).toBe(false);
  });

  it.each([
    [
      'concurrent calls',
      rest('REQUEST_LIMIT_EXCEEDED', 'ConcurrentRequests (Concurrent API Requests) Limit exceeded.'),
      {},
      15_000,
    ],
    ['the day', rest('REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'), {}, 300_000],
    ['what it says', rest('REQUEST_LIMIT_EXCEEDED'), { 'retry-after': '7' }, 7_000],
  ])('waits for %s', (_what, body, headers, expected) => {
    const error = answer(403, body, headers);
    expect(error).toBeInstanceOf(SalesforceLimitError);
    expect(error.retryAfterMs).toBe(expected);
  });

  it('names metadata and place, never a value of the query', () => {
    const error = answer(
      400,
      rest(
        'INVALID_FIELD',
        "\nSELECT Id FROM Lead WHERE Foo__c = 'ann@example.com'\n ^\nERROR at Row:1:Column:27\nNo such column 'Foo__c' on entity 'Lead'.",
      ),
    ) as SalesforceQueryError;
    expect(error.about).toEqual({ field: 'Foo__c', object: 'Lead' });
    expect(error.message).toContain('Foo__c on Lead at row 1, column 27');
    expect(JSON.stringify([error, error.message])).not.toContain('ann@');
  });
});

describe('toTransportError', () => {
  it.each([
    ['a deadline', new DOMException('late', 'TimeoutError'), 'salesforce.timeout', 'no answer in time'],
    [
      'a refused connection',
      new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } }),
      'salesforce.unavailable',
      'ECONNREFUSED',
    ],
    ['a body cut short', new TypeError('terminated'), 'salesforce.unavailable', 'connection failed'],
  ])('%s', (_what, thrown, code, text) => {
    const error = toTransportError('query on Lead', thrown);
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(isRetryable(error)).toBe(true);
  });
});

describe('apiUsedRatio', () => {
  it.each([
    ['api-usage=18/5000', 0.0036],
    ['api-usage=18/100; per-app-api-usage=17/250(appName=x)', 0.18],
    ['nothing', null],
    [undefined, null],
    ['api-usage=0/0', null],
  ])('%s', (header, expected) => {
    expect(apiUsedRatio(header)).toBe(expected);
  });
});
