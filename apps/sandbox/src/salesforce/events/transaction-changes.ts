import type { FieldSchema, ObjectSchema } from '../schema/types.js';
import type { StoredRecord } from '../store/values.js';
import { EMPTY_ID, type ChangeEvent, type Commit, type RecordWrite } from './change-event.js';
import { textDiff } from './text-diff.js';

/** What one transaction may tell. */
export interface TransactionLimits {
  /** Most changes that have events; one for each creation, deletion and restoration, one for each changed field of an update. */
  readonly changes: number;
  /** Most ids in a merged event. */
  readonly idsPerEvent: number;
}

/** Source of the first: facts/salesforce.md §1.6. The second is not documented; it keeps an event far below 1 MB. */
export const defaultTransactionLimits: TransactionLimits = { changes: 100_000, idsPerEvent: 2_000 };

type EventBody = Pick<ChangeEvent, 'body' | 'changedFields' | 'nulledFields' | 'diffs'>;

const NOTHING: EventBody = { body: {}, changedFields: [], nulledFields: [] };
/** System fields that every update moves: they are told, and are no change of their own. */
const STAMPS = ['LastModifiedDate', 'LastModifiedById'];

/**
 * What a transaction did, record by record, kept small: of an update only the fields that changed. Becomes its events: the
 * same change of several records of one object is one event with all their ids; several writes to one record are one event of
 * the first kind with the final data; what is beyond the limit is an overflow event of each entity.
 * Source: facts/salesforce.md §1.5 (body rules), §1.6 (merging, overflow).
 */
export class TransactionChanges {
  private readonly byRecord = new Map<string, RecordWrite>();
  private readonly overflown = new Set<ObjectSchema>();
  private counted = 0;

  constructor(private readonly limits: TransactionLimits = defaultTransactionLimits) {}

  /** Adds a write with the whole record before and after it. */
  add(write: RecordWrite): void {
    const slim = slimmed(write);
    const changes = slim.changeType === 'UPDATE' ? updatedFields(slim).length : 1;
    if (this.counted + changes > this.limits.changes) {
      this.counted = this.limits.changes;
      this.overflown.add(write.object);
      return;
    }
    this.counted += changes;
    const earlier = this.byRecord.get(write.id);
    this.byRecord.set(write.id, earlier === undefined ? slim : joined(earlier, slim));
  }

  /** The events, in the order in which their first records were written. */
  events(commit: Commit): ChangeEvent[] {
    const merged = new Map<string, { write: RecordWrite; body: EventBody; ids: string[] }>();
    const all: Array<{ write: RecordWrite; body: EventBody; ids: string[] }> = [];
    for (const write of this.byRecord.values()) {
      const body = bodyOf(write);
      const key = JSON.stringify([write.object.name, write.changeType, body]);
      const known = merged.get(key);
      if (known !== undefined && known.ids.length < this.limits.idsPerEvent) {
        known.ids.push(write.id);
        continue;
      }
      const event = { write, body, ids: [write.id] };
      merged.set(key, event);
      all.push(event);
    }
    const events = all.map(({ write, body, ids }, index) => ({
      ...commit,
      entity: write.object.name,
      recordIds: ids,
      changeType: write.changeType,
      sequenceNumber: index + 1,
      ...body,
    }));
    const overflows = [...this.overflown].map((object, index): ChangeEvent => ({
      ...commit,
      entity: object.name,
      recordIds: [EMPTY_ID],
      changeType: 'GAP_OVERFLOW',
      sequenceNumber: events.length + index + 1,
      ...NOTHING,
    }));
    return [...events, ...overflows];
  }
}

/** The write without the fields that its event does not need. */
function slimmed(write: RecordWrite): RecordWrite {
  const { object, changeType, before, after } = write;
  if (after === null || changeType === 'DELETE') return { ...write, before: null, after: null };
  const fields = object.fields.filter((one) => one.inEvents);
  if (changeType !== 'UPDATE' || before === null) {
    return {
      ...write,
      before: null,
      after: pick(
        after,
        fields.filter((one) => after[one.name] !== null),
      ),
    };
  }
  // LastModifiedDate is always told, even when the second has not changed.
  const kept = fields.filter((one) => before[one.name] !== after[one.name] || one.name === 'LastModifiedDate');
  return { ...write, before: pick(before, kept), after: pick(after, kept) };
}

function joined(earlier: RecordWrite, later: RecordWrite): RecordWrite {
  const before = earlier.before === null ? null : { ...later.before, ...earlier.before };
  const after = later.after === null || earlier.after === null ? later.after : { ...earlier.after, ...later.after };
  return { ...earlier, before, after };
}

function updatedFields({ object, before, after }: RecordWrite): FieldSchema[] {
  return object.fields.filter(({ name }) => before?.[name] !== after?.[name] && !STAMPS.includes(name));
}

function bodyOf({ object, changeType, before, after }: RecordWrite): EventBody {
  if (after === null || changeType === 'DELETE') return NOTHING;
  const fields = object.fields.filter((one) => one.name in after);
  if (changeType !== 'UPDATE' || before === null) {
    return {
      ...NOTHING,
      body: pick(
        after,
        fields.filter((one) => after[one.name] !== null),
      ),
    };
  }
  const changed = fields.filter((one) => before[one.name] !== after[one.name]);
  const told = fields.filter((one) => changed.includes(one) || one.name === 'LastModifiedDate');
  const diffs = diffsOf(changed, before, after);
  return {
    body: pick(after, told),
    changedFields: told.map((one) => one.name),
    nulledFields: changed.filter((one) => after[one.name] === null).map((one) => one.name),
    ...(Object.keys(diffs).length === 0 ? {} : { diffs }),
  };
}

function diffsOf(changed: readonly FieldSchema[], before: StoredRecord, after: StoredRecord): Record<string, string> {
  const diffs: Record<string, string> = {};
  for (const { name, type } of changed) {
    const [old, next] = [before[name], after[name]];
    if (type !== 'textarea' || typeof old !== 'string' || typeof next !== 'string') continue;
    const diff = textDiff(old, next);
    if (diff !== null) diffs[name] = diff;
  }
  return diffs;
}

function pick(record: StoredRecord, fields: readonly FieldSchema[]): StoredRecord {
  return Object.fromEntries(fields.map((one) => [one.name, record[one.name] ?? null]));
}
