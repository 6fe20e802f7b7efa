import type { ObjectSchema } from '../schema/types.js';
import type { StoredRecord } from '../store/values.js';

export const changeTypes = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'GAP_OVERFLOW',
] as const;
export type ChangeType = (typeof changeTypes)[number];

/** What one transaction did to one record. */
export interface RecordWrite {
  readonly object: ObjectSchema;
  readonly changeType: ChangeType;
  readonly id: string;
  /** All fields before; null on CREATE. */
  readonly before: StoredRecord | null;
  /** All fields after; null on DELETE. */
  readonly after: StoredRecord | null;
}

/** Who made a transaction, and when. */
export interface Commit {
  /** `com/salesforce/api/rest/66.0;client=MyApp`; empty when nobody used an API. */
  readonly changeOrigin: string;
  readonly transactionKey: string;
  /** Epoch milliseconds, whole seconds. */
  readonly commitTimestamp: number;
  /** Decimal digits: greater than a JavaScript number can hold. */
  readonly commitNumber: string;
  readonly commitUser: string;
}

/**
 * A change event apart from any wire form. Fields are flat and named as in SOQL; how CometD and Pub/Sub nest them, which
 * nulls they show and how they name changed fields is decided where they are printed.
 */
export interface ChangeEvent extends Commit {
  readonly entity: string;
  readonly recordIds: readonly string[];
  readonly changeType: ChangeType;
  readonly sequenceNumber: number;
  /** Only on UPDATE. */
  readonly changedFields: readonly string[];
  /** The changed fields that became blank; only on UPDATE. */
  readonly nulledFields: readonly string[];
  /** Empty on DELETE and on gap and overflow events. */
  readonly body: StoredRecord;
  /** Changed long texts of which the Pub/Sub API sends a patch (unified diff), by field. Source: facts/salesforce.md §2.3. */
  readonly diffs?: Readonly<Record<string, string>>;
}

/** The id that an overflow event names: of no record. Source: facts/salesforce.md §1.6. */
export const EMPTY_ID = '000000000000000AAA';
