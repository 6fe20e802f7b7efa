import type { Logger } from '@libs/observability';
import type { Database } from './database.js';
import type { StoredTopic, TopicStore } from './topic-store.js';

/** Rows looked at in one transaction. */
const CHUNK_ROWS = 500;
/** A tombstone outlives the values that it hides by this long, so that every follower sees it. Kafka's default of `delete.retention.ms`. */
const TOMBSTONE_MS = 24 * 60 * 60 * 1000;
/** A value is kept this long after it was superseded, so that a read in progress still finds each key. Milliseconds. */
const COMPACTION_LAG_MS = 60_000;

interface Row {
  pos: number;
  time_ms: number;
}

/**
 * Frees space, a chunk at a time.
 *
 * `delete` topics lose records older than their retention, from the beginning on, but never one that an active group has not
 * committed. A group counts as active while it has members or has committed within the retention: one that was given up holds
 * nothing back, and finds a hole if it comes back later, as on Kafka.
 * `compact` topics keep the last value of each key; tombstones go after a day.
 */
export class Retention {
  private freed = 0;

  constructor(
    private readonly db: Database,
    private readonly topics: TopicStore,
    private readonly logger: Logger,
  ) {}

  /** One round over everything. Returns the number of records freed. */
  async sweep(nowMs: number): Promise<number> {
    this.freed = 0;
    for (const topic of this.topics.list()) {
      for (let partition = 0; partition < topic.partitions; partition += 1) {
        let looked: number;
        do {
          if (!this.db.isOpen) return this.freed;
          looked = await this.db.write(CHUNK_ROWS, () =>
            topic.cleanup === 'compact' ? this.compact(topic, partition, nowMs) : this.expire(topic, partition, nowMs),
          );
        } while (looked === CHUNK_ROWS);
      }
    }
    if (this.freed > 0) this.logger.debug({ freed: this.freed }, 'freed records of the embedded log');
    return this.freed;
  }

  private expire(topic: StoredTopic, partition: number, nowMs: number): number {
    if (topic.retentionMs === null) return 0;
    const before = nowMs - topic.retentionMs;
    const limit = this.lowestCommitted(topic, partition, before);
    const rows = this.db.all<Row>(
      'SELECT pos, time_ms FROM records WHERE topic = ? AND part = ? AND pos < ? ORDER BY pos LIMIT ?',
      topic.id,
      partition,
      limit,
      CHUNK_ROWS,
    );
    const kept = rows.findIndex((row) => row.time_ms >= before);
    const last = rows[(kept === -1 ? rows.length : kept) - 1];
    if (last === undefined) return 0;
    const deleted = this.db.run(
      'DELETE FROM records WHERE topic = ? AND part = ? AND pos <= ?',
      topic.id,
      partition,
      last.pos,
    );
    this.freed += deleted;
    return deleted;
  }

  /** First offset that some active group still needs. */
  private lowestCommitted(topic: StoredTopic, partition: number, before: number): number {
    const held = this.db.get<{ pos: number | null }>(
      `SELECT MIN(next) AS pos FROM commits
       WHERE topic = ? AND part = ? AND (time_ms >= ? OR grp IN (SELECT grp FROM members))`,
      topic.id,
      partition,
      before,
    );
    // A member that has committed nothing yet needs everything.
    const fresh = this.db.get<{ n: number }>(
      `SELECT COUNT(*) AS n FROM claims c WHERE c.topic = ?1 AND c.part = ?2 AND c.owner IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM commits m WHERE m.grp = c.grp AND m.topic = ?1 AND m.part = ?2)`,
      topic.id,
      partition,
    );
    if ((fresh?.n ?? 0) > 0) return 0;
    return held?.pos ?? Number.MAX_SAFE_INTEGER;
  }

  /**
   * Goes on from where the last round ended: each record that is old enough frees the older ones of its key. So a round costs
   * as much as was written since, not as much as is kept.
   */
  private compact(topic: StoredTopic, partition: number, nowMs: number): number {
    const head = this.db.get<{ compacted: number }>(
      'SELECT compacted FROM heads WHERE topic = ? AND part = ?',
      topic.id,
      partition,
    );
    const rows = this.db
      .all<Row & { key: string }>(
        'SELECT pos, time_ms, key FROM records WHERE topic = ? AND part = ? AND pos >= ? ORDER BY pos LIMIT ?',
        topic.id,
        partition,
        head?.compacted ?? 0,
        CHUNK_ROWS,
      )
      .filter((row) => row.time_ms < nowMs - COMPACTION_LAG_MS);
    for (const { key, pos } of rows) {
      this.freed += this.db.run(
        'DELETE FROM records WHERE topic = ? AND part = ? AND compact_key = ? AND pos < ?',
        topic.id,
        partition,
        key,
        pos,
      );
    }
    const last = rows.at(-1);
    if (last !== undefined) {
      this.db.run('UPDATE heads SET compacted = ? WHERE topic = ? AND part = ?', last.pos + 1, topic.id, partition);
    }
    this.freed += this.db.run(
      'DELETE FROM records WHERE topic = ? AND part = ? AND value IS NULL AND time_ms < ? AND pos < ?',
      topic.id,
      partition,
      nowMs - TOMBSTONE_MS,
      last === undefined ? (head?.compacted ?? 0) : last.pos + 1,
    );
    return rows.length;
  }
}
