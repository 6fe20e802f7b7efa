import avro from 'avsc';
import { z } from 'zod';
import { fieldsOfBitmaps, type FieldLayout } from './bitmap.js';

/** Longs whole: a number where it fits, else decimal text (`commitNumber` on Hyperforce). Source: facts/salesforce.md §1.5. */
const wholeLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = bytes.readBigInt64LE();
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  },
  toBuffer: (value: number | string) => {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: (value: unknown) => Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d+$/.test(value)),
  compare: (one: number | string, other: number | string) => Number(BigInt(one) - BigInt(other)),
});

const HEADER = 'ChangeEventHeader';
const BITMAPS = ['changedFields', 'nulledFields', 'diffFields'] as const;

const eventRecord = z.looseObject({
  type: z.literal('record'),
  name: z.string(),
  fields: z.array(z.looseObject({ name: z.string(), type: z.unknown() })).min(1),
});
type AvroRecord = z.infer<typeof eventRecord>;

/** Every record defined in a schema, by its name without namespace: Avro defines a record once and names it after that. */
function recordsIn(schema: unknown, found = new Map<string, AvroRecord>()): Map<string, AvroRecord> {
  if (Array.isArray(schema)) {
    for (const branch of schema) recordsIn(branch, found);
  } else if (typeof schema === 'object' && schema !== null) {
    const record = eventRecord.safeParse(schema).data;
    if (record === undefined) recordsIn((schema as { type?: unknown }).type, found);
    else {
      found.set(lastName(record.name), record);
      for (const { type } of record.fields) recordsIn(type, found);
    }
  }
  return found;
}

const lastName = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** The record that a field holds: alone, in a union with null (and maybe text: account names), or by name. */
function recordOf(type: unknown, records: ReadonlyMap<string, AvroRecord>): AvroRecord | null {
  if (typeof type === 'string') return records.get(lastName(type)) ?? null;
  if (Array.isArray(type)) {
    for (const branch of type) {
      const record = recordOf(branch, records);
      if (record !== null) return record;
    }
    return null;
  }
  return eventRecord.safeParse(type).data ?? null;
}

/** Reads change events that were written with one Avro schema. */
export class EventSchema {
  private readonly type: avro.Type;
  private readonly layout: FieldLayout;

  /** Input: the schema as JSON text. Errors: an Error when it is none, or not of a change event. */
  constructor(json: string) {
    const schema = eventRecord.parse(JSON.parse(json));
    const records = recordsIn(schema);
    const at = schema.fields.findIndex(({ name }) => name === HEADER);
    if (at < 0) throw new Error(`a schema without ${HEADER}`);
    this.layout = schema.fields.map(({ name, type }) => ({
      name,
      parts: recordOf(type, records)?.fields.map((part) => part.name) ?? null,
    }));
    // The header comes first, and nothing else is needed: the rest of the event, most of its bytes, is not even read
    const upToHeader = { ...schema, fields: schema.fields.slice(0, at + 1) };
    this.type = avro.Type.forSchema(upToHeader as avro.Schema, { registry: { long: wholeLong } });
  }

  /**
   * The header of an event as CometD would give it: bitmaps as names; `changedFields` and its like are left out when it is
   * not known which fields they mean. Errors: an Error when the bytes do not fit the schema.
   */
  headerOf(payload: Buffer): Readonly<Record<string, unknown>> {
    const { value, offset }: { value: Record<string, unknown>; offset: number } = this.type.decode(payload, 0);
    if (offset < 0) throw new Error('an event that is shorter than its schema');
    const header = { ...(value[HEADER] as Record<string, unknown>) };
    for (const name of BITMAPS) {
      const elements = header[name];
      const fields = Array.isArray(elements) ? fieldsOfBitmaps(elements as string[], this.layout) : null;
      if (fields === null) delete header[name];
      else header[name] = fields;
    }
    return header;
  }
}
