/* oxlint-disable typescript/no-unnecessary-type-parameters -- SQLite's rows have no type: who writes the query names their shape */
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { LogUnavailableError } from '../errors.js';

/** Most rows written in one transaction: a few milliseconds of the event loop. */
const MAX_ROWS = 1_000;
/** How long a transaction waits for another process's. Milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;
/** How often other processes' writes are looked for: reading one number of the WAL index. Milliseconds. */
const POLL_MS = 50;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS topics(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, partitions INTEGER NOT NULL,
  cleanup TEXT NOT NULL, retention_ms INTEGER) STRICT;
CREATE TABLE IF NOT EXISTS heads(
  topic INTEGER NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, compacted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(topic, part)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS records(
  topic INTEGER NOT NULL, part INTEGER NOT NULL, pos INTEGER NOT NULL,
  key TEXT NOT NULL, value TEXT, headers TEXT NOT NULL, time_ms INTEGER NOT NULL,
  compact_key TEXT,
  PRIMARY KEY(topic, part, pos)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS records_by_key ON records(topic, part, compact_key, pos) WHERE compact_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS tombstones ON records(topic, part, time_ms) WHERE value IS NULL;
CREATE TABLE IF NOT EXISTS commits(
  grp TEXT NOT NULL, topic INTEGER NOT NULL, part INTEGER NOT NULL,
  next INTEGER NOT NULL, metadata TEXT, time_ms INTEGER NOT NULL,
  PRIMARY KEY(grp, topic, part)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS members(
  id TEXT PRIMARY KEY, grp TEXT NOT NULL, assignment TEXT NOT NULL, topics TEXT NOT NULL,
  expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS claims(
  grp TEXT NOT NULL, topic INTEGER NOT NULL, part INTEGER NOT NULL,
  owner TEXT, epoch INTEGER NOT NULL,
  PRIMARY KEY(grp, topic, part)) STRICT, WITHOUT ROWID;
`;

interface Job {
  readonly rows: number;
  run(): unknown;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * The file: statements, and one queue of writes. Writes that wait share one transaction (one fsync), never more than
 * {@link MAX_ROWS} rows, with a turn of the event loop between two.
 */
export class Database {
  private readonly changes = new EventEmitter();
  private readonly touched = new Set<string>();
  private readonly db: DatabaseSync;
  private readonly statements = new Map<string, StatementSync>();
  private readonly jobs: Job[] = [];
  private readonly poll: NodeJS.Timeout;
  private draining: Promise<void> | null = null;
  private version: number;
  private listening = 0;
  private accepting = true;
  private open = true;

  /** `path`: a file or `:memory:`. `synchronous` FULL: what was acknowledged survives a power loss; NORMAL: a process crash. */
  constructor(path: string, synchronous: 'FULL' | 'NORMAL') {
    this.changes.setMaxListeners(0);
    this.db = new DatabaseSync(path);
    this.db.exec(
      `PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`,
    );
    this.db.exec(SCHEMA);
    this.version = this.dataVersion();
    this.poll = setInterval(() => this.lookForOthers(), POLL_MS);
    this.poll.unref();
  }

  /** Rows of a query, at once. */
  all<R>(sql: string, ...values: SQLInputValue[]): R[] {
    return this.guard(() => this.statement(sql).all(...values) as R[]);
  }

  get<R>(sql: string, ...values: SQLInputValue[]): R | undefined {
    return this.guard(() => this.statement(sql).get(...values) as R | undefined);
  }

  /** Rows one by one; stop early by returning false. Nothing else may run meanwhile: the visitor is synchronous. */
  visit<R>(sql: string, values: readonly SQLInputValue[], visitor: (row: R) => boolean): void {
    this.guard(() => {
      for (const row of this.statement(sql).iterate(...values)) if (!visitor(row as R)) return;
    });
  }

  /** Number of rows changed. Only inside a {@link write} job. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.statement(sql).run(...values).changes);
  }

  /**
   * Runs `job` inside a transaction, after all writes that were queued before. Resolves when it is durable.
   * `rows`: about how many it writes. A job that throws undoes the transaction, with those that share it.
   */
  write<T>(rows: number, job: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.accepting) {
        reject(new LogUnavailableError('the event log is closed'));
        return;
      }
      this.jobs.push({ rows, run: job, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  /** Finishes queued writes, moves the WAL into the file and closes. Idempotent. */
  async close(): Promise<void> {
    if (!this.accepting) return;
    this.accepting = false;
    clearInterval(this.poll);
    await this.draining;
    this.open = false;
    // Another process may be reading: then the WAL just stays.
    this.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.db.close();
    this.announce(this.changes.eventNames());
  }

  /** Calls back after each commit that touched the subject, here, or anything at all in another process. Returns the way to end it. */
  onChange(subject: string, listener: () => void): () => void {
    this.changes.on(subject, listener);
    // Who listens keeps the process alive, as an open socket would.
    this.listening += 1;
    this.poll.ref();
    return () => {
      this.changes.off(subject, listener);
      this.listening -= 1;
      if (this.listening === 0) this.poll.unref();
    };
  }

  /** Resolves at the next change of the subject, or when the signal aborts. */
  changed(subject: string, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted === true || !this.accepting) {
        resolve();
        return;
      }
      const wake = () => {
        end();
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const end = this.onChange(subject, wake);
      signal?.addEventListener('abort', wake);
    });
  }

  /** Inside a {@link write} job: what it changes, for {@link onChange}. */
  touch(subject: string): void {
    this.touched.add(subject);
  }

  /** False from the moment {@link close} is called. */
  get isOpen(): boolean {
    return this.accepting;
  }

  private async drain(): Promise<void> {
    await nextTurn();
    while (this.jobs.length > 0) {
      this.transaction(this.takeJobs());
      await nextTurn();
    }
    this.draining = null;
  }

  private takeJobs(): Job[] {
    let rows = 0;
    const end = this.jobs.findIndex((job, index) => {
      rows += job.rows;
      return index > 0 && rows > MAX_ROWS;
    });
    return this.jobs.splice(0, end === -1 ? this.jobs.length : end);
  }

  private transaction(jobs: readonly Job[]): void {
    let results: unknown[];
    this.touched.clear();
    try {
      this.db.exec('BEGIN IMMEDIATE');
      try {
        results = jobs.map((job) => job.run());
        this.db.exec('COMMIT');
      } catch (error) {
        this.db.exec('ROLLBACK');
        throw error;
      }
    } catch (error) {
      const failure = new LogUnavailableError('writing to the embedded log', { cause: error });
      for (const job of jobs) job.reject(failure);
      return;
    }
    jobs.forEach((job, index) => job.resolve(results[index]));
    this.announce([...this.touched]);
  }

  private lookForOthers(): void {
    const version = this.dataVersion();
    if (version === this.version) return;
    this.version = version;
    this.announce(this.changes.eventNames());
  }

  private announce(subjects: readonly (string | symbol)[]): void {
    for (const subject of subjects) this.changes.emit(subject);
  }

  /** Changes when another connection committed. Source: SQLite docs, PRAGMA data_version. */
  private dataVersion(): number {
    return (this.statement('PRAGMA data_version').get() as { data_version: number }).data_version;
  }

  private statement(sql: string): StatementSync {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }

  private guard<T>(read: () => T): T {
    if (!this.open) throw new LogUnavailableError('the event log is closed');
    try {
      return read();
    } catch (error) {
      throw new LogUnavailableError('reading the embedded log', { cause: error });
    }
  }
}
