import type { LiteralType } from '@jetstreamapp/soql-parser-js';
import { toRecordId } from '@libs/contracts';
import { SalesforceError } from '../errors.js';
import type { FieldSchema } from '../schema/types.js';
import type { StoredValue } from '../store/values.js';
import { dateLiteralSpan, isIsoDate, isoDate, type Span } from './date-literals.js';
import { malformedQuery, soqlError } from './soql-error.js';

/** Longest text in a condition, characters. Source: facts/salesforce.md §4.2. */
const MAX_STRING = 4_000;

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'", '\\': '\\' };

/** What a literal of a condition means to the store: a value, or a span of time for a date literal. */
export type LiteralValue = { kind: 'value'; value: StoredValue } | { kind: 'span'; span: Span };

/**
 * Reads one literal for a field, as the parser gives it (texts still quoted). Throws INVALID_FIELD when the literal is of
 * the wrong type for the field, in Salesforce's words.
 */
export function readLiteral(
  field: FieldSchema,
  text: string,
  literalType: LiteralType,
  soql: string,
  now: number,
): LiteralValue {
  if (literalType === 'NULL') return { kind: 'value', value: null };
  const wrong = (expected: string, quotes: 'should' | 'should not') =>
    soqlError(
      'INVALID_FIELD',
      soql,
      field.name,
      `value of filter criterion for field '${field.name}' must be of type ${expected} and ${quotes} be enclosed in quotes`,
    );
  switch (field.type) {
    case 'boolean':
      if (literalType !== 'BOOLEAN') throw wrong('boolean', 'should not');
      return { kind: 'value', value: text.toUpperCase() === 'TRUE' ? 1 : 0 };
    case 'int':
      if (literalType !== 'INTEGER' && literalType !== 'DECIMAL') throw wrong('int', 'should not');
      return { kind: 'value', value: Number(text) };
    case 'double':
    case 'currency':
    case 'percent':
      if (literalType !== 'INTEGER' && literalType !== 'DECIMAL') throw wrong(field.type, 'should not');
      return { kind: 'value', value: Number(text) };
    case 'date':
    case 'datetime':
      return readTime(field, text, literalType, now, wrong);
    case 'id':
    case 'reference':
      if (literalType !== 'STRING') throw wrong('ID', 'should');
      return { kind: 'value', value: readId(unquote(text)) };
    default:
      if (literalType !== 'STRING') throw wrong('string', 'should');
      return { kind: 'value', value: unquote(text) || null };
  }
}

function readTime(
  field: FieldSchema,
  text: string,
  literalType: LiteralType,
  now: number,
  wrong: (expected: string, quotes: 'should' | 'should not') => SalesforceError,
): LiteralValue {
  if (literalType === 'DATE_LITERAL' || literalType === 'DATE_N_LITERAL') {
    const span = dateLiteralSpan(text, now);
    if (span === null) throw malformedQuery(`unexpected token: '${text}'`);
    return { kind: 'span', span };
  }
  if (field.type === 'date') {
    if (literalType !== 'DATE' || !isIsoDate(text)) throw wrong('date', 'should not');
    return { kind: 'value', value: text };
  }
  const ms = Date.parse(text);
  if (literalType !== 'DATETIME' || !Number.isFinite(ms)) throw wrong('dateTime', 'should not');
  return { kind: 'value', value: ms };
}

function readId(text: string): string | null {
  if (text === '') return null;
  const id = toRecordId(text);
  if (id === null) throw new SalesforceError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${text}`);
  return id;
}

/** The text of a quoted literal. `\%` and `\_` mean something to LIKE only and are kept for it. */
export function unquote(literal: string, options: { like?: boolean } = {}): string {
  const inner = literal.slice(1, -1);
  if (inner.length > MAX_STRING) throw malformedQuery(`maximum string length of ${MAX_STRING} in a filter exceeded`);
  return inner.replaceAll(/\\(.)/gs, (whole, char: string) => {
    if (options.like === true && (char === '%' || char === '_' || char === '\\')) return whole;
    const plain = ESCAPES[char];
    if (plain !== undefined) return plain;
    throw malformedQuery(
      `Invalid string literal '${inner}'. Illegal character sequence '${whole}' in string literal ''.`,
    );
  });
}

/** A bound of a span for a field: a date as text, a datetime as milliseconds. */
export function spanBound(field: FieldSchema, ms: number): StoredValue {
  return field.type === 'date' ? isoDate(ms) : ms;
}
