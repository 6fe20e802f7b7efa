import type { OrderByClause, Query } from '@jetstreamapp/soql-parser-js';
import type { Schema } from '../schema/schema.js';
import type { ObjectSchema } from '../schema/types.js';
import { quoted } from '../store/record-store.js';
import type { StoredValue } from '../store/values.js';
import { compileAggregate, isAggregate, type AggregateColumn } from './aggregate.js';
import { lowerBound } from './bounds.js';
import { conditionTree, type ConditionTree } from './condition-tree.js';
import { readLiteral } from './literals.js';
import { parseSoql } from './parse.js';
import { Paths } from './path.js';
import { compileSelect } from './select.js';
import type { RecordShape } from './shape.js';
import { malformedQuery, soqlError } from './soql-error.js';
import { compileWhere, type Sql, type WhereContext } from './where.js';

/** Source: SOQL reference, OFFSET. */
const MAX_OFFSET = 2_000;

/** What compiling needs to know besides the query. */
export interface CompileOptions {
  readonly schema: Schema;
  /** Epoch milliseconds, for date literals. */
  readonly now: number;
  /** `queryAll`: soft-deleted records too. */
  readonly includeDeleted: boolean;
}

/** A query as SQL in pieces, so that it can be counted, paged or kept as a cursor. */
export interface CompiledQuery {
  readonly kind: 'records' | 'count' | 'aggregate';
  readonly object: ObjectSchema;
  /** Alias of the root table. */
  readonly alias: string;
  readonly columns: readonly string[];
  /** Left joins of the parents. */
  readonly joins: string;
  /** `WHERE …` or empty, with its parameters in order. */
  readonly where: Sql;
  /** `GROUP BY …` and `ORDER BY …`, or empty. */
  readonly groupBy: string;
  readonly orderBy: string;
  readonly limit: number | null;
  readonly offset: number;
  readonly shape: RecordShape;
  readonly aggregates: readonly AggregateColumn[];
}

/** Compiles SOQL to SQL with bound parameters. Throws the errors Salesforce would answer. */
export function compileSoql(soql: string, options: CompileOptions): CompiledQuery {
  let aliases = 0;
  return compile(parseSoql(soql), soql, options, () => `t${aliases++}`);
}

function compile(query: Query, soql: string, options: CompileOptions, nextAlias: () => string): CompiledQuery {
  const { schema } = options;
  const object = schema.object(query.sObject ?? '');
  if (object === null) throw noSuchObject(soql, query.sObject ?? '');
  const rootNames = [object.name, ...(query.sObjectAlias === undefined ? [] : [query.sObjectAlias])];
  const paths = new Paths(schema, soql, object, rootNames, nextAlias);
  const alias = paths.root.objects[0]?.alias ?? '';
  const fields = query.fields ?? [];
  const context: WhereContext = {
    paths,
    soql,
    now: options.now,
    subselect: (inner) => subselect(compile(inner, soql, options, nextAlias)),
  };

  const only = fields.length === 1 ? fields[0] : undefined;
  const isCount = only?.type === 'FieldFunctionExpression' && /^count\(\s*\)$/i.test(only.rawValue ?? '');
  const grouped = !isCount && isAggregate(query);
  const aggregate = grouped ? compileAggregate(query, paths, soql) : null;
  const selection =
    isCount || grouped
      ? { columns: ['1'], shape: { entity: object.name, idColumn: 0, entries: [] } }
      : compileSelect(fields, paths, schema, soql, query.limit);
  const where = whereOf(query, object, alias, context, options);
  if ((query.offset ?? 0) > MAX_OFFSET) {
    throw soqlError('NUMBER_OUTSIDE_VALID_RANGE', soql, 'OFFSET', `Maximum SOQL offset allowed is ${MAX_OFFSET}`);
  }
  return {
    kind: isCount ? 'count' : grouped ? 'aggregate' : 'records',
    object,
    alias,
    columns: aggregate?.columns.map((one) => one.sql) ?? selection.columns,
    where,
    groupBy: aggregate?.groupBy ?? '',
    orderBy: aggregate?.orderBy ?? orderByOf(query.orderBy, paths, soql),
    joins: paths.joins.join(' '),
    limit: query.limit ?? null,
    offset: query.offset ?? 0,
    shape: selection.shape,
    aggregates: aggregate?.columns ?? [],
  };
}

/** The SQL of a whole query, for use inside another. */
function subselect(inner: CompiledQuery): Sql {
  const entry = inner.shape.entries[0];
  if (inner.kind !== 'records' || inner.shape.entries.length !== 1 || entry?.kind !== 'value') {
    throw malformedQuery('a nested query must select exactly one field');
  }
  return {
    text: `SELECT ${inner.columns[entry.column]} FROM ${quoted(inner.object.name)} ${inner.alias} ${inner.joins} ${inner.where.text}`,
    parameters: inner.where.parameters,
  };
}

function whereOf(
  query: Query,
  object: ObjectSchema,
  alias: string,
  context: WhereContext,
  options: CompileOptions,
): Sql {
  const parts: Sql[] = [];
  if (query.where !== undefined) {
    const tree = conditionTree(query.where);
    parts.push(compileWhere(tree, context), ...boundsOf(tree, object, alias, context));
  }
  if (!options.includeDeleted && object.fields.some((one) => one.name === 'IsDeleted')) {
    parts.push({ text: `${alias}."IsDeleted" = 0`, parameters: [] });
  }
  if (parts.length === 0) return { text: '', parameters: [] };
  return {
    text: `WHERE ${parts.map((one) => one.text).join(' AND ')}`,
    parameters: parts.flatMap((one) => one.parameters),
  };
}

/** Bounds on the indexed fields that the condition implies; see {@link lowerBound}. */
function boundsOf(tree: ConditionTree, object: ObjectSchema, alias: string, context: WhereContext): Sql[] {
  return ['SystemModstamp', 'Id'].flatMap((name) => {
    const field = object.fields.find((one) => one.name === name);
    if (field === undefined) return [];
    const bound = lowerBound(tree, ({ test }) => {
      if (!('field' in test) || !('value' in test) || Array.isArray(test.value) || Array.isArray(test.literalType))
        return null;
      if (context.paths.names(test.field).join('.').toLowerCase() !== name.toLowerCase()) return null;
      const literal = readLiteral(field, test.value, test.literalType ?? 'STRING', context.soql, context.now);
      return literal.kind === 'value' ? literal.value : literal.span.from;
    });
    return bound === null ? [] : [{ text: `${alias}.${quoted(name)} >= ?`, parameters: [bound] as StoredValue[] }];
  });
}

function orderByOf(orderBy: OrderByClause | OrderByClause[] | undefined, paths: Paths, soql: string): string {
  const clauses = orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy];
  const terms = clauses.map((clause) => {
    if (!('field' in clause)) throw malformedQuery('the sandbox does not know a function in ORDER BY');
    const { field, sql, source } = paths.resolve(clause.field);
    if (!field.sortable) {
      throw soqlError('INVALID_FIELD', soql, clause.field, `field '${field.name}' can not be sorted in a query call`);
    }
    // Blanks come first unless said otherwise, in both directions; unsaid where there are none, to let an index serve.
    const blanks = field.nillable || source !== paths.root ? ` NULLS ${clause.nulls ?? 'FIRST'}` : '';
    return `${sql} ${clause.order ?? 'ASC'}${blanks}`;
  });
  return terms.length === 0 ? '' : `ORDER BY ${terms.join(', ')}`;
}

function noSuchObject(soql: string, name: string) {
  return soqlError(
    'INVALID_TYPE',
    soql,
    name,
    `sObject type '${name}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
  );
}
