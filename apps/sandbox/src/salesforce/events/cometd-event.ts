import { schemaId } from '../schema/schema-id.js';
import type { Schema } from '../schema/schema.js';
import type { FieldSchema } from '../schema/types.js';
import type { StoredValue } from '../store/values.js';
import type { ChangeEvent } from './change-event.js';

declare global {
  interface JSON {
    /** A piece of JSON text that `stringify` copies as it is. In V8, not yet in TypeScript's library. */
    rawJSON(text: string): object;
  }
}

const FRACTIONAL = new Set(['double', 'currency', 'percent']);

/**
 * The `data` of a CometD event message: schema id, payload, replay id. Parts of compound fields are nested, numbers with a
 * fraction always show it, and `commitNumber` is printed with all its digits, so that the result must be stringified and not
 * cloned. Fields hidden by field-level security are left out. Source: facts/salesforce.md §1.5.
 */
export function cometdData(event: ChangeEvent, replayId: number, schema: Schema) {
  const object = schema.object(event.entity);
  const fields = object === null ? [] : schema.fields(object);
  const byName = new Map(fields.map((one) => [one.name, one]));
  const payload: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(event.body)) {
    const field = byName.get(name);
    if (field === undefined) continue;
    const shown = eventValue(field, value);
    if (field.compound === null) payload[name] = shown;
    else payload[field.compound] = { ...(payload[field.compound] as object | undefined), [field.part ?? name]: shown };
  }
  payload['ChangeEventHeader'] = {
    commitNumber: JSON.rawJSON(event.commitNumber),
    commitUser: event.commitUser,
    sequenceNumber: event.sequenceNumber,
    entityName: event.entity,
    changeType: event.changeType,
    changedFields: event.changedFields.flatMap((name) => eventPath(byName.get(name))),
    changeOrigin: event.changeOrigin,
    transactionKey: event.transactionKey,
    commitTimestamp: event.commitTimestamp,
    recordIds: event.recordIds,
  };
  return { schema: object === null ? '' : schemaId(object, schema), payload, event: { replayId } };
}

/** `Name.FirstName` for a part of a compound field; nothing for a field that is hidden. */
function eventPath(field: FieldSchema | undefined): string[] {
  if (field === undefined) return [];
  return [field.compound === null ? field.name : `${field.compound}.${field.part}`];
}

function eventValue(field: FieldSchema, value: StoredValue): unknown {
  if (value === null) return null;
  if (field.type === 'boolean') return value === 1;
  if (field.type === 'datetime') return new Date(Number(value)).toISOString();
  if (FRACTIONAL.has(field.type) && Number.isInteger(value)) return JSON.rawJSON(`${value}.0`);
  return value;
}
