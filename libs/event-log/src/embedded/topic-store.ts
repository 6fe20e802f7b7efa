import type { Topic } from '@libs/contracts';
import type { Encoded } from '../codec.js';
import { LogUnavailableError, TopicMismatchError } from '../errors.js';
import { partitionOfKey } from '../murmur2.js';
import type { LogRecord, Position, TopicResult } from '../port.js';
import type { Database } from './database.js';

/** Most rows of one append job: see Database. */
const CHUNK_ROWS = 500;
/** Most characters handed out in one read, beyond its first record: bounds memory (invariant 5). */
const MAX_READ_CHARS = 4_000_000;

/** A topic as it stands in the file. */
export interface StoredTopic {
  readonly id: number;
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  readonly retentionMs: number | null;
}

interface TopicRow {
  id: number;
  name: string;
  partitions: number;
  cleanup: 'delete' | 'compact';
  retention_ms: number | null;
}

interface RecordRow {
  pos: number;
  key: string;
  value: string | null;
  headers: string;
  time_ms: number;
}

const SELECT_TOPIC = 'SELECT id, name, partitions, cleanup, retention_ms FROM topics';

/** Subject of a topic's appends, for `Database.onChange`. */
export function recordsOf(topic: StoredTopic): string {
  return `records of ${topic.name}`;
}

/** Topics and their records in the file. Knows no groups. */
export class TopicStore {
  private readonly known = new Map<string, StoredTopic>();

  constructor(
    private readonly db: Database,
    /** Partitions of `scaled` topics. */
    private readonly scaled: number,
  ) {}

  wanted(topic: Topic): number {
    return topic.partitions === 'scaled' ? this.scaled : topic.partitions;
  }

  apply(topics: readonly Topic[]): Promise<TopicResult[]> {
    const mismatch = topics.map((topic) => this.mismatchOf(topic)).find((error) => error !== null);
    if (mismatch) return Promise.reject(mismatch);
    return this.db.write(topics.length, () => topics.map((topic) => this.applyOne(topic)));
  }

  /** Errors: {@link LogUnavailableError} when it was never applied. */
  find(name: string): StoredTopic {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const row = this.db.get<TopicRow>(`${SELECT_TOPIC} WHERE name = ?`, name);
    if (row === undefined) throw new LogUnavailableError(`topic ${name} does not exist: apply the topics first`);
    return this.remember(row);
  }

  list(): StoredTopic[] {
    return this.db.all<TopicRow>(SELECT_TOPIC).map((row) => this.remember(row));
  }

  /** Appends in order; resolves when all is durable. */
  async append(
    messages: ReadonlyArray<{ readonly topic: string; readonly partition?: number; readonly encoded: Encoded }>,
    nowMs: number,
  ): Promise<Position[]> {
    const placed = messages.map(({ topic, partition, encoded }) => {
      const stored = this.find(topic);
      const part =
        partition === undefined ? partitionOfKey(encoded.key, stored.partitions) : partition % stored.partitions;
      return { stored, part, encoded };
    });
    const jobs: Array<Promise<Position[]>> = [];
    for (let start = 0; start < placed.length; start += CHUNK_ROWS) {
      const chunk = placed.slice(start, start + CHUNK_ROWS);
      jobs.push(
        this.db.write(chunk.length, () =>
          chunk.map(({ stored, part, encoded }) => this.insert(stored, part, encoded, nowMs)),
        ),
      );
    }
    return (await Promise.all(jobs)).flat();
  }

  /** Consecutive records at or after `from`, at most `limit`. */
  fetch(topic: StoredTopic, partition: number, from: number, limit: number): LogRecord[] {
    const records: LogRecord[] = [];
    let chars = 0;
    this.db.visit<RecordRow>(
      'SELECT pos, key, value, headers, time_ms FROM records WHERE topic = ? AND part = ? AND pos >= ? ORDER BY pos LIMIT ?',
      [topic.id, partition, from, limit],
      (row) => {
        records.push({
          topic: topic.name,
          partition,
          offset: row.pos,
          key: row.key,
          value: row.value,
          headers: JSON.parse(row.headers) as Record<string, string>,
          timestampMs: row.time_ms,
        });
        chars += row.value?.length ?? 0;
        return chars < MAX_READ_CHARS;
      },
    );
    return records;
  }

  /** First offset still kept and next one to be written. */
  range(topic: StoredTopic, partition: number): { readonly earliest: number; readonly next: number } {
    const head = this.db.get<{ next: number }>(
      'SELECT next FROM heads WHERE topic = ? AND part = ?',
      topic.id,
      partition,
    );
    const first = this.db.get<{ pos: number }>(
      'SELECT pos FROM records WHERE topic = ? AND part = ? ORDER BY pos LIMIT 1',
      topic.id,
      partition,
    );
    const next = head?.next ?? 0;
    // A compacted topic is whole from its beginning, whatever rows are left.
    const earliest = topic.cleanup === 'compact' ? 0 : (first?.pos ?? next);
    return { earliest, next };
  }

  private insert(topic: StoredTopic, part: number, { key, value, headers }: Encoded, nowMs: number): Position {
    const offset =
      (this.db.get<{ next: number }>(
        'UPDATE heads SET next = next + 1 WHERE topic = ? AND part = ? RETURNING next',
        topic.id,
        part,
      )?.next ?? 0) - 1;
    this.db.run(
      'INSERT INTO records(topic, part, pos, key, value, headers, time_ms, compact_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      topic.id,
      part,
      offset,
      key,
      value,
      JSON.stringify(headers),
      nowMs,
      topic.cleanup === 'compact' ? key : null,
    );
    this.db.touch(recordsOf(topic));
    return { topic: topic.name, partition: part, offset };
  }

  private mismatchOf(topic: Topic): TopicMismatchError | null {
    const row = this.db.get<TopicRow>(`${SELECT_TOPIC} WHERE name = ?`, topic.name);
    const wanted = this.wanted(topic);
    if (row === undefined || row.partitions === wanted) return null;
    return new TopicMismatchError(
      `topic ${topic.name} has ${row.partitions} partitions, wanted are ${wanted}: drain it and make it anew`,
    );
  }

  private applyOne(topic: Topic): TopicResult {
    const { name, policy } = topic;
    const retentionMs = policy.cleanup === 'delete' ? policy.retentionMs : null;
    const row = this.db.get<TopicRow>(`${SELECT_TOPIC} WHERE name = ?`, name);
    if (row === undefined) {
      const partitions = this.wanted(topic);
      const { id } = this.db.get<{ id: number }>(
        'INSERT INTO topics(name, partitions, cleanup, retention_ms) VALUES (?, ?, ?, ?) RETURNING id',
        name,
        partitions,
        policy.cleanup,
        retentionMs,
      ) ?? { id: 0 };
      for (let part = 0; part < partitions; part += 1) {
        this.db.run('INSERT INTO heads(topic, part, next) VALUES (?, ?, 0)', id, part);
      }
      return { topic: name, result: 'created' };
    }
    if (row.cleanup === policy.cleanup && row.retention_ms === retentionMs) return { topic: name, result: 'unchanged' };
    this.db.run('UPDATE topics SET cleanup = ?, retention_ms = ? WHERE id = ?', policy.cleanup, retentionMs, row.id);
    if (row.cleanup !== policy.cleanup) {
      const key = policy.cleanup === 'compact' ? 'key' : 'NULL';
      this.db.run(`UPDATE records SET compact_key = ${key} WHERE topic = ?`, row.id);
    }
    this.known.delete(name);
    return { topic: name, result: 'updated' };
  }

  private remember(row: TopicRow): StoredTopic {
    const { id, name, partitions, cleanup, retention_ms: retentionMs } = row;
    const topic: StoredTopic = { id, name, partitions, cleanup, retentionMs };
    this.known.set(name, topic);
    return topic;
  }
}
