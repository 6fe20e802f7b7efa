import { SalesforceError } from '../errors.js';
import { recordIdOf } from '../ids.js';
import { quoted, type RecordStore } from '../store/record-store.js';
import { restValue, type StoredValue } from '../store/values.js';
import { compileSoql, type CompiledQuery } from './compile.js';
import { toRestRecord, type RestRecord } from './shape.js';

/** A page of a query's result, without the version and host that HTTP adds. */
export interface QueryPage {
  readonly totalSize: number;
  readonly done: boolean;
  /** `01g…-2000`, the tail of `nextRecordsUrl`; null when done. */
  readonly next: string | null;
  readonly records: ReadonlyArray<RestRecord | Record<string, unknown>>;
}

interface Cursor {
  readonly query: CompiledQuery;
  readonly table: string;
  readonly totalSize: number;
  usedAt: number;
}

/** How many cursors stay open, and for how long. */
export interface CursorLimits {
  /** The oldest is dropped when there are more. */
  readonly open: number;
  /** Milliseconds without use after which a locator is refused. */
  readonly idleMs: number;
}

const invalidLocator = () => new SalesforceError(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');

/**
 * Runs queries and pages through them. A result longer than a page becomes a cursor: the list of its rows is kept in a
 * table of its own, so that later pages are neither repeated nor skipped while records change, and any page may be read
 * again. Source: facts/salesforce.md §4.1.
 */
export class QueryEngine {
  private readonly cursors = new Map<string, Cursor>();
  private opened = 0;

  constructor(
    private readonly store: RecordStore,
    private readonly now: () => number,
    private readonly limits: CursorLimits,
  ) {}

  /** First page of a query. Throws what Salesforce would answer to a bad one. */
  query(soql: string, options: { includeDeleted: boolean; pageSize: number; version: string }): QueryPage {
    const query = compileSoql(soql, {
      schema: this.store.schema,
      now: this.now(),
      includeDeleted: options.includeDeleted,
    });
    if (query.kind === 'count') return this.count(query);
    if (query.kind === 'aggregate') return this.aggregate(query);
    const most = query.limit ?? Number.MAX_SAFE_INTEGER;
    if (most === 0) return { totalSize: 0, done: true, next: null, records: [] };
    const rows = this.rows(`${this.select(query)} ${query.where.text} ${query.orderBy} LIMIT ? OFFSET ?`, [
      ...query.where.parameters,
      Math.min(most, options.pageSize + 1),
      query.offset,
    ]);
    const shown = rows.slice(0, options.pageSize);
    if (rows.length <= options.pageSize) return this.page(query, shown, rows.length, null, options.version);
    const locator = this.open(query);
    return this.page(query, shown, this.cursor(locator).totalSize, `${locator}-${shown.length}`, options.version);
  }

  /** A later page, by the tail of `nextRecordsUrl`. Throws INVALID_QUERY_LOCATOR. */
  more(tail: string, options: { pageSize: number; version: string }): QueryPage {
    const [locator = '', offsetText = ''] = tail.split('-');
    const cursor = this.cursor(locator);
    const offset = Number(offsetText);
    if (!/^\d+$/.test(offsetText) || offset > cursor.totalSize) throw invalidLocator();
    cursor.usedAt = this.now();
    const { query } = cursor;
    const end = Math.min(cursor.totalSize, offset + options.pageSize);
    const rows = this.rows(
      `SELECT ${query.columns.join(', ')} FROM ${quoted(cursor.table)} AS cursor_rows
       JOIN ${quoted(query.object.name)} ${query.alias} ON ${query.alias}.rowid = cursor_rows.r ${query.joins}
       WHERE cursor_rows.n > ? AND cursor_rows.n <= ? ORDER BY cursor_rows.n`,
      [offset, end],
    );
    const next = end < cursor.totalSize ? `${locator}-${end}` : null;
    return this.page(query, rows, cursor.totalSize, next, options.version);
  }

  /** Open cursors, for statistics. */
  get openCursors(): number {
    return this.cursors.size;
  }

  private cursor(locator: string): Cursor {
    const cursor = this.cursors.get(locator);
    if (cursor === undefined) throw invalidLocator();
    if (this.now() - cursor.usedAt <= this.limits.idleMs) return cursor;
    this.drop(locator, cursor);
    throw invalidLocator();
  }

  private open(query: CompiledQuery): string {
    const oldest = this.cursors.entries().next().value;
    if (oldest !== undefined && this.cursors.size >= this.limits.open) this.drop(...oldest);
    this.opened += 1;
    const locator = recordIdOf('01g', this.opened);
    const table = `cursor ${this.opened}`;
    this.store.db.exec(`CREATE TABLE ${quoted(table)} (n INTEGER PRIMARY KEY, r INTEGER)`);
    const filled = this.store.db
      .prepare(
        `INSERT INTO ${quoted(table)} (r) SELECT ${query.alias}.rowid FROM ${this.from(query)}
         ${query.where.text} ${query.orderBy} LIMIT ? OFFSET ?`,
      )
      .run(...query.where.parameters, query.limit ?? Number.MAX_SAFE_INTEGER, query.offset);
    this.cursors.set(locator, { query, table, totalSize: Number(filled.changes), usedAt: this.now() });
    return locator;
  }

  private drop(locator: string, cursor: Cursor): void {
    this.store.db.exec(`DROP TABLE ${quoted(cursor.table)}`);
    this.cursors.delete(locator);
  }

  private count(query: CompiledQuery): QueryPage {
    const [row] = this.rows(`SELECT count(*) FROM ${this.from(query)} ${query.where.text}`, query.where.parameters);
    const total = Math.max(0, Number(row?.[0] ?? 0) - query.offset);
    return { totalSize: Math.min(total, query.limit ?? total), done: true, next: null, records: [] };
  }

  private aggregate(query: CompiledQuery): QueryPage {
    const rows = this.rows(
      `${this.select(query)} ${query.where.text} ${query.groupBy} ${query.orderBy} LIMIT ? OFFSET ?`,
      [...query.where.parameters, query.limit ?? -1, query.offset],
    );
    const records = rows.map((row) => ({
      attributes: { type: 'AggregateResult' },
      ...Object.fromEntries(query.aggregates.map((one, index) => [one.key, restValue(one.type, row[index] ?? null)])),
    }));
    return { totalSize: records.length, done: true, next: null, records };
  }

  private page(
    query: CompiledQuery,
    rows: ReadonlyArray<readonly StoredValue[]>,
    totalSize: number,
    next: string | null,
    version: string,
  ): QueryPage {
    const nameOf = (id: string) => this.store.schema.objectOfId(id)?.name ?? '';
    const records = rows.map((row) => toRestRecord(query.shape, row, version, nameOf));
    return { totalSize, done: next === null, next, records };
  }

  private from(query: CompiledQuery): string {
    return `${quoted(query.object.name)} ${query.alias} ${query.joins}`;
  }

  private select(query: CompiledQuery): string {
    return `SELECT ${query.columns.join(', ')} FROM ${this.from(query)}`;
  }

  private rows(sql: string, parameters: readonly StoredValue[]): StoredValue[][] {
    const statement = this.store.db.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all(...parameters) as unknown as StoredValue[][];
  }
}
