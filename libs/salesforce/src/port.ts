/** A row of a query: nested objects for parents, `null` where a lookup is empty; `attributes` as Salesforce gives them. */
export type SalesforceRecord = { readonly [field: string]: unknown };

/** One page of a query. */
export interface QueryPage {
  /** Rows of the whole result, not of the page. */
  readonly totalSize: number;
  readonly records: readonly SalesforceRecord[];
  /** Give to `queryMore` for the next page; `null` on the last. */
  readonly next: string | null;
}

export interface QueryOptions {
  /** Also rows in the recycle bin (queryAll). */
  readonly includeDeleted?: boolean;
  /** Wished rows a page, 200 to 2,000. Salesforce may give fewer. */
  readonly pageSize?: number;
  readonly signal?: AbortSignal;
}

/** What describe says of a field, as far as this project reads it. */
export interface FieldDescription {
  readonly name: string;
  readonly type: string;
  readonly calculated: boolean;
  readonly nillable: boolean;
  readonly filterable: boolean;
  readonly length: number;
  readonly relationshipName: string | null;
  readonly referenceTo: readonly string[];
}

export interface ObjectDescription {
  readonly name: string;
  readonly keyPrefix: string | null;
  readonly fields: readonly FieldDescription[];
}

/** What an org may use in a rolling day, and what is left of it. */
export interface Allowance {
  readonly max: number;
  readonly remaining: number;
}

/**
 * REST calls to one org, with one session that renews itself on 401.
 * Errors: the classes of ./errors.ts, every one a SyncError with its retryable flag; each call has its own deadline.
 */
export interface SalesforceClient {
  query(soql: string, options?: QueryOptions): Promise<QueryPage>;
  queryMore(next: string, options?: Pick<QueryOptions, 'signal'>): Promise<QueryPage>;
  describe(object: string): Promise<ObjectDescription>;
  /** Opens a session now, if there is none: for the start and for probes. */
  connect(): Promise<{ readonly organizationId: string; readonly userId: string; readonly instanceUrl: string }>;
}

/** Reads what an org may still use. Errors: as {@link SalesforceClient}. */
export interface AllowanceReader {
  /** The org's allowances by Salesforce's name, e.g. `DailyDeliveredPlatformEvents`; they may be some minutes old. */
  limits(): Promise<ReadonlyMap<string, Allowance>>;
}
