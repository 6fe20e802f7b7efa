import { AccessRefusedError, SyncError } from '@libs/contracts';

/** Salesforce could not be reached, or answered that it cannot answer now: 5xx, HTML, a broken connection or body. */
export class SalesforceUnavailableError extends SyncError {
  readonly code = 'salesforce.unavailable';
  readonly retryable = true;
}

/** No answer within the deadline of the call. What Salesforce did with it is unknown; reads are safe to repeat. */
export class SalesforceTimeoutError extends SyncError {
  readonly code = 'salesforce.timeout';
  readonly retryable = true;
}

/** The org's request allowance, or its allowance of long concurrent calls, is used up. Wait `retryAfterMs`. */
export class SalesforceLimitError extends SyncError {
  readonly code = 'salesforce.limit_exceeded';
  readonly retryable = true;

  constructor(
    message: string,
    override readonly retryAfterMs: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The access token is no longer good. The client renews the session itself; callers see this only when that did not help. */
export class SalesforceSessionError extends AccessRefusedError {
  readonly code = 'salesforce.session_refused';
}

/** The credential, the user or the org is refused: wrong secret, missing permission, API disabled, org gone, version retired. */
export class SalesforceAccessError extends AccessRefusedError {
  readonly code = 'salesforce.access_refused';
}

/**
 * Salesforce refuses the query or the object as it stands: unknown or hidden field, unknown object, malformed SOQL.
 *
 * It is about a mapping, a condition or a permission, never about a record: a field hidden by field-level security gives
 * the very text of a misspelt one. So it counts as a lost permission (invariant 7): reading pauses and probes, and nothing
 * is dead-lettered. Who asked with a condition of a person's (backfill) catches it and answers with the reason.
 */
export class SalesforceQueryError extends AccessRefusedError {
  readonly code = 'salesforce.query_refused';

  constructor(
    message: string,
    /** Salesforce's own code, e.g. `INVALID_FIELD`. */
    readonly errorCode: string,
    /** What the answer names, when it does. Metadata names, no values. */
    readonly about: { readonly object?: string; readonly field?: string } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Too much asked in one go: URI or query too long, too complicated, or running over 120 s. Ask for fewer ids or rows. */
export class SalesforceQueryTooLargeError extends SyncError {
  readonly code = 'salesforce.query_too_large';
  readonly retryable = true;
}

/** The locator of a half-read result is no longer good: begin the query anew (`queryMore` will not recover). */
export class SalesforceQueryExpiredError extends SyncError {
  readonly code = 'salesforce.query_expired';
  readonly retryable = true;
}
