import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ChangeEvent } from './change-event.js';
import { TextPool } from './text-pool.js';

/** An event with its place in the log. */
export interface LoggedEvent {
  readonly replayId: number;
  readonly event: ChangeEvent;
}

/** Where replay ids begin: those of a lived-in org, far from 0. */
const FIRST_REPLAY_ID = 1_536_800;
/** Ids skip: other orgs' events lie between. */
const LARGEST_STEP = 7;
/** The entity of a passing: no channel has it. */
const NO_ENTITY = '';
/** Texts from this length on are stored beside the events. Characters. */
const LONG_TEXT = 512;
/** What of the log stays in memory. The rest is in a nameless file that SQLite makes and removes. KiB. */
const CACHE_KIB = 64 * 1024;

/**
 * The change events of the last hours, in commit order. Replay ids grow with gaps and mean nothing but a place. Memory is
 * bounded whatever the number of events. Source: facts/salesforce.md §1.9; retention is measured on the sandbox's clock.
 */
export class EventLog {
  private readonly db = new DatabaseSync('');
  private readonly texts: TextPool;
  private readonly insertOne: StatementSync;
  private readonly oldestOne: StatementSync;
  private readonly listeners = new Set<() => void>();
  private readonly reads = new Map<number, StatementSync>();
  private lastId = FIRST_REPLAY_ID;
  private appended = 0;
  private retained = 0;

  constructor(
    private readonly now: () => number,
    private readonly retentionMs: number,
    private readonly random: () => number,
  ) {
    // Nothing here outlives the process, so that nothing needs a journal.
    this.db.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${CACHE_KIB}`);
    this.db.exec(
      'CREATE TABLE events (replay_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, entity TEXT NOT NULL, event TEXT NOT NULL)',
    );
    this.texts = new TextPool(this.db);
    this.insertOne = this.db.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
    this.oldestOne = this.db.prepare('SELECT at FROM events ORDER BY replay_id LIMIT 1');
  }

  close(): void {
    this.db.close();
  }

  /** The newest replay id; the place of "new events only". */
  get tip(): number {
    return this.lastId;
  }

  /** Appends the events of a transaction, then tells the listeners. */
  append(events: readonly ChangeEvent[]): number[] {
    if (events.length === 0) return [];
    this.purge();
    this.db.exec('BEGIN');
    const ids = events.map((event) => this.insert(event.entity, event));
    this.db.exec('COMMIT');
    this.appended += events.length;
    this.retained += events.length;
    for (const listener of this.listeners) listener();
    return ids;
  }

  /**
   * Other orgs' events passed: the newest replay id moves on and is kept as long as an event's, and nobody receives anything.
   * Answers that id.
   */
  pass(): number {
    this.purge();
    return this.insert(NO_ENTITY, null);
  }

  /** Calls back after each append. Returns what stops that. */
  onAppend(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Whether a client may resume after this id: the event is still kept. */
  holds(replayId: number): boolean {
    this.purge();
    return this.db.prepare('SELECT 1 FROM events WHERE replay_id = ?').get(replayId) !== undefined;
  }

  /** At most `limit` retained events of some entities after a place, in order. */
  after(replayId: number, entities: readonly string[], limit: number): LoggedEvent[] {
    if (replayId >= this.lastId) return [];
    this.purge();
    let statement = this.reads.get(entities.length);
    if (statement === undefined) {
      statement = this.db.prepare(
        `SELECT replay_id, event FROM events WHERE replay_id > ? AND entity IN (${entities.map(() => '?').join(', ')})
         ORDER BY replay_id LIMIT ?`,
      );
      this.reads.set(entities.length, statement);
    }
    return statement.all(replayId, ...entities, limit).map((row) => ({
      replayId: Number(row['replay_id']),
      event: this.unpacked(String(row['event'])),
    }));
  }

  /** The place `count` events before this one, or the oldest there is. */
  before(replayId: number, count: number): number {
    const earlier = this.db
      .prepare('SELECT replay_id FROM events WHERE replay_id < ? ORDER BY replay_id DESC LIMIT 1 OFFSET ?')
      .get(replayId, count - 1);
    return earlier === undefined ? 0 : Number(earlier['replay_id']);
  }

  stats(): { retained: number; appended: number; oldestReplayId: number | null; newestReplayId: number } {
    this.purge();
    const oldest = this.db
      .prepare('SELECT replay_id FROM events WHERE entity <> ? ORDER BY replay_id LIMIT 1')
      .get(NO_ENTITY)?.['replay_id'];
    return {
      retained: this.retained,
      appended: this.appended,
      oldestReplayId: oldest === undefined ? null : Number(oldest),
      newestReplayId: this.lastId,
    };
  }

  private insert(entity: string, event: ChangeEvent | null): number {
    this.lastId += 1 + Math.floor(this.random() * LARGEST_STEP);
    this.insertOne.run(this.lastId, this.now(), entity, event === null ? '' : this.packed(event));
    return this.lastId;
  }

  /** JSON in which each long text is replaced by its number: values are never numbers in an array otherwise. */
  private packed(event: ChangeEvent): string {
    const body: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(event.body)) {
      const isLong = typeof value === 'string' && value.length >= LONG_TEXT;
      body[name] = isLong ? [this.texts.put(value, this.lastId)] : value;
    }
    return JSON.stringify({ ...event, body });
  }

  private unpacked(text: string): ChangeEvent {
    const event = JSON.parse(text) as ChangeEvent;
    const body = event.body as Record<string, unknown>;
    for (const name in body) {
      const value = body[name];
      if (Array.isArray(value)) body[name] = this.texts.get(Number(value[0]));
    }
    return event;
  }

  /** Drops what is older than the retention. Time grows with the id, so that this is a prefix. */
  private purge(): void {
    const limit = this.now() - this.retentionMs;
    const oldest = this.oldestOne.get();
    if (oldest === undefined || Number(oldest['at']) >= limit) return;
    const kept = this.db.prepare('SELECT replay_id FROM events WHERE at >= ? ORDER BY replay_id LIMIT 1').get(limit);
    const first = Number(kept?.['replay_id'] ?? this.lastId + 1);
    const counted = this.db.prepare('SELECT count(*) AS n FROM events WHERE replay_id < ? AND entity <> ?');
    this.retained -= Number(counted.get(first, NO_ENTITY)?.['n'] ?? 0);
    this.db.prepare('DELETE FROM events WHERE replay_id < ?').run(first);
    this.texts.purge(first);
  }
}
