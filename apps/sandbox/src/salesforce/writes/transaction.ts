import { randomUUID } from 'node:crypto';
import { toRecordId } from '@libs/contracts';
import { malformedId, notFound, SalesforceError } from '../errors.js';
import { TransactionChanges, type TransactionLimits } from '../events/transaction-changes.js';
import type { ObjectSchema } from '../schema/types.js';
import type { RecordStore } from '../store/record-store.js';
import type { StoredRecord } from '../store/values.js';

/** Who writes: what a change event's header tells. */
export interface Author {
  readonly userId: string;
  /** `com/salesforce/api/rest/67.0;client=X`; empty for a change that no API made. */
  readonly changeOrigin: string;
}

/**
 * Writes of stored values, inside one transaction of the store: stamps them, follows cascades and keeps what the change events
 * need. Knows the rules of the rows, not those of requests: what a client may write is checked before.
 */
export class Transaction {
  readonly changes: TransactionChanges;
  /** Epoch milliseconds, whole seconds, as records carry them. */
  readonly second: number;

  constructor(
    readonly store: RecordStore,
    readonly author: Author,
    now: number,
    limits?: TransactionLimits,
  ) {
    this.changes = new TransactionChanges(limits);
    this.second = Math.floor(now / 1000) * 1000;
  }

  /** The record of an id in either length, deleted or not. Throws MALFORMED_ID and NOT_FOUND. */
  existing(object: ObjectSchema, rawId: string): StoredRecord {
    const id = toRecordId(rawId);
    if (id === null) throw malformedId(rawId);
    const record = this.store.get(object, id);
    if (record === null) throw notFound();
    return record;
  }

  /** The record if it is alive. Throws ENTITY_IS_DELETED too. */
  alive(object: ObjectSchema, rawId: string): StoredRecord {
    const record = this.existing(object, rawId);
    if (record['IsDeleted'] === 1) throw isDeletedError();
    return record;
  }

  /** Inserts a record with the defaults of what `values` leaves out. Answers its id. */
  create(object: ObjectSchema, values: StoredRecord): string {
    const id = this.store.nextId(object);
    this.store.insert(object, {
      ...defaultsOf(object, this.author),
      ...values,
      Id: id,
      CreatedDate: this.second,
      CreatedById: this.author.userId,
      LastModifiedDate: this.second,
      LastModifiedById: this.author.userId,
      SystemModstamp: this.second,
    });
    this.changes.add({ object, changeType: 'CREATE', id, before: null, after: this.store.get(object, id) });
    return id;
  }

  update(object: ObjectSchema, before: StoredRecord, values: StoredRecord): string {
    const id = String(before['Id']);
    this.touch(object, id, values);
    this.changes.add({ object, changeType: 'UPDATE', id, before, after: this.store.get(object, id) });
    return id;
  }

  /** Changes a record without an event, as the system does when it reparents: only SystemModstamp shows it. */
  updateSilently(object: ObjectSchema, id: string, values: StoredRecord): void {
    this.store.update(object, id, { ...values, SystemModstamp: this.second });
  }

  /** Puts a record and what hangs on it into the recycle bin. `values` are written with it. */
  remove(object: ObjectSchema, rawId: string, values: StoredRecord = {}): string {
    const before = this.deletable(object, rawId);
    if (before['IsDeleted'] === 1) throw isDeletedError();
    const id = String(before['Id']);
    this.touch(object, id, { ...values, IsDeleted: 1 });
    this.changes.add({ object, changeType: 'DELETE', id, before, after: null });
    for (const child of this.children(object, id)) {
      if (child.record['IsDeleted'] === 0) this.remove(child.object, String(child.record['Id']));
    }
    return id;
  }

  /** Brings a record back, with the children that were deleted in the same second. */
  restore(object: ObjectSchema, rawId: string): string {
    const before = this.deletable(object, rawId);
    if (before['IsDeleted'] !== 1) {
      throw new SalesforceError(400, 'UNDELETE_FAILED', 'Entity is not in the recycle bin');
    }
    const id = String(before['Id']);
    const pointer: StoredRecord = 'MasterRecordId' in before ? { MasterRecordId: null } : {};
    this.touch(object, id, { ...pointer, IsDeleted: 0 });
    this.changes.add({ object, changeType: 'UNDELETE', id, before, after: this.store.get(object, id) });
    for (const child of this.children(object, id)) {
      const { IsDeleted, SystemModstamp } = child.record;
      if (IsDeleted === 1 && SystemModstamp === before['SystemModstamp']) {
        this.restore(child.object, String(child.record['Id']));
      }
    }
    return id;
  }

  /** What all events of this transaction share. `n` numbers the commits of the org. */
  commit(n: number) {
    return {
      changeOrigin: this.author.changeOrigin,
      transactionKey: randomUUID(),
      commitTimestamp: this.second,
      // Nanoseconds of the second plus a count: 19 digits, beyond what a JavaScript number holds, as on Hyperforce.
      commitNumber: String(BigInt(this.second) * 1_000_000n + BigInt(n % 1_000_000_000)),
      commitUser: this.author.userId,
    };
  }

  private deletable(object: ObjectSchema, rawId: string): StoredRecord {
    const record = this.existing(object, rawId);
    if ('IsDeleted' in record) return record;
    throw new SalesforceError(400, 'INVALID_TYPE_FOR_OPERATION', `entity type ${object.label} cannot be deleted`);
  }

  /** Records that go when this one goes. */
  private children(object: ObjectSchema, id: string): Array<{ object: ObjectSchema; record: StoredRecord }> {
    return this.store.schema.all().flatMap((child) =>
      child.fields
        .filter((one) => one.cascadeDelete && one.referenceTo.includes(object.name))
        .flatMap((one) => this.store.idsWhere(child, one.name, id))
        .flatMap((childId) => {
          const record = this.store.get(child, childId);
          return record === null ? [] : [{ object: child, record }];
        }),
    );
  }

  private touch(object: ObjectSchema, id: string, values: StoredRecord): void {
    this.store.update(object, id, {
      ...values,
      LastModifiedDate: this.second,
      LastModifiedById: this.author.userId,
      SystemModstamp: this.second,
    });
  }
}

function isDeletedError() {
  return new SalesforceError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
}

function defaultsOf(object: ObjectSchema, author: Author): StoredRecord {
  const defaults: StoredRecord = {};
  for (const field of object.fields) {
    if (field.computed !== null) continue;
    const { defaultValue } = field;
    if (field.name === 'OwnerId') defaults[field.name] = author.userId;
    else if (typeof defaultValue === 'boolean') defaults[field.name] = defaultValue ? 1 : 0;
    else if (defaultValue !== null) defaults[field.name] = defaultValue;
  }
  return defaults;
}
