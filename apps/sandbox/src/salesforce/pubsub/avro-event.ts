import avro from 'avsc';
import type { ChangeEvent } from '../events/change-event.js';
import type { StoredValue } from '../store/values.js';
import { bitmapsOf } from './bitmap.js';
import { slotType, type EventLayout, type EventSlot } from './event-layout.js';

/** Longs as they are, also above 2^53 (`commitNumber` on Hyperforce). Read back: a number where it fits, else a BigInt. */
const exactLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = bytes.readBigInt64LE();
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  },
  toBuffer: (value: number | bigint) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: Number,
  isValid: (value: unknown) => typeof value === 'bigint' || Number.isSafeInteger(value),
  compare: (one: number | bigint, other: number | bigint) => (one === other ? 0 : one < other ? -1 : 1),
});

/** Writes and reads the events of one schema. */
export function avroTypeOfSchema(schema: object): avro.Type {
  return avro.Type.forSchema(schema as avro.Schema, { registry: { long: exactLong } });
}

/**
 * A change event as the Pub/Sub API carries it: every field present, null when it did not change or is empty, dates as epoch
 * milliseconds, the changed fields as bitmaps, a long text that changed in part as a patch. Source: facts/salesforce.md §1.5, §2.3.
 */
export function avroValueOf(event: ChangeEvent, layout: EventLayout): Record<string, unknown> {
  const { body, diffs = {} } = event;
  const value = (slot: EventSlot) => {
    const stored = slot.field === null ? null : (diffs[slot.field.name] ?? body[slot.field.name] ?? null);
    return stored === null ? null : avroValue(slot, stored);
  };
  const isUpdate = event.changeType === 'UPDATE';
  const record: Record<string, unknown> = {
    ChangeEventHeader: {
      entityName: event.entity,
      recordIds: event.recordIds,
      changeType: event.changeType,
      changeOrigin: event.changeOrigin,
      transactionKey: event.transactionKey,
      sequenceNumber: event.sequenceNumber,
      commitTimestamp: event.commitTimestamp,
      commitNumber: BigInt(event.commitNumber),
      commitUser: event.commitUser,
      nulledFields: isUpdate ? bitmapsOf(layout, event.nulledFields, true) : [],
      diffFields: bitmapsOf(layout, Object.keys(diffs)),
      changedFields: isUpdate ? bitmapsOf(layout, event.changedFields) : [],
    },
  };
  for (const field of layout.fields) {
    if (field.parts === null) {
      record[field.name] = value(field);
      continue;
    }
    const parts = field.parts.map((part): [string, unknown] => [part.name, value(part)]);
    record[field.name] = parts.every(([, part]) => part === null) ? null : Object.fromEntries(parts);
  }
  return record;
}

function avroValue(slot: EventSlot, stored: Exclude<StoredValue, null>): unknown {
  if (slot.field?.type === 'date') return Date.parse(`${stored}T00:00:00Z`);
  return slotType(slot) === 'boolean' ? stored === 1 : stored;
}
