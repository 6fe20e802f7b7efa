import { toRecordId } from '@libs/contracts';
import { badJson, SalesforceError } from '../errors.js';
import type { Schema } from '../schema/schema.js';
import type { FieldSchema, ObjectSchema } from '../schema/types.js';
import { textOf } from '../text-of.js';
import { isIsoDate } from '../soql/date-literals.js';
import type { StoredRecord, StoredValue } from '../store/values.js';

/** A record as a client sends it. */
export type InputRecord = Readonly<Record<string, unknown>>;

/** A local part, an @, a domain with a dot: what Salesforce accepts, roughly RFC 2822 without quoting. */
const EMAIL =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?(?:Z|[+-]\d{2}:?\d{2})$/;

/**
 * Checks a record that a client wants to write and turns it into stored values, field by field; `attributes` is skipped.
 * Throws a SalesforceError with the status code Salesforce gives for the first thing wrong. Whether referenced records exist
 * is not known here.
 */
export function readInput(
  schema: Schema,
  object: ObjectSchema,
  input: InputRecord,
  mode: 'create' | 'update',
): StoredRecord {
  const values: StoredRecord = {};
  const forbidden: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (name === 'attributes') continue;
    const field = schema.field(object, name);
    if (field === null) {
      throw new SalesforceError(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
    }
    if (field.type === 'id' && mode === 'update') continue;
    if (!(mode === 'create' ? field.createable : field.updateable)) forbidden.push(field.name);
    else values[field.name] = readValue(object, field, value);
  }
  if (forbidden.length > 0) {
    throw new SalesforceError(
      400,
      'INVALID_FIELD_FOR_INSERT_UPDATE',
      `Unable to create/update fields: ${forbidden.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
      forbidden,
    );
  }
  checkRequired(object, values, mode);
  return values;
}

function checkRequired(object: ObjectSchema, values: StoredRecord, mode: 'create' | 'update'): void {
  const missing = object.fields.filter((field) => {
    if (field.nillable || !field.createable || field.type === 'boolean') return false;
    const value = values[field.name];
    // An owner or a default value is filled in when it is not said at all; saying "blank" is refused.
    const filled = field.defaultValue !== null || field.name === 'OwnerId';
    return value === null || (value === undefined && mode === 'create' && !filled);
  });
  if (missing.length === 0) return;
  const names = missing.map((one) => one.name);
  throw new SalesforceError(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${names.join(', ')}]`, names);
}

function readValue(object: ObjectSchema, field: FieldSchema, value: unknown): StoredValue {
  if (value === null) return field.type === 'boolean' ? refuse(field, value) : null;
  switch (field.type) {
    case 'boolean':
      if (typeof value === 'boolean') return value ? 1 : 0;
      return value === 'true' ? 1 : value === 'false' ? 0 : refuse(field, value);
    case 'int':
      return readNumber(field, value, true);
    case 'double':
    case 'currency':
    case 'percent':
      return readNumber(field, value, false);
    case 'date': {
      const text = readText(field, value).slice(0, 10);
      return text === '' ? null : isIsoDate(text) ? text : refuse(field, value);
    }
    case 'datetime': {
      const text = readText(field, value);
      if (text === '') return null;
      // Salesforce keeps whole seconds.
      return DATE_TIME.test(text) ? Math.floor(Date.parse(text) / 1000) * 1000 : refuse(field, value);
    }
    case 'reference': {
      const text = readText(field, value);
      if (text === '') return null;
      const id = toRecordId(text);
      if (id !== null) return id;
      throw new SalesforceError(400, 'MALFORMED_ID', `${field.label}: id value of incorrect type: ${text}`, [
        field.name,
      ]);
    }
    default:
      return readString(object, field, readText(field, value));
  }
}

function readString(object: ObjectSchema, field: FieldSchema, raw: string): StoredValue {
  const text = field.type === 'textarea' ? raw : raw.trim();
  if (text === '') return null;
  if (field.type === 'email' && !EMAIL.test(text)) {
    throw new SalesforceError(400, 'INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${text}`, [
      field.name,
    ]);
  }
  if (text.length > field.length) {
    throw new SalesforceError(
      400,
      'STRING_TOO_LONG',
      `${field.label}: data value too large: ${text.slice(0, 80)} (max length=${field.length})`,
      [field.name],
    );
  }
  if (field.restricted && !field.picklist.includes(text)) {
    throw new SalesforceError(
      400,
      'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
      `${object.label}: bad value for restricted picklist field: ${text}`,
      [field.name],
    );
  }
  return text;
}

function readText(field: FieldSchema, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return refuse(field, value);
}

function readNumber(field: FieldSchema, value: unknown, whole: boolean): StoredValue {
  if (value === '') return null;
  const number = typeof value === 'string' ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return refuse(field, value);
  if (whole && !Number.isInteger(number)) return refuse(field, value);
  const scale = 10 ** field.scale;
  return whole ? number : Math.round(number * scale) / scale;
}

const JSON_KINDS: Record<string, string> = { string: 'STRING', number: 'NUMBER', boolean: 'BOOLEAN' };

function refuse(field: FieldSchema, value: unknown): never {
  const kind = value === null ? 'null' : (JSON_KINDS[typeof value] ?? 'START_OBJECT');
  const shown = typeof value === 'object' ? '' : ` value ${textOf(value) || JSON.stringify(value)}`;
  throw badJson(
    `Cannot deserialize instance of ${field.type} from VALUE_${kind}${shown} or request may be missing a required field`,
  );
}
