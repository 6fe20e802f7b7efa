import { randomUUID } from 'node:crypto';
import { toRecordId } from '@libs/contracts';
import { malformedId, notFound, SalesforceError } from '../errors.js';
import { eventsOf, type ChangeEvent, type RecordWrite } from '../events/change-event.js';
import type { ObjectSchema } from '../schema/types.js';
import type { RecordStore } from '../store/record-store.js';
import type { StoredRecord } from '../store/values.js';
import { readInput, type InputRecord } from './read-input.js';

/** Who writes: what a change event's header tells. */
export interface Author {
  readonly userId: string;
  /** `com/salesforce/api/rest/67.0;client=X`; empty for a change that no API made. */
  readonly changeOrigin: string;
}

/** One record of a request that writes several. */
export type WriteRequest =
  | { kind: 'create'; object: ObjectSchema; input: InputRecord }
  | { kind: 'update'; object: ObjectSchema; id: string; input: InputRecord }
  | { kind: 'delete' | 'undelete'; object: ObjectSchema; id: string };

/** What became of one record of a request, in the order of the request. */
export type WriteResult = { id: string } | { error: SalesforceError };

/** A write that was undone because another of an all-or-none request failed. */
const rolledBack = () =>
  new SalesforceError(
    400,
    'ALL_OR_NONE_OPERATION_ROLLED_BACK',
    'Record rolled back because not all records were valid and the request was using AllOrNone header',
    [],
  );

/** Signals a rollback; never leaves this file. */
class AllOrNoneFailure extends Error {}

/**
 * The one way records change: checks, writes and emits the change events of the transaction. Seeding goes around it, since
 * its records were there before.
 */
export class Writer {
  private commits = 0;

  constructor(
    private readonly store: RecordStore,
    private readonly now: () => number,
    private readonly emit: (events: readonly ChangeEvent[]) => void,
  ) {}

  /** Writes one record in a transaction of its own. Answers its id; throws what Salesforce would answer. */
  one(request: WriteRequest, author: Author): string {
    const [result] = this.many([request], author, true);
    if (result === undefined || 'error' in result) throw result?.error ?? notFound();
    return result.id;
  }

  /** Writes several records in one transaction. With `allOrNone`, one failure undoes all and each other is told so. */
  many(requests: readonly WriteRequest[], author: Author, allOrNone: boolean): WriteResult[] {
    const writes: RecordWrite[] = [];
    const results: WriteResult[] = [];
    try {
      this.store.transaction(() => {
        for (const request of requests) {
          try {
            results.push({ id: this.apply(request, author, writes) });
          } catch (error) {
            if (!(error instanceof SalesforceError)) throw error;
            results.push({ error });
          }
        }
        if (allOrNone && results.some((one) => 'error' in one)) throw new AllOrNoneFailure();
      });
    } catch (error) {
      if (!(error instanceof AllOrNoneFailure)) throw error;
      return results.map((one) => ('error' in one ? one : { error: rolledBack() }));
    }
    this.emit(eventsOf(writes, this.commit(author)));
    return results;
  }

  /** The header part that all events of a transaction share. */
  commit(author: Author) {
    this.commits += 1;
    const commitTimestamp = this.second();
    return {
      changeOrigin: author.changeOrigin,
      transactionKey: randomUUID(),
      commitTimestamp,
      // Nanoseconds of the second plus a count: 19 digits, beyond what a JavaScript number holds, as on Hyperforce.
      commitNumber: String(BigInt(commitTimestamp) * 1_000_000n + BigInt(this.commits % 1_000_000_000)),
      commitUser: author.userId,
    };
  }

  /** Time as records carry it: whole seconds. */
  private second(): number {
    return Math.floor(this.now() / 1000) * 1000;
  }

  private apply(request: WriteRequest, author: Author, writes: RecordWrite[]): string {
    const { object } = request;
    if (!object.writable) {
      throw new SalesforceError(
        400,
        'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
        `entity type ${object.label} cannot be written through the API`,
      );
    }
    if (request.kind === 'create') return this.create(object, request.input, author, writes);
    if (request.kind === 'update') return this.update(object, request.id, request.input, author, writes);
    return this.setDeleted(object, request.id, request.kind === 'delete', author, writes);
  }

  private create(object: ObjectSchema, input: InputRecord, author: Author, writes: RecordWrite[]): string {
    const values = readInput(this.store.schema, object, input, 'create');
    this.checkReferences(object, values);
    const now = this.second();
    const id = this.store.nextId(object);
    this.store.insert(object, {
      ...defaultsOf(object, author),
      ...values,
      Id: id,
      CreatedDate: now,
      CreatedById: author.userId,
      LastModifiedDate: now,
      LastModifiedById: author.userId,
      SystemModstamp: now,
    });
    writes.push({ object, changeType: 'CREATE', id, before: null, after: this.store.get(object, id) });
    return id;
  }

  private update(
    object: ObjectSchema,
    rawId: string,
    input: InputRecord,
    author: Author,
    writes: RecordWrite[],
  ): string {
    const before = this.existing(object, rawId);
    if (before['IsDeleted'] === 1) throw isDeletedError();
    if (before['IsConverted'] === 1) {
      throw new SalesforceError(400, 'CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
    }
    const values = readInput(this.store.schema, object, input, 'update');
    this.checkReferences(object, values);
    const id = String(before['Id']);
    this.touch(object, id, values, author);
    writes.push({ object, changeType: 'UPDATE', id, before, after: this.store.get(object, id) });
    return id;
  }

  private setDeleted(
    object: ObjectSchema,
    rawId: string,
    deleted: boolean,
    author: Author,
    writes: RecordWrite[],
  ): string {
    const before = this.existing(object, rawId);
    if (!('IsDeleted' in before)) {
      throw new SalesforceError(400, 'INVALID_TYPE_FOR_OPERATION', `entity type ${object.label} cannot be deleted`);
    }
    const id = String(before['Id']);
    if (deleted === (before['IsDeleted'] === 1)) {
      if (deleted) throw isDeletedError();
      throw new SalesforceError(400, 'UNDELETE_FAILED', 'Entity is not in the recycle bin');
    }
    this.touch(object, id, { IsDeleted: deleted ? 1 : 0 }, author);
    const after = deleted ? null : this.store.get(object, id);
    writes.push({ object, changeType: deleted ? 'DELETE' : 'UNDELETE', id, before, after });
    for (const child of this.cascaded(object, id, before, deleted)) {
      this.setDeleted(child.object, child.id, deleted, author, writes);
    }
    return id;
  }

  /** Children that go with their parent: alive ones on deletion; those deleted in the same second on undeletion. */
  private cascaded(object: ObjectSchema, id: string, before: StoredRecord, deleted: boolean) {
    return this.store.schema.all().flatMap((child) =>
      child.fields
        .filter((one) => one.cascadeDelete && one.referenceTo.includes(object.name))
        .flatMap((one) => this.store.idsWhere(child, one.name, id))
        .filter((childId) => {
          const record = this.store.get(child, childId);
          if (deleted) return record?.['IsDeleted'] === 0;
          return record?.['IsDeleted'] === 1 && record['SystemModstamp'] === before['SystemModstamp'];
        })
        .map((childId) => ({ object: child, id: childId })),
    );
  }

  private touch(object: ObjectSchema, id: string, values: StoredRecord, author: Author): void {
    const now = this.second();
    this.store.update(object, id, {
      ...values,
      LastModifiedDate: now,
      LastModifiedById: author.userId,
      SystemModstamp: now,
    });
  }

  private existing(object: ObjectSchema, rawId: string): StoredRecord {
    const id = toRecordId(rawId);
    if (id === null) throw malformedId(rawId);
    const record = this.store.get(object, id);
    if (record === null) throw notFound();
    return record;
  }

  private checkReferences(object: ObjectSchema, values: StoredRecord): void {
    for (const [name, value] of Object.entries(values)) {
      const field = this.store.schema.field(object, name);
      if (field?.type !== 'reference' || value === null) continue;
      const target = this.store.schema.objectOfId(String(value));
      if (target === null || !field.referenceTo.includes(target.name)) {
        throw new SalesforceError(400, 'MALFORMED_ID', `${field.label}: id value of incorrect type: ${value}`, [name]);
      }
      const record = this.store.get(target, String(value));
      if (record === null || record['IsDeleted'] === 1) {
        throw new SalesforceError(400, 'INVALID_CROSS_REFERENCE_KEY', 'invalid cross reference id', [name]);
      }
    }
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
