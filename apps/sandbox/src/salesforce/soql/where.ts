import type { LiteralType, Query } from '@jetstreamapp/soql-parser-js';
import { SalesforceError } from '../errors.js';
import type { StoredValue } from '../store/values.js';
import type { ConditionTree, Test } from './condition-tree.js';
import { readLiteral, spanBound, unquote, type LiteralValue } from './literals.js';
import type { Paths, ResolvedField } from './path.js';
import { malformedQuery, soqlError } from './soql-error.js';

/** SQL with its parameters in order. */
export interface Sql {
  readonly text: string;
  readonly parameters: StoredValue[];
}

/** What compiling a condition needs. */
export interface WhereContext {
  readonly paths: Paths;
  readonly soql: string;
  readonly now: number;
  /** Compiles `IN (SELECT …)`. */
  subselect(query: Query): Sql;
}

const sql = (text: string, ...parameters: StoredValue[]): Sql => ({ text, parameters });
const joined = (parts: readonly Sql[], separator: string): Sql => ({
  text: `(${parts.map((one) => one.text).join(separator)})`,
  parameters: parts.flatMap((one) => one.parameters),
});

/**
 * Compiles a condition. A blank field is unequal to every value, as in SOQL and unlike in SQL: `Status != 'x'` and
 * `NOT (Status = 'x')` find records without a status.
 */
export function compileWhere(tree: ConditionTree, context: WhereContext): Sql {
  if (tree.kind === 'test') return compileTest(tree.test, context);
  if (tree.kind === 'not') {
    const inner = compileWhere(tree.part, context);
    return sql(`NOT coalesce(${inner.text}, 0)`, ...inner.parameters);
  }
  const parts = tree.parts.map((one) => compileWhere(one, context));
  return joined(parts, tree.kind === 'and' ? ' AND ' : ' OR ');
}

function compileTest(test: Test, context: WhereContext): Sql {
  if ('fn' in test) {
    throw malformedQuery(`the sandbox does not know the function ${test.fn.rawValue ?? ''} in a condition`);
  }
  const resolved = context.paths.resolve(test.field);
  if (!resolved.field.filterable) {
    throw soqlError(
      'INVALID_FIELD',
      context.soql,
      test.field,
      `field '${resolved.field.name}' can not be filtered in a query call`,
    );
  }
  if ('valueQuery' in test) {
    const inner = context.subselect(test.valueQuery);
    const negated = test.operator === 'NOT IN';
    const text = `${resolved.sql} ${negated ? 'NOT IN' : 'IN'} (${inner.text})`;
    return sql(negated ? `(${resolved.sql} IS NULL OR ${text})` : text, ...inner.parameters);
  }
  const texts = Array.isArray(test.value) ? test.value : [test.value];
  const { literalType } = test;
  const types: LiteralType[] = Array.isArray(literalType) ? literalType : texts.map(() => literalType ?? 'STRING');
  if (test.operator === 'LIKE') return compileLike(resolved, texts[0] ?? '', types[0] ?? 'STRING');
  const values = texts.map((text, index) =>
    readLiteral(resolved.field, text, types[index] ?? types[0] ?? 'STRING', context.soql, context.now),
  );
  switch (test.operator) {
    case 'IN':
    case 'NOT IN':
      return compileIn(resolved, values, test.operator);
    case 'INCLUDES':
    case 'EXCLUDES':
      return compileIncludes(resolved, values, test.operator, context);
    default:
      return compileComparison(resolved, values[0] ?? { kind: 'value', value: null }, test.operator, context);
  }
}

function compileComparison(
  { sql: column, field }: ResolvedField,
  literal: LiteralValue,
  operator: '=' | '!=' | '<' | '<=' | '>' | '>=',
  context: WhereContext,
): Sql {
  if (literal.kind === 'span') {
    const [from, to] = [spanBound(field, literal.span.from), spanBound(field, literal.span.to)];
    const inside = sql(`(${column} >= ? AND ${column} < ?)`, from, to);
    switch (operator) {
      case '=':
        return inside;
      case '!=':
        return sql(`NOT coalesce(${inside.text}, 0)`, from, to);
      case '<':
      case '>=':
        return sql(`${column} ${operator} ?`, from);
      case '<=':
        return sql(`${column} < ?`, to);
      case '>':
        return sql(`${column} >= ?`, to);
    }
  }
  const { value } = literal;
  if (operator === '=') return value === null ? sql(`${column} IS NULL`) : sql(`${column} = ?`, value);
  if (operator === '!=') return value === null ? sql(`${column} IS NOT NULL`) : sql(`${column} IS NOT ?`, value);
  if (value === null || field.type === 'boolean') {
    throw soqlError(
      'INVALID_QUERY_FILTER_OPERATOR',
      context.soql,
      field.name,
      `invalid operator on ${field.type} field`,
    );
  }
  return sql(`${column} ${operator} ?`, value);
}

function compileIn({ sql: column, field }: ResolvedField, literals: LiteralValue[], operator: 'IN' | 'NOT IN'): Sql {
  const values = literals.map((one) => {
    if (one.kind === 'value') return one.value;
    throw malformedQuery(`a date literal cannot stand in a list of values for field '${field.name}'`);
  });
  const known = values.filter((one) => one !== null);
  const list = `(${known.map(() => '?').join(', ')})`;
  const withNull = known.length < values.length;
  if (operator === 'IN') {
    return sql(withNull ? `(${column} IN ${list} OR ${column} IS NULL)` : `${column} IN ${list}`, ...known);
  }
  return sql(withNull ? `${column} NOT IN ${list}` : `(${column} IS NULL OR ${column} NOT IN ${list})`, ...known);
}

function compileLike(resolved: ResolvedField, text: string, type: LiteralType): Sql {
  const { field } = resolved;
  const refused = ['id', 'reference', 'boolean', 'int', 'double', 'currency', 'percent', 'date', 'datetime'];
  if (refused.includes(field.type) || type !== 'STRING') {
    throw new SalesforceError(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid operator on ${field.type} field`);
  }
  return sql(String.raw`${resolved.sql} LIKE ? ESCAPE '\'`, unquote(text, { like: true }));
}

/** `INCLUDES ('a;b', 'c')`: a and b, or c. */
function compileIncludes(
  { sql: column, field }: ResolvedField,
  literals: LiteralValue[],
  operator: 'INCLUDES' | 'EXCLUDES',
  context: WhereContext,
): Sql {
  if (field.type !== 'multipicklist') {
    throw soqlError(
      'INVALID_QUERY_FILTER_OPERATOR',
      context.soql,
      field.name,
      `invalid operator on ${field.type} field`,
    );
  }
  const groups = literals.map((one) => {
    const values = one.kind === 'value' ? String(one.value ?? '').split(';') : [];
    const tests = values.map((value) =>
      sql(`instr(';' || lower(${column}) || ';', ';' || lower(?) || ';') > 0`, value),
    );
    return joined(tests, ' AND ');
  });
  const any = joined(groups, ' OR ');
  return operator === 'INCLUDES' ? any : sql(`NOT coalesce(${any.text}, 0)`, ...any.parameters);
}
