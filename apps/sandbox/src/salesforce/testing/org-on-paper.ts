import type { ChangeEvent } from '../events/change-event.js';
import type { TransactionLimits } from '../events/transaction-changes.js';
import { Schema } from '../schema/schema.js';
import { standardObjects } from '../schema/standard-objects.js';
import type { ObjectSchema } from '../schema/types.js';
import { seedPeople } from '../seed/people.js';
import { RecordStore } from '../store/record-store.js';
import type { StoredRecord } from '../store/values.js';
import type { InputRecord } from '../writes/read-input.js';
import { Writer } from '../writes/writer.js';

/** Records, their writer and the events that it emits, without doors: for specs of what a transaction does. */
export class OrgOnPaper {
  /** Moved by the spec. Epoch milliseconds. */
  now = Date.parse('2026-11-24T08:41:05Z');
  events: ChangeEvent[] = [];
  readonly store = new RecordStore(new Schema(standardObjects, () => this.now));
  readonly userId = seedPeople(this.store, this.now);
  readonly author = { userId: this.userId, changeOrigin: '' };
  readonly writer: Writer;

  constructor(limits?: TransactionLimits) {
    this.writer = new Writer(
      this.store,
      () => this.now,
      (emitted) => this.events.push(...emitted),
      limits,
    );
  }

  create(object: ObjectSchema, input: InputRecord): string {
    return this.writer.one({ kind: 'create', object, input }, this.author);
  }

  /** The record of an id that the spec knows to be there. */
  get(object: ObjectSchema, id: string): StoredRecord {
    const record = this.store.get(object, id);
    if (record === null) throw new Error(`no ${object.name} ${id}`);
    return record;
  }

  /** What the events say, one line each: type, entity, ids. */
  told() {
    return this.events.map(({ changeType, entity, recordIds }) => [changeType, entity, recordIds]);
  }

  close(): void {
    this.store.close();
  }
}
