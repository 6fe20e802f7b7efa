import { notFound, SalesforceError } from '../errors.js';
import type { ChangeEvent } from '../events/change-event.js';
import type { TransactionLimits } from '../events/transaction-changes.js';
import type { ObjectSchema } from '../schema/types.js';
import type { RecordStore } from '../store/record-store.js';
import type { StoredRecord } from '../store/values.js';
import { readInput, type InputRecord } from './read-input.js';
import { Transaction, type Author } from './transaction.js';

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
    private readonly limits?: TransactionLimits,
  ) {}

  /** Writes one record in a transaction of its own. Answers its id; throws what Salesforce would answer. */
  one(request: WriteRequest, author: Author): string {
    const [result] = this.many([request], author, true);
    if (result === undefined || 'error' in result) throw result?.error ?? notFound();
    return result.id;
  }

  /** Writes several records in one transaction. With `allOrNone`, one failure undoes all and each other is told so. */
  many(requests: Iterable<WriteRequest>, author: Author, allOrNone: boolean): WriteResult[] {
    const results: WriteResult[] = [];
    try {
      this.transaction(author, (transaction) => {
        for (const request of requests) {
          try {
            results.push({ id: this.apply(transaction, request) });
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
    return results;
  }

  /** Runs `work` as one transaction and emits its events. An exception undoes it, and nothing is emitted. */
  transaction<T>(author: Author, work: (transaction: Transaction) => T): T {
    const transaction = new Transaction(this.store, author, this.now(), this.limits);
    const result = this.store.transaction(() => work(transaction));
    this.commits += 1;
    this.emit(transaction.changes.events(transaction.commit(this.commits)));
    return result;
  }

  /** The header of an event that is emitted by hand. */
  commit(author: Author) {
    this.commits += 1;
    return new Transaction(this.store, author, this.now()).commit(this.commits);
  }

  private apply(transaction: Transaction, request: WriteRequest): string {
    const { object } = request;
    if (!object.writable) {
      throw new SalesforceError(
        400,
        'CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY',
        `entity type ${object.label} cannot be written through the API`,
      );
    }
    if (request.kind === 'create') return transaction.create(object, this.read(object, request.input, 'create'));
    if (request.kind === 'update') return this.update(transaction, object, request.id, request.input);
    return request.kind === 'delete' ? transaction.remove(object, request.id) : transaction.restore(object, request.id);
  }

  private update(transaction: Transaction, object: ObjectSchema, rawId: string, input: InputRecord): string {
    const before = transaction.alive(object, rawId);
    if (before['IsConverted'] === 1) {
      throw new SalesforceError(400, 'CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead');
    }
    return transaction.update(object, before, this.read(object, input, 'update'));
  }

  private read(object: ObjectSchema, input: InputRecord, mode: 'create' | 'update'): StoredRecord {
    const values = readInput(this.store.schema, object, input, mode);
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
    return values;
  }
}
