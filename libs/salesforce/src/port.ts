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

/** What describe says of a field to someone who chooses among fields. */
export interface DetailedField extends FieldDescription {
  /** As people see it. */
  readonly label: string;
  /** The text of a formula; `null` for a roll-up summary and for what is not calculated. */
  readonly calculatedFormula: string | null;
  /** In the order of the org; empty for what is no picklist. */
  readonly picklistValues: ReadonlyArray<{ readonly value: string; readonly active: boolean }>;
}

export interface DetailedObject extends ObjectDescription {
  readonly label: string;
  readonly fields: readonly DetailedField[];
}

/** Everything that this project asks of an org by REST. Errors: as {@link SalesforceClient}. */
export interface OrgClient extends SalesforceClient, AllowanceReader {
  describe(object: string): Promise<DetailedObject>;
  /** API names of the objects that can be queried, as this user sees them. */
  listObjects(): Promise<readonly string[]>;
}
