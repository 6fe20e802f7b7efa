import type { FieldType as SelectField } from '@jetstreamapp/soql-parser-js';
import type { Schema } from '../schema/schema.js';
import type { FieldSchema } from '../schema/types.js';
import { quoted } from '../store/record-store.js';
import type { Paths, Source } from './path.js';
import type { RecordShape } from './shape.js';
import { malformedQuery, soqlError } from './soql-error.js';

/** The SELECT list: SQL columns and where their values go. */
export interface Selection {
  readonly columns: string[];
  readonly shape: RecordShape;
}

/** The text of a selected field's path, alias included. */
function pathOf(selected: SelectField): string | null {
  if (selected.type === 'Field') return 'rawValue' in selected ? selected.rawValue : selected.field;
  if (selected.type === 'FieldRelationship') {
    return selected.rawValue ?? [...selected.relationships, selected.field].join('.');
  }
  return null;
}

/** Compiles the SELECT list of a query for records. Throws INVALID_FIELD and MALFORMED_QUERY. */
export function compileSelect(
  fields: readonly SelectField[],
  paths: Paths,
  schema: Schema,
  soql: string,
  limit: number | undefined,
): Selection {
  const columns: string[] = [];
  const column = (text: string) => columns.push(text) - 1;
  const idColumnOf = (source: Source) =>
    column(
      source.objects.length === 1
        ? `${source.objects[0]?.alias}."Id"`
        : `coalesce(${source.objects.map(({ alias }) => `${alias}."Id"`).join(', ')})`,
    );
  const shape: RecordShape = { entity: paths.root.entity, idColumn: idColumnOf(paths.root), entries: [] };
  const shapes = new Map<string, RecordShape>([['', shape]]);

  const add = (into: RecordShape, source: Source, field: FieldSchema, path = field.name) => {
    if (into.entries.some((one) => one.key === field.name)) {
      throw soqlError('MALFORMED_QUERY', soql, path, `duplicate field selected: ${field.name}`);
    }
    if (field.type !== 'address') {
      into.entries.push({
        kind: 'value',
        key: field.name,
        type: field.type,
        column: field.type === 'id' ? into.idColumn : column(paths.column(source, field)),
      });
      return;
    }
    const { object, alias } = source.objects[0] ?? {};
    const parts = object === undefined ? [] : schema.fields(object).filter((one) => one.compound === field.name);
    const entries = parts.map((one) => [lowerFirst(one.part ?? one.name), column(`${alias}.${quoted(one.name)}`)]);
    into.entries.push({
      kind: 'address',
      key: field.name,
      columns: Object.fromEntries(entries) as Record<string, number>,
    });
  };

  const shapeOf = (path: string): RecordShape => {
    const relationships = paths.names(path).slice(0, -1);
    let parent = shape;
    for (let depth = 1; depth <= relationships.length; depth += 1) {
      const source = paths.source(relationships.slice(0, depth), path);
      let known = shapes.get(source.key);
      if (known === undefined) {
        known = { entity: source.entity, idColumn: idColumnOf(source), entries: [] };
        shapes.set(source.key, known);
        parent.entries.push({ kind: 'parent', key: relationshipName(relationships[depth - 1] ?? ''), shape: known });
      }
      parent = known;
    }
    return parent;
  };
  const relationshipName = (name: string) => canonicalRelationship(schema, name);

  for (const selected of fields) {
    if (selected.type === 'FieldFunctionExpression' && selected.functionName.toUpperCase() === 'FIELDS') {
      for (const field of fieldsOf(selected.parameters, paths, schema, limit)) add(shape, paths.root, field);
      continue;
    }
    const path = pathOf(selected);
    if (path === null) throw unsupported(selected);
    const resolved = paths.resolve(path);
    add(shapeOf(path), resolved.source, resolved.field, path);
  }
  return { columns, shape };
}

/** `FIELDS(ALL)`, `FIELDS(STANDARD)` and `FIELDS(CUSTOM)`. */
function fieldsOf(
  parameters: readonly unknown[],
  paths: Paths,
  schema: Schema,
  limit: number | undefined,
): FieldSchema[] {
  const which = String(parameters[0]).toUpperCase();
  if (which !== 'STANDARD' && (limit === undefined || limit > 200)) {
    throw malformedQuery('The SOQL FIELDS function must have a LIMIT of at most 200');
  }
  const object = paths.root.objects[0]?.object;
  const all = object === undefined ? [] : schema.fields(object);
  if (which === 'ALL') return all;
  return all.filter((one) => one.custom === (which === 'CUSTOM'));
}

/** A relationship is named in the reply as the schema spells it, however the query did. */
function canonicalRelationship(schema: Schema, name: string): string {
  for (const object of schema.all()) {
    const found = schema.relationship(object, name);
    if (found?.relationshipName) return found.relationshipName;
  }
  return name;
}

function unsupported(selected: SelectField) {
  const what =
    selected.type === 'FieldFunctionExpression' ? (selected.rawValue ?? selected.functionName) : selected.type;
  return malformedQuery(`the sandbox does not know ${what} in a SELECT list`);
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
