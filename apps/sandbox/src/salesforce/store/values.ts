import type { FieldSchema, FieldType } from '../schema/types.js';

/**
 * How a value is stored: text and picklists as text, booleans as 0 or 1, datetimes as epoch milliseconds of a whole
 * second, dates as `YYYY-MM-DD`, blanks as null. Salesforce keeps an empty text as null.
 */
export type StoredValue = string | number | null;

/** One record by field name, computed fields included when it was read from the store. */
export type StoredRecord = Record<string, StoredValue>;

/** Epoch milliseconds as the REST API prints them: `2022-11-09T01:46:18.000+0000`. */
export function restDateTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}+0000`;
}

/** A stored value as the REST API shows it. */
export function restValue(type: FieldType, value: StoredValue): string | number | boolean | null {
  if (value === null) return null;
  if (type === 'boolean') return value === 1;
  if (type === 'datetime') return restDateTime(Number(value));
  return value;
}

/** The column type of a field. Texts compare without case, as in SOQL; ids compare exactly. */
export function columnType(field: FieldSchema): string {
  switch (field.type) {
    case 'boolean':
    case 'datetime':
    case 'int':
      return 'INTEGER';
    case 'double':
    case 'currency':
    case 'percent':
      return 'REAL';
    case 'id':
    case 'reference':
    case 'date':
      return 'TEXT';
    default:
      return 'TEXT COLLATE NOCASE';
  }
}
