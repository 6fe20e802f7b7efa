import type { FieldFunctionExpression, Query } from '@jetstreamapp/soql-parser-js';
import type { FieldType } from '../schema/types.js';
import type { Paths } from './path.js';
import { malformedQuery, soqlError } from './soql-error.js';

/** One column of an aggregate result: its name in the reply, its type, its SQL. */
export interface AggregateColumn {
  readonly key: string;
  readonly type: FieldType;
  readonly sql: string;
}

const FUNCTIONS: Record<string, (column: string) => string> = {
  COUNT: (column) => `count(${column})`,
  COUNT_DISTINCT: (column) => `count(DISTINCT ${column})`,
  MIN: (column) => `min(${column})`,
  MAX: (column) => `max(${column})`,
  SUM: (column) => `sum(${column})`,
  AVG: (column) => `avg(${column})`,
};

/** Whether a query groups or aggregates; `COUNT()` alone is not meant. */
export function isAggregate(query: Query): boolean {
  const functions = (query.fields ?? []).some(
    (one) => one.type === 'FieldFunctionExpression' && one.isAggregateFn === true,
  );
  return functions || query.groupBy !== undefined;
}

/** Compiles `SELECT Status, COUNT(Id) … GROUP BY Status`. Columns without alias are named expr0, expr1, … as in Salesforce. */
export function compileAggregate(
  query: Query,
  paths: Paths,
  soql: string,
): { columns: AggregateColumn[]; groupBy: string; orderBy: string } {
  if (query.having !== undefined) throw malformedQuery('the sandbox does not know HAVING');
  const clauses = query.groupBy === undefined ? [] : Array.isArray(query.groupBy) ? query.groupBy : [query.groupBy];
  const grouped = clauses.map((clause) => {
    if ('field' in clause) return paths.resolve(clause.field);
    throw malformedQuery('the sandbox does not know a function in GROUP BY');
  });
  let unnamed = 0;
  const columns = (query.fields ?? []).map((selected): AggregateColumn => {
    if (selected.type === 'FieldFunctionExpression') {
      return aggregateColumn(selected, paths, () => `expr${unnamed++}`);
    }
    if (selected.type !== 'Field' && selected.type !== 'FieldRelationship') {
      throw malformedQuery(`the sandbox does not know ${selected.type} in a grouped query`);
    }
    const path = selected.type === 'Field' ? selected.field : [...selected.relationships, selected.field].join('.');
    const resolved = paths.resolve(path);
    if (!grouped.some((one) => one.sql === resolved.sql)) {
      throw soqlError('MALFORMED_QUERY', soql, path, `Field must be grouped or aggregated: ${path}`);
    }
    const alias = 'alias' in selected ? selected.alias : undefined;
    return { key: alias ?? resolved.field.name, type: resolved.field.type, sql: resolved.sql };
  });
  return {
    columns,
    groupBy: grouped.length === 0 ? '' : `GROUP BY ${grouped.map((one) => one.sql).join(', ')}`,
    orderBy: orderOf(query, paths),
  };
}

function aggregateColumn(selected: FieldFunctionExpression, paths: Paths, nextName: () => string): AggregateColumn {
  const name = selected.functionName.toUpperCase();
  const toSql = FUNCTIONS[name];
  const parameter = selected.parameters[0];
  if (toSql === undefined || typeof parameter !== 'string') {
    throw malformedQuery(`the sandbox does not know ${selected.rawValue ?? name} in a SELECT list`);
  }
  const { field, sql } = paths.resolve(parameter);
  const keepsType = name === 'MIN' || name === 'MAX';
  const type: FieldType = keepsType ? field.type : name.startsWith('COUNT') ? 'int' : 'double';
  return { key: selected.alias ?? nextName(), type, sql: toSql(sql) };
}

function orderOf(query: Query, paths: Paths): string {
  const clauses = query.orderBy === undefined ? [] : Array.isArray(query.orderBy) ? query.orderBy : [query.orderBy];
  const terms = clauses.map((clause) => {
    const direction = `${clause.order ?? 'ASC'} NULLS ${clause.nulls ?? 'FIRST'}`;
    if ('field' in clause) return `${paths.resolve(clause.field).sql} ${direction}`;
    const name = (clause.fn.functionName ?? '').toUpperCase();
    const parameter = clause.fn.parameters?.[0];
    const toSql = FUNCTIONS[name];
    if (toSql === undefined || typeof parameter !== 'string') {
      throw malformedQuery(`the sandbox does not know ${clause.fn.rawValue ?? name} in ORDER BY`);
    }
    return `${toSql(paths.resolve(parameter).sql)} ${direction}`;
  });
  return terms.length === 0 ? '' : `ORDER BY ${terms.join(', ')}`;
}
