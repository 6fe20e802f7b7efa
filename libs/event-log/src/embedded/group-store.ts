import { assignEvenly, assignSingleOwner, partitionName, type Owners } from '../assignment.js';
import type { Assignment, Committed } from '../port.js';
import type { Database } from './database.js';
import type { StoredTopic, TopicStore } from './topic-store.js';

/** A partition as taken by a member. */
export interface Taken {
  readonly topic: StoredTopic;
  readonly partition: number;
  /** Fencing token: grows each time the partition changes hands. */
  readonly epoch: number;
  readonly committed: number | null;
  readonly metadata: string | null;
}

/** What a member learns from a round. */
export interface Round {
  /** It was thrown out: its lease had run out and another member noticed. All of its claims are void. */
  readonly expelled: boolean;
  readonly taken: readonly Taken[];
  /** Held, but wanted by another: to be let go as soon as its handler has settled, as {@link partitionName}s. */
  readonly unwanted: ReadonlySet<string>;
}

export interface MemberInfo {
  readonly id: string;
  readonly group: string;
  readonly assignment: Assignment;
  readonly topics: readonly StoredTopic[];
}

/** Subject of a group's membership and claims, for `Database.onChange`. */
export function membersOf(group: string): string {
  return `members of ${group}`;
}

interface ClaimRow {
  topic: number;
  part: number;
  owner: string | null;
}

function ownerOf(rows: readonly ClaimRow[], topic: StoredTopic, partition: number): string | null {
  return rows.find((row) => row.topic === topic.id && row.part === partition)?.owner ?? null;
}

/**
 * Groups in the file: members with leases, owners of partitions with fencing epochs, committed offsets. Each method is one
 * transaction, so all members of all processes see one order of events.
 */
export class GroupStore {
  constructor(
    private readonly db: Database,
    private readonly topics: TopicStore,
    private readonly sessionTimeoutMs: number,
  ) {}

  join({ id, group, assignment, topics }: MemberInfo): Promise<void> {
    return this.db.write(1, () => {
      this.db.run(
        'INSERT OR REPLACE INTO members(id, grp, assignment, topics, expires_ms) VALUES (?, ?, ?, ?, ?)',
        id,
        group,
        assignment,
        JSON.stringify(topics.map(({ name }) => name)),
        Date.now() + this.sessionTimeoutMs,
      );
      this.db.touch(membersOf(group));
    });
  }

  /** Gives up everything. */
  leave(member: MemberInfo): Promise<void> {
    return this.db.write(1, () => this.remove(member.group, member.id));
  }

  /** Renews the leases of members of this process, all before any member is found dead. */
  beat(ids: readonly string[]): Promise<void> {
    return this.db.write(ids.length, () => {
      const expires = Date.now() + this.sessionTimeoutMs;
      for (const id of ids) this.db.run('UPDATE members SET expires_ms = ? WHERE id = ?', expires, id);
    });
  }

  /** Buries the dead, computes who should own what, and takes for this member what is its own and free. */
  round(member: MemberInfo): Promise<Round> {
    return this.db.write(1, () => {
      this.buryDead(member);
      if (this.db.get('SELECT 1 FROM members WHERE id = ?', member.id) === undefined) {
        return { expelled: true, taken: [], unwanted: new Set<string>() };
      }
      const rows = this.claimRows(member.group);
      const wanted = this.owners(member, rows);
      const taken: Taken[] = [];
      const unwanted = new Set<string>();
      for (const topic of member.topics) {
        for (let partition = 0; partition < topic.partitions; partition += 1) {
          const name = partitionName(topic.name, partition);
          const owner = ownerOf(rows, topic, partition);
          const mine = wanted.get(name) === member.id;
          if (owner === member.id && !mine) unwanted.add(name);
          if (owner === null && mine) taken.push(this.take(member, topic, partition));
        }
      }
      return { expelled: false, taken, unwanted };
    });
  }

  /** Would {@link round} change anything for this member? A read, so that idle members write nothing. */
  needsRound(member: MemberInfo, held: ReadonlySet<string>): boolean {
    const now = Date.now();
    const dead = this.db.get('SELECT 1 FROM members WHERE grp = ? AND expires_ms < ?', member.group, now);
    if (dead !== undefined) return true;
    if (this.db.get('SELECT 1 FROM members WHERE id = ?', member.id) === undefined) return true;
    const rows = this.claimRows(member.group);
    const wanted = this.owners(member, rows);
    return member.topics.some((topic) =>
      Array.from({ length: topic.partitions }, (_, partition) => partition).some((partition) => {
        const name = partitionName(topic.name, partition);
        const mine = wanted.get(name) === member.id;
        return mine ? !held.has(name) && ownerOf(rows, topic, partition) === null : held.has(name);
      }),
    );
  }

  /** Lets a partition go, so that its wanted owner may take it. */
  release(member: MemberInfo, { topic, partition, epoch }: Taken): Promise<void> {
    return this.db.write(1, () => {
      this.db.run(
        'UPDATE claims SET owner = NULL WHERE grp = ? AND topic = ? AND part = ? AND owner = ? AND epoch = ?',
        member.group,
        topic.id,
        partition,
        member.id,
        epoch,
      );
      this.db.touch(membersOf(member.group));
    });
  }

  /** Moves the committed offset; `false` when the partition has changed hands since. */
  commit(member: MemberInfo, { topic, partition, epoch }: Taken, next: number, metadata?: string): Promise<boolean> {
    return this.db.write(1, () => {
      const owned = this.db.get(
        'SELECT 1 FROM claims WHERE grp = ? AND topic = ? AND part = ? AND owner = ? AND epoch = ?',
        member.group,
        topic.id,
        partition,
        member.id,
        epoch,
      );
      // Invariant 1: a member of an old generation never moves the cursor.
      if (owned === undefined) return false;
      this.db.run(
        'INSERT OR REPLACE INTO commits(grp, topic, part, next, metadata, time_ms) VALUES (?, ?, ?, ?, ?, ?)',
        member.group,
        topic.id,
        partition,
        next,
        metadata ?? null,
        Date.now(),
      );
      return true;
    });
  }

  committed(group: string, topic: StoredTopic): Committed[] {
    const rows = this.db.all<{ part: number; next: number; metadata: string | null }>(
      'SELECT part, next, metadata FROM commits WHERE grp = ? AND topic = ?',
      group,
      topic.id,
    );
    return Array.from({ length: topic.partitions }, (_, partition) => {
      const row = rows.find(({ part }) => part === partition);
      return { partition, offset: row?.next ?? null, metadata: row?.metadata ?? null };
    });
  }

  private buryDead(member: MemberInfo): void {
    const dead = this.db.all<{ id: string }>(
      'SELECT id FROM members WHERE grp = ? AND id <> ? AND expires_ms < ?',
      member.group,
      member.id,
      Date.now(),
    );
    for (const { id } of dead) this.remove(member.group, id);
  }

  private remove(group: string, id: string): void {
    this.db.run('UPDATE claims SET owner = NULL WHERE grp = ? AND owner = ?', group, id);
    this.db.run('DELETE FROM members WHERE id = ?', id);
    this.db.touch(membersOf(group));
  }

  private claimRows(group: string): ClaimRow[] {
    return this.db.all<ClaimRow>('SELECT topic, part, owner FROM claims WHERE grp = ?', group);
  }

  private owners(member: MemberInfo, rows: readonly ClaimRow[]): Owners {
    const members = this.db.all<{ id: string; topics: string }>(
      'SELECT id, topics FROM members WHERE grp = ?',
      member.group,
    );
    const stored = new Map<string, StoredTopic>();
    const candidates = members.map(({ id, topics }) => {
      const names = JSON.parse(topics) as string[];
      for (const name of names) stored.set(name, this.topics.find(name));
      return { id, names };
    });
    const nameOf = new Map([...stored.values()].map(({ id, name }) => [id, name]));
    const assign = member.assignment === 'single-owner' ? assignSingleOwner : assignEvenly;
    return assign(
      candidates.map(({ id, names }) => ({
        id,
        topics: names,
        owned: new Set(
          rows
            .filter(({ owner }) => owner === id)
            .map(({ topic, part }) => partitionName(nameOf.get(topic) ?? '', part)),
        ),
      })),
      new Map([...stored.values()].map(({ name, partitions }) => [name, partitions])),
    );
  }

  private take(member: MemberInfo, topic: StoredTopic, partition: number): Taken {
    const row = this.db.get<{ epoch: number }>(
      `INSERT INTO claims(grp, topic, part, owner, epoch) VALUES (?, ?, ?, ?, 1)
       ON CONFLICT(grp, topic, part) DO UPDATE SET owner = excluded.owner, epoch = epoch + 1 RETURNING epoch`,
      member.group,
      topic.id,
      partition,
      member.id,
    );
    const commit = this.db.get<{ next: number; metadata: string | null }>(
      'SELECT next, metadata FROM commits WHERE grp = ? AND topic = ? AND part = ?',
      member.group,
      topic.id,
      partition,
    );
    return {
      topic,
      partition,
      epoch: row?.epoch ?? 0,
      committed: commit?.next ?? null,
      metadata: commit?.metadata ?? null,
    };
  }
}
