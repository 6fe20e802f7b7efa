import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { recordIdOf } from '../ids.js';
import type { Schema } from '../schema/schema.js';
import type { ObjectSchema } from '../schema/types.js';
import { columnType, type StoredRecord, type StoredValue } from './values.js';

/** A table or column name in SQL. All names come from the schema, never from a request. */
export const quoted = (name: string): string => `"${name}"`;

/** Most prepared statements kept; updates come in as many forms as there are sets of fields. */
const MAX_STATEMENTS = 500;

/** Columns of an object that hold something: not the `address` compounds. */
const columnsOf = (object: ObjectSchema) => object.fields.filter((one) => one.type !== 'address');
const writtenColumnsOf = (object: ObjectSchema) => columnsOf(object).filter((one) => one.computed === null);

/**
 * The records of the org: one SQLite table an object in memory, outside the JavaScript heap, so that a million of them fit.
 * Knows rows, not rules: what may be written is checked by the caller.
 */
export class RecordStore {
  readonly db = new DatabaseSync(':memory:');
  private readonly statements = new Map<string, StatementSync>();
  private readonly created = new Map<string, number>();

  constructor(readonly schema: Schema) {
    this.db.exec('PRAGMA page_size = 8192; PRAGMA journal_mode = MEMORY; PRAGMA temp_store = MEMORY;');
    for (const object of schema.all()) {
      this.createTable(object);
      this.createIndexes(object);
    }
  }

  close(): void {
    this.db.close();
  }

  /** Runs `work` as one transaction; an exception undoes it. */
  transaction<T>(work: () => T): T {
    this.db.exec('BEGIN');
    try {
      const result = work();
      this.db.exec('COMMIT');
      return result;
    } catch (error) {
      this.db.exec('ROLLBACK');
      throw error;
    }
  }

  /** The id the next record of this object gets. */
  nextId(object: ObjectSchema): string {
    const n = (this.created.get(object.name) ?? 0) + 1;
    this.created.set(object.name, n);
    return recordIdOf(object.keyPrefix, n);
  }

  /** Inserts a full record; fields that it lacks become null. */
  insert(object: ObjectSchema, record: StoredRecord): void {
    const columns = writtenColumnsOf(object);
    const statement = this.prepared(
      `INSERT INTO ${quoted(object.name)} (${columns.map((one) => quoted(one.name)).join(', ')})
       VALUES (${columns.map(() => '?').join(', ')})`,
    );
    statement.run(...columns.map((one) => record[one.name] ?? null));
  }

  /** The record with all fields, soft-deleted or not; `null` when the id was never given or was purged. */
  get(object: ObjectSchema, id: string): StoredRecord | null {
    const columns = columnsOf(object).map((one) => quoted(one.name));
    const statement = this.prepared(`SELECT ${columns.join(', ')} FROM ${quoted(object.name)} WHERE "Id" = ?`);
    return (statement.get(id) as StoredRecord | undefined) ?? null;
  }

  update(object: ObjectSchema, id: string, values: StoredRecord): void {
    const names = Object.keys(values);
    const statement = this.prepared(
      `UPDATE ${quoted(object.name)} SET ${names.map((one) => `${quoted(one)} = ?`).join(', ')} WHERE "Id" = ?`,
    );
    statement.run(...names.map((one) => values[one] ?? null), id);
  }

  /** Removes rows for good, as emptying the recycle bin does. Answers how many there were. */
  purge(object: ObjectSchema, ids: readonly string[]): number {
    const statement = this.prepared(`DELETE FROM ${quoted(object.name)} WHERE "Id" = ?`);
    return ids.reduce((sum, id) => sum + Number(statement.run(id).changes), 0);
  }

  /** Ids of the records whose `field` is `value`. */
  idsWhere(object: ObjectSchema, field: string, value: StoredValue): string[] {
    const statement = this.prepared(`SELECT "Id" FROM ${quoted(object.name)} WHERE ${quoted(field)} = ? ORDER BY "Id"`);
    return statement.all(value).map((row) => String(row['Id']));
  }

  /** Ids of the oldest records: of those alive, or of those in the recycle bin, which users do not have. */
  firstIds(object: ObjectSchema, limit: number, deleted: boolean): string[] {
    const hasBin = object.fields.some((one) => one.name === 'IsDeleted');
    const where = hasBin ? 'WHERE "IsDeleted" = ?' : 'WHERE 0 = ?';
    const statement = this.prepared(`SELECT "Id" FROM ${quoted(object.name)} ${where} ORDER BY rowid LIMIT ?`);
    return statement.all(deleted ? 1 : 0, limit).map((row) => String(row['Id']));
  }

  /** The id of the first record at or after a share (0 to 1) of the table: a way to pick one at random. */
  idAtShare(object: ObjectSchema, share: number): string | null {
    const statement = this.prepared(
      `SELECT "Id" FROM ${quoted(object.name)}
       WHERE rowid >= 1 + CAST(? * (SELECT max(rowid) FROM ${quoted(object.name)}) AS INTEGER) LIMIT 1`,
    );
    const row = statement.get(share);
    return row === undefined ? null : String(row['Id']);
  }

  /** Records of an object: those alive, and those in the recycle bin. */
  count(object: ObjectSchema): { live: number; deleted: number } {
    const rows = Number(this.prepared(`SELECT count(*) AS n FROM ${quoted(object.name)}`).get()?.['n'] ?? 0);
    if (!object.fields.some((one) => one.name === 'IsDeleted')) return { live: rows, deleted: 0 };
    const deleted = Number(
      this.prepared(`SELECT count(*) AS n FROM ${quoted(object.name)} WHERE "IsDeleted" = 1`).get()?.['n'] ?? 0,
    );
    return { live: rows - deleted, deleted };
  }

  /** How many ids of this object were given out. Deleted records count. */
  createdCount(object: ObjectSchema): number {
    return this.created.get(object.name) ?? 0;
  }

  /** Drops the secondary indexes for a bulk load, several times faster without; the returned function builds them again. */
  suspendIndexes(object: ObjectSchema): () => void {
    for (const [name] of this.indexesOf(object)) this.db.exec(`DROP INDEX ${quoted(name)}`);
    return () => this.createIndexes(object);
  }

  /** A prepared statement, kept for the next call. */
  prepared(sql: string): StatementSync {
    const known = this.statements.get(sql);
    if (known !== undefined) return known;
    if (this.statements.size >= MAX_STATEMENTS) this.statements.clear();
    const statement = this.db.prepare(sql);
    this.statements.set(sql, statement);
    return statement;
  }

  private createTable(object: ObjectSchema): void {
    const columns = columnsOf(object).map((one) => {
      const computed = one.computed === null ? '' : ` GENERATED ALWAYS AS (${one.computed}) VIRTUAL`;
      return `${quoted(one.name)} ${columnType(one)}${computed}`;
    });
    this.db.exec(`CREATE TABLE ${quoted(object.name)} (${columns.join(', ')})`);
    this.db.exec(`CREATE UNIQUE INDEX ${quoted(`${object.name}.Id`)} ON ${quoted(object.name)} ("Id")`);
  }

  private createIndexes(object: ObjectSchema): void {
    for (const [name, columns] of this.indexesOf(object)) {
      this.db.exec(`CREATE INDEX ${quoted(name)} ON ${quoted(object.name)} (${columns.map(quoted).join(', ')})`);
    }
  }

  /** The indexes that a real org has and this project's queries lean on. */
  private indexesOf(object: ObjectSchema): Array<[name: string, columns: string[]]> {
    const single = writtenColumnsOf(object).filter((one) => one.type === 'email' || one.cascadeDelete);
    const isStamped = object.fields.some((one) => one.name === 'SystemModstamp');
    return [
      ...(isStamped ? [[`${object.name}.SystemModstamp`, ['SystemModstamp', 'Id']] as [string, string[]]] : []),
      ...single.map((one): [string, string[]] => [`${object.name}.${one.name}`, [one.name]]),
    ];
  }
}
