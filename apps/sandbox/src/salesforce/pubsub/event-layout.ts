import type { FieldSchema, FieldType, ObjectSchema } from '../schema/types.js';

/** One top-level field of a change event, or one part of a compound one. */
export interface EventSlot {
  readonly name: string;
  /** The org's field behind it; null for the parts of an address that the org does not keep. */
  readonly field: FieldSchema | null;
}

/** A top-level field; `parts` when it is a compound such as `Name` or `MailingAddress`. */
export interface EventField extends EventSlot {
  readonly parts: readonly EventSlot[] | null;
}

/**
 * The fields of an entity's change event in schema order, from index 1 on: index 0 is the header. Bitmaps count in this
 * order. Source: facts/salesforce.md §2.3.
 */
export interface EventLayout {
  /** `LeadChangeEvent`, `My__ChangeEvent`. */
  readonly recordName: string;
  readonly fields: readonly EventField[];
}

/** Parts of compound fields in their order, whether the org shows them or not. Source: §1.5 and sample 05. */
const NAME_PARTS = ['Salutation', 'FirstName', 'LastName'];
const ADDRESS_PARTS = [
  'Street',
  'City',
  'State',
  'PostalCode',
  'Country',
  'Latitude',
  'Longitude',
  'GeocodeAccuracy',
] as const;

export const isAddress = (compound: string): boolean => compound.endsWith('Address');

export function layoutOf(object: ObjectSchema, visible: readonly FieldSchema[]): EventLayout {
  const shown = visible.filter((one) => one.inEvents);
  const fields = new Map<string, EventField>();
  for (const field of shown) {
    const { compound } = field;
    if (compound === null) {
      fields.set(field.name, { name: field.name, field, parts: null });
    } else if (!fields.has(compound)) {
      // A compound stands where its first part does.
      const own = new Map(shown.filter((one) => one.compound === compound).map((one) => [one.part ?? one.name, one]));
      const names = isAddress(compound) ? ADDRESS_PARTS : NAME_PARTS.filter((one) => own.has(one));
      const parts = names.map((name): EventSlot => ({ name, field: own.get(name) ?? null }));
      fields.set(compound, { name: compound, field: null, parts });
    }
  }
  const recordName = object.custom ? object.name.replace(/__c$/, '__ChangeEvent') : `${object.name}ChangeEvent`;
  return { recordName, fields: [...fields.values()] };
}

/** Avro has one number for dates and times: epoch milliseconds. */
export function avroTypeOf(type: FieldType): 'boolean' | 'int' | 'double' | 'long' | 'string' {
  switch (type) {
    case 'boolean':
    case 'int':
      return type;
    case 'double':
    case 'currency':
    case 'percent':
      return 'double';
    case 'date':
    case 'datetime':
      return 'long';
    default:
      return 'string';
  }
}

/** Type of a slot; coordinates are numbers. */
export function slotType(slot: EventSlot): ReturnType<typeof avroTypeOf> {
  if (slot.field !== null) return avroTypeOf(slot.field.type);
  return slot.name === 'Latitude' || slot.name === 'Longitude' ? 'double' : 'string';
}
