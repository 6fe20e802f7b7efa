import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { FETCHED_LATER_MS, isOlder, type Identity } from '@libs/contracts';
import { rankOf } from '@libs/mapping';
import type { IdentityView } from './core/decision.js';
import type { Known } from './core/claims.js';

/** Writers of one machine that may share a DATA_DIR, each with a file of its own. */
const MAX_FILES = 16;
/** Of those who claim an address: the first, and who comes after it when that one goes. */
const FIRST_CLAIMANTS = 8;
/** Of those who claim an address and said no: all say much the same. */
const MOST_OPT_OUTS = 50;
/** Layout of the file; another one is made anew. */
const LAYOUT = 4;
/**
 * Nothing waits for the disk: a process that is killed loses nothing by that, and after a power cut the file is as good as the disk
 * kept it, or broken, and made anew from the topic. 64 MB of pages in memory, and a log of 32 MB before they are put in
 * place: records come in no order, so every one touches pages all over the file.
 */
const PACE = 'PRAGMA synchronous = OFF; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 8000;';
/** What SQLite says of a file that is in use, and of one that is broken. Source: sqlite.org/rescode.html. */
const SQLITE_BUSY = 5;
const BROKEN = new Set([11, 24, 26]);

/** One message of `sync.identities.v1`. */
export interface IdentityEntry {
  readonly recordId: string;
  /** `null` forgets the record; `unreadable` changes nothing. */
  readonly identity: Identity | 'unreadable' | null;
  readonly partition: number;
  readonly offset: number;
}

/** The file is broken: it is deleted, and a restart makes it anew from the topic. */
export class IdentityStoreBrokenError extends Error {
  override readonly name = 'IdentityStoreBrokenError';
}

/** Where a store lives. */
export interface IdentityStoreOptions {
  readonly dataDir: string;
  /** Names the log that the topic is in: the positions of another log mean nothing. */
  readonly source: string;
}

/**
 * Record id → profile, claim to an address, and version (Invariant 3), with the positions in `sync.identities.v1` up to which
 * it holds the topic, in one SQLite file. A cache: the topic is the truth, and the file may be deleted at any time. On disk, so
 * that memory does not grow with the number of records. A file is locked for the life of its process, so two writers with one
 * DATA_DIR never share one: the second takes the next name.
 */
export class IdentityStore implements IdentityView {
  private readonly find: StatementSync;
  private readonly findClaimants: StatementSync;
  private readonly findHolders: StatementSync;
  private readonly findConverted: StatementSync;
  private readonly findUsers: StatementSync;
  private readonly findDue: StatementSync;
  private readonly put: StatementSync;
  private readonly forget: StatementSync;
  private readonly move: StatementSync;

  private constructor(
    private readonly db: DatabaseSync,
    readonly path: string,
  ) {
    const select = 'SELECT record_id, state FROM identities WHERE';
    this.find = db.prepare(`${select} record_id = ?`);
    this.findClaimants = db.prepare(
      `SELECT * FROM (${select} claimed_email = ?1 AND said_no = 1 LIMIT ${MOST_OPT_OUTS}) UNION SELECT * FROM (
        ${select} claimed_email = ?1 ORDER BY rank, created_ms DESC, record_id DESC LIMIT ${FIRST_CLAIMANTS})`,
    );
    this.findHolders = db.prepare(`${select} email = ?`);
    this.findUsers = db.prepare(`${select} mapped_id = ?`);
    this.findConverted = db.prepare(`${select} converted_to = ?`);
    this.findDue = db.prepare(`${select} due = 1 ORDER BY random() LIMIT ?`);
    this.put = db.prepare(`
      INSERT INTO identities (record_id, modstamp_ms, fetched_at_ms, email, claimed_email, rank, created_ms,
        said_no, converted_to, mapped_id, due, state)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (record_id) DO UPDATE SET modstamp_ms = excluded.modstamp_ms, fetched_at_ms = excluded.fetched_at_ms,
        email = excluded.email, claimed_email = excluded.claimed_email, rank = excluded.rank,
        created_ms = excluded.created_ms, said_no = excluded.said_no, converted_to = excluded.converted_to,
        mapped_id = excluded.mapped_id,
        due = excluded.due, state = excluded.state
      WHERE excluded.fetched_at_ms > fetched_at_ms + ${FETCHED_LATER_MS}
        OR (excluded.fetched_at_ms >= fetched_at_ms - ${FETCHED_LATER_MS}
          AND (excluded.modstamp_ms, excluded.fetched_at_ms) >= (modstamp_ms, fetched_at_ms))`);
    this.forget = db.prepare('DELETE FROM identities WHERE record_id = ?');
    this.move = db.prepare(`
      INSERT INTO positions (partition, next) VALUES (?, ?)
      ON CONFLICT (partition) DO UPDATE SET next = excluded.next WHERE excluded.next > next`);
  }

  static open({ dataDir, source }: IdentityStoreOptions): IdentityStore {
    mkdirSync(dataDir, { recursive: true });
    for (let number = 1; number <= MAX_FILES; number += 1) {
      const path = join(dataDir, number === 1 ? 'writer-identities.db' : `writer-identities-${number}.db`);
      const db = lockFile(path, source);
      if (db !== null) return new IdentityStore(db, path);
    }
    throw new Error(`${MAX_FILES} writers use ${dataDir} already: give each its own DATA_DIR`);
  }

  /** What is known of a record, `null` if nothing is. */
  of(recordId: string): Identity | null {
    return this.known(this.find, recordId)[0]?.identity ?? null;
  }

  /** The first in line, and those who said no: an address that thousands claim must not cost thousands. */
  claimants(email: string): Known[] {
    return this.known(this.findClaimants, email);
  }

  holders(email: string): Known[] {
    return this.known(this.findHolders, email);
  }

  users(userId: string): Known[] {
    return this.known(this.findUsers, userId);
  }

  /** Those among them that still have a profile. */
  convertedInto(recordId: string): Known[] {
    return this.known(this.findConverted, recordId).filter(
      ({ identity: { email, userId, intents } }) =>
        email !== undefined || userId !== undefined || intents !== undefined,
    );
  }

  /** Some of the records that are to be forgotten when Iterable's daily limit allows. */
  dueToForget(most: number): Known[] {
    return this.known(this.findDue, most);
  }

  /** Up to where the topic is in here: the next offset to read, by partition. */
  positions(): Record<number, number> {
    const rows = this.guarded(() => this.db.prepare('SELECT partition, next FROM positions').all());
    return Object.fromEntries(rows.map((row) => [row['partition'] as number, row['next'] as number]));
  }

  /** Takes a run of the topic as read, in order, with its position: one transaction. The newest version stays. */
  follow(entries: readonly IdentityEntry[]): void {
    this.transaction(() => {
      for (const entry of newest(entries)) this.keep(entry);
      for (const [partition, next] of ends(entries)) this.move.run(partition, next);
    });
  }

  /**
   * Takes what was just appended. The position moves along where nothing lies between, and otherwise stays, for `follow` to
   * read what is between. Returns whether it moved for all.
   */
  add(entries: readonly IdentityEntry[]): boolean {
    let complete = true;
    this.transaction(() => {
      const positions = this.positions();
      for (const entry of newest(entries)) this.keep(entry);
      for (const entry of entries) {
        if ((positions[entry.partition] ?? 0) >= entry.offset)
          positions[entry.partition] = Math.max(positions[entry.partition] ?? 0, entry.offset + 1);
        else complete = false;
      }
      for (const [partition, next] of Object.entries(positions)) this.move.run(Number(partition), next);
    });
    return complete;
  }

  /** Forgets everything: the topic was made anew. */
  clear(): void {
    this.transaction(() => this.db.exec('DELETE FROM identities; DELETE FROM positions;'));
  }

  /** Idempotent. */
  close(): void {
    if (this.db.isOpen) this.db.close();
  }

  private keep({ recordId, identity }: IdentityEntry): void {
    if (identity === 'unreadable') return;
    if (identity === null) {
      this.forget.run(recordId);
      return;
    }
    const { email = null, version, claim, convertedTo = null, forgotten } = identity;
    const due = forgotten === 'due' ? 1 : null;
    const { modstampMs, fetchedAtMs } = version;
    const saidNo = claim?.optOut === undefined ? null : 1;
    this.put.run(
      recordId,
      modstampMs,
      fetchedAtMs,
      email,
      claim?.email ?? null,
      rankOf(identity.recordType),
      claim?.createdMs ?? 0,
      saidNo,
      convertedTo,
      mappedIdOf(recordId, identity),
      due,
      JSON.stringify(identity),
    );
  }

  private known(statement: StatementSync, key: string | number): Known[] {
    const rows = this.guarded(() => statement.all(key));
    return rows.map((row) => ({
      recordId: row['record_id'] as string,
      // Written by this class alone, from what the topic's schema let through.
      identity: JSON.parse(row['state'] as string) as Identity,
    }));
  }

  private transaction(change: () => void): void {
    this.guarded(() => {
      this.db.exec('BEGIN IMMEDIATE');
      try {
        change();
        this.db.exec('COMMIT');
      } catch (error) {
        if (this.db.isTransaction) this.db.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** A broken file is deleted at once: a restart would find it again. */
  private guarded<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      if (!BROKEN.has(resultCode(error))) throw error;
      this.close();
      remove(this.path);
      throw new IdentityStoreBrokenError(
        `${this.path} was broken and is deleted: a restart makes it anew from the topic`,
        { cause: error },
      );
    }
  }
}

/** Opens and locks a file, made or made anew as needed; `null`: another process has it. */
function lockFile(path: string, source: string): DatabaseSync | null {
  for (const attempt of [1, 2]) {
    const db = new DatabaseSync(path, { timeout: 0 });
    try {
      // In exclusive mode the lock of the first transaction is kept until the file is closed, or the process is gone.
      db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; ${PACE} BEGIN IMMEDIATE; COMMIT;`);
      prepare(db, source);
      return db;
    } catch (error) {
      db.close();
      const code = resultCode(error);
      if (code === SQLITE_BUSY) return null;
      if (!BROKEN.has(code) || attempt === 2) throw error;
      remove(path);
    }
  }
  return null;
}

function prepare(db: DatabaseSync, source: string): void {
  const layout = db.prepare('PRAGMA user_version').get()?.['user_version'];
  const known = layout === LAYOUT ? db.prepare('SELECT source FROM origin').get()?.['source'] : undefined;
  if (known === source) return;
  db.exec(`
    BEGIN IMMEDIATE;
    DROP TABLE IF EXISTS identities;
    DROP TABLE IF EXISTS positions;
    DROP TABLE IF EXISTS origin;
    CREATE TABLE identities (record_id TEXT PRIMARY KEY, modstamp_ms INTEGER NOT NULL, fetched_at_ms INTEGER NOT NULL,
      email TEXT, claimed_email TEXT, rank INTEGER, created_ms INTEGER, said_no INTEGER, converted_to TEXT, mapped_id TEXT, due INTEGER,
      state TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX by_email ON identities (email) WHERE email IS NOT NULL;
    CREATE INDEX by_claim ON identities (claimed_email, rank, created_ms DESC, record_id DESC)
      WHERE claimed_email IS NOT NULL;
    CREATE INDEX by_no ON identities (claimed_email) WHERE said_no = 1;
    CREATE INDEX by_contact ON identities (converted_to) WHERE converted_to IS NOT NULL;
    CREATE INDEX by_id ON identities (mapped_id) WHERE mapped_id IS NOT NULL;
    CREATE INDEX by_due ON identities (due) WHERE due IS NOT NULL;
    CREATE TABLE positions (partition INTEGER PRIMARY KEY, next INTEGER NOT NULL);
    CREATE TABLE origin (source TEXT NOT NULL);
    PRAGMA user_version = ${LAYOUT};
  `);
  db.prepare('INSERT INTO origin (source) VALUES (?)').run(source);
  db.exec('COMMIT');
}

/** Of a live record, a user id that is not its own id: others may have it. */
function mappedIdOf(recordId: string, { userId, state = 'live' }: Identity): string | null {
  return userId === undefined || userId === recordId || state !== 'live' ? null : userId;
}

function remove(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
}

function resultCode(error: unknown): number {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined;
  return typeof code === 'number' ? code & 0xff : 0;
}

/** Of a record that is there several times, what stays in the end: one write is enough. A tombstone forgets what was before it. */
function newest(entries: readonly IdentityEntry[]): Iterable<IdentityEntry> {
  const byRecord = new Map<string, IdentityEntry>();
  for (const entry of entries) {
    const before = byRecord.get(entry.recordId);
    if (entry.identity === 'unreadable') continue;
    const older =
      entry.identity !== null &&
      before !== undefined &&
      before.identity !== null &&
      before.identity !== 'unreadable' &&
      isOlder(entry.identity.version, before.identity.version);
    if (!older) byRecord.set(entry.recordId, entry);
  }
  return byRecord.values();
}

/** The offset after the last entry of each partition. */
function ends(entries: readonly IdentityEntry[]): ReadonlyMap<number, number> {
  const next = new Map<number, number>();
  for (const { partition, offset } of entries) next.set(partition, offset + 1);
  return next;
}
