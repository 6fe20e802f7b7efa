import type { FieldType } from '../schema/types.js';
import { restValue, type StoredValue } from '../store/values.js';

/** Where each value of a result row goes in the JSON of a record. Numbers are column positions. */
export interface RecordShape {
  /** `attributes.type`. */
  entity: string;
  /** Column of the record's own id: tells an empty lookup, and makes `attributes.url`. */
  idColumn: number;
  entries: ShapeEntry[];
}

export type ShapeEntry =
  | { kind: 'value'; key: string; type: FieldType; column: number }
  | { kind: 'address'; key: string; columns: Record<string, number> }
  | { kind: 'parent'; key: string; shape: RecordShape };

/** A record as the REST API returns it: `attributes`, then the fields in the order of the SELECT list, parents nested. */
export type RestRecord = { [key: string]: unknown; attributes: { type: string; url: string } };

/** Names the object of an id, for `attributes.url` of a polymorphic parent. */
export type ObjectNamer = (id: string) => string;

/** Builds the JSON of one result row. Source: facts/salesforce.md §4.1. */
export function toRestRecord(
  shape: RecordShape,
  row: readonly StoredValue[],
  version: string,
  nameOf: ObjectNamer,
): RestRecord {
  const id = String(row[shape.idColumn]);
  const object = shape.entity === 'Name' ? nameOf(id) : shape.entity;
  const record: RestRecord = {
    attributes: { type: shape.entity, url: `/services/data/v${version}/sobjects/${object}/${id}` },
  };
  for (const entry of shape.entries) {
    if (entry.kind === 'value') {
      record[entry.key] = restValue(entry.type, row[entry.column] ?? null);
    } else if (entry.kind === 'address') {
      record[entry.key] = address(entry.columns, row);
    } else {
      const present = (row[entry.shape.idColumn] ?? null) !== null;
      record[entry.key] = present ? toRestRecord(entry.shape, row, version, nameOf) : null;
    }
  }
  return record;
}

function address(columns: Readonly<Record<string, number>>, row: readonly StoredValue[]) {
  const parts = Object.entries(columns).map(([name, column]) => [name, row[column] ?? null] as const);
  if (parts.every(([, value]) => value === null)) return null;
  return { ...Object.fromEntries(parts), geocodeAccuracy: null, latitude: null, longitude: null };
}
