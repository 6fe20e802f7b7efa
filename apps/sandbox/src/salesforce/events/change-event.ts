import type { FieldSchema, ObjectSchema } from '../schema/types.js';
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
}

type EventBody = Pick<ChangeEvent, 'body' | 'changedFields' | 'nulledFields'>;

/**
 * The events of one transaction, in order. The same change of several records of one object is one event with all their
 * ids; several writes to one record are one event of the first kind with the final data.
 * Source: facts/salesforce.md §1.5 (body rules), §1.6 (merging).
 */
export function eventsOf(writes: readonly RecordWrite[], commit: Commit): ChangeEvent[] {
  const merged = new Map<string, { write: RecordWrite; body: EventBody; ids: string[] }>();
  for (const write of squash(writes)) {
    const body = bodyOf(write);
    const key = JSON.stringify([write.object.name, write.changeType, body]);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, { write, body, ids: [write.id] });
    else known.ids.push(write.id);
  }
  return [...merged.values()].map(({ write, body, ids }, index) => ({
    ...commit,
    entity: write.object.name,
    recordIds: ids,
    changeType: write.changeType,
    sequenceNumber: index + 1,
    ...body,
  }));
}

/** One write a record: the first kind, the data before the first and after the last. */
function squash(writes: readonly RecordWrite[]): RecordWrite[] {
  const byRecord = new Map<string, RecordWrite>();
  for (const write of writes) {
    const earlier = byRecord.get(write.id);
    byRecord.set(write.id, earlier === undefined ? write : { ...earlier, after: write.after });
  }
  return [...byRecord.values()];
}

function bodyOf(write: RecordWrite): EventBody {
  const { before, after } = write;
  if (after === null || write.changeType === 'DELETE') return { body: {}, changedFields: [], nulledFields: [] };
  const fields = write.object.fields.filter((one) => one.inEvents);
  if (write.changeType !== 'UPDATE' || before === null) {
    return {
      body: pick(
        after,
        fields.filter((one) => after[one.name] !== null),
      ),
      changedFields: [],
      nulledFields: [],
    };
  }
  const changed = fields.filter((one) => before[one.name] !== after[one.name]);
  // LastModifiedDate is always told, even when the second has not changed.
  const told = fields.filter((one) => changed.includes(one) || one.name === 'LastModifiedDate');
  return {
    body: pick(after, told),
    changedFields: told.map((one) => one.name),
    nulledFields: changed.filter((one) => after[one.name] === null).map((one) => one.name),
  };
}

function pick(record: StoredRecord, fields: readonly FieldSchema[]): StoredRecord {
  return Object.fromEntries(fields.map((one) => [one.name, record[one.name] ?? null]));
}
