import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ChangeEvent } from './change-event.js';

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

/**
 * The change events of the last hours, in commit order. Replay ids grow with gaps and mean nothing but a place.
 * Source: facts/salesforce.md §1.9; retention is measured on the sandbox's clock.
 */
export class EventLog {
  private readonly db = new DatabaseSync(':memory:');
  private readonly insertOne: StatementSync;
  private readonly listeners = new Set<() => void>();
  private readonly reads = new Map<number, StatementSync>();
  private lastId = FIRST_REPLAY_ID;
  private appended = 0;

  constructor(
    private readonly now: () => number,
    private readonly retentionMs: number,
    private readonly random: () => number,
  ) {
    this.db.exec(
      'CREATE TABLE events (replay_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, entity TEXT NOT NULL, event TEXT NOT NULL)',
    );
    this.insertOne = this.db.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
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
    const at = this.now();
    const ids = events.map((event) => this.insert(at, event.entity, JSON.stringify(event)));
    this.appended += events.length;
    for (const listener of this.listeners) listener();
    return ids;
  }

  /**
   * Other orgs' events passed: the newest replay id moves on and is kept as long as an event's, and nobody receives anything.
   * Answers that id.
   */
  pass(): number {
    this.purge();
    return this.insert(this.now(), NO_ENTITY, '');
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
      event: JSON.parse(String(row['event'])) as ChangeEvent,
    }));
  }

  stats(): { retained: number; appended: number; oldestReplayId: number | null; newestReplayId: number } {
    this.purge();
    const row = this.db
      .prepare('SELECT count(*) AS n, min(replay_id) AS oldest FROM events WHERE entity <> ?')
      .get(NO_ENTITY);
    const oldest = row?.['oldest'] ?? null;
    return {
      retained: Number(row?.['n'] ?? 0),
      appended: this.appended,
      oldestReplayId: oldest === null ? null : Number(oldest),
      newestReplayId: this.lastId,
    };
  }

  private insert(at: number, entity: string, event: string): number {
    this.lastId += 1 + Math.floor(this.random() * LARGEST_STEP);
    this.insertOne.run(this.lastId, at, entity, event);
    return this.lastId;
  }

  /** Drops what is older than the retention. Time grows with the id, so that this is a prefix. */
  private purge(): void {
    const oldest = this.db.prepare('SELECT at FROM events ORDER BY replay_id LIMIT 1').get();
    if (oldest === undefined || Number(oldest['at']) >= this.now() - this.retentionMs) return;
    this.db
      .prepare(
        `DELETE FROM events WHERE replay_id < coalesce(
           (SELECT replay_id FROM events WHERE at >= ? ORDER BY replay_id LIMIT 1), ?)`,
      )
      .run(this.now() - this.retentionMs, this.lastId + 1);
  }
}
