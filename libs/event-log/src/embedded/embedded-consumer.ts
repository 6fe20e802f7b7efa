import { randomUUID } from 'node:crypto';
import type { Logger } from '@libs/observability';
import { partitionName } from '../assignment.js';
import type { FencedClaim, FencedHandlers } from '../claims.js';
import type { Consumer, ConsumerOptions } from '../port.js';
import type { Database } from './database.js';
import { membersOf, type GroupStore, type MemberInfo, type Taken } from './group-store.js';
import { PartitionWorker } from './partition-worker.js';
import type { StoredTopic, TopicStore } from './topic-store.js';

const DEFAULT_MAX_RECORDS = 1_000;

interface Held {
  readonly worker: PartitionWorker;
  readonly revoked: AbortController;
  /** On its way to another member: its handler is settling. */
  leaving: boolean;
}

export interface EmbeddedParts {
  readonly db: Database;
  readonly topics: TopicStore;
  readonly groups: GroupStore;
  readonly logger: Logger;
}

/** One member of a group. */
export class EmbeddedConsumer implements Consumer {
  private readonly held = new Map<string, Held>();
  private member: MemberInfo;
  private lastBeatMs = Date.now();
  private turning = false;
  /** A member that gets nothing is told so too. */
  private told = false;
  private turnAgain = false;
  private stopped: Promise<void> | null = null;
  private closed: Promise<void> | null = null;
  private unlisten = () => {};

  constructor(
    private readonly parts: EmbeddedParts,
    private readonly options: ConsumerOptions,
    private readonly handlers: FencedHandlers,
    topics: readonly StoredTopic[],
    private readonly onClosed: () => void,
  ) {
    this.member = {
      id: randomUUID(),
      group: options.group,
      assignment: options.assignment ?? 'shared',
      topics,
    };
  }

  get id(): string {
    return this.member.id;
  }

  async start(): Promise<void> {
    await this.parts.groups.join(this.member);
    this.unlisten = this.parts.db.onChange(membersOf(this.member.group), () => this.lookAround());
    await this.turn();
  }

  /** Its lease was renewed. */
  confirmed(): void {
    this.lastBeatMs = Date.now();
    this.lookAround();
  }

  stop(): Promise<void> {
    this.stopped ??= Promise.all([...this.held.values()].map(({ worker }) => worker.stop())).then(() => undefined);
    return this.stopped;
  }

  close(): Promise<void> {
    this.closed ??= this.leave();
    return this.closed;
  }

  private async leave(): Promise<void> {
    await this.stop();
    this.unlisten();
    for (const { revoked } of this.held.values()) revoked.abort();
    this.held.clear();
    this.onClosed();
    if (this.parts.db.isOpen) await this.parts.groups.leave(this.member);
  }

  private lookAround(): void {
    if (this.stopped !== null || !this.parts.db.isOpen) return;
    if (this.turning) {
      this.turnAgain = true;
      return;
    }
    if (!this.parts.groups.needsRound(this.member, new Set(this.held.keys()))) return;
    this.turn().catch((error: unknown) => this.crash(error));
  }

  /** Rounds until there is nothing more to take or to let go. */
  private async turn(): Promise<void> {
    this.turning = true;
    try {
      do {
        this.turnAgain = false;
        const round = await this.parts.groups.round(this.member);
        if (this.stopped !== null) return;
        if (round.expelled) await this.rejoin();
        const left = [...round.unwanted].filter((name) => this.letGo(name));
        for (const taken of round.taken) this.hold(taken);
        if (!this.told || round.expelled || left.length > 0 || round.taken.length > 0) this.tellAssigned();
      } while (this.turnAgain);
    } finally {
      this.turning = false;
    }
  }

  /** Another member found our lease run out: everything held is void, and may be in other hands already. */
  private async rejoin(): Promise<void> {
    this.parts.logger.warn({ group: this.member.group }, 'the group went on without this member: joining anew');
    const old = [...this.held.values()];
    this.held.clear();
    for (const { revoked } of old) revoked.abort();
    await Promise.all(old.map(({ worker }) => worker.stop()));
    this.member = { ...this.member, id: randomUUID() };
    await this.parts.groups.join(this.member);
    this.turnAgain = true;
  }

  private hold(taken: Taken): void {
    const { topic, partition } = taken;
    const revoked = new AbortController();
    const worker = new PartitionWorker(
      this.parts.db,
      this.parts.topics,
      taken,
      this.claimOf(taken, revoked.signal),
      this.options.maxRecords ?? DEFAULT_MAX_RECORDS,
    );
    this.held.set(partitionName(topic.name, partition), { worker, revoked, leaving: false });
  }

  private tellAssigned(): void {
    this.told = true;
    const present = [...this.held.values()].filter(({ leaving }) => !leaving);
    this.handlers.onAssigned?.(present.map(({ worker }) => worker.claim));
    for (const { worker } of present) {
      if (!worker.started) worker.start(this.startOf(worker.taken), this.handlers, (error) => this.crash(error));
    }
  }

  private startOf({ topic, partition, committed }: Taken): number {
    const { earliest, next } = this.parts.topics.range(topic, partition);
    if (committed === null) return this.options.from === 'latest' ? next : earliest;
    if (committed < earliest) {
      this.parts.logger.error(
        { group: this.member.group, topic: topic.name, partition, committed, earliest },
        'a hole: retention passed the committed position',
      );
    }
    return committed;
  }

  /** Begins to give a partition up; `false` if that is under way already. */
  private letGo(name: string): boolean {
    const held = this.held.get(name);
    if (held === undefined || held.leaving) return false;
    held.leaving = true;
    held.revoked.abort();
    held.worker
      .stop()
      .then(() => this.parts.groups.release(this.member, held.worker.taken))
      .then(() => this.held.delete(name))
      .catch((error: unknown) => this.crash(error));
    return true;
  }

  private claimOf(taken: Taken, signal: AbortSignal): FencedClaim {
    const { topic, partition } = taken;
    const { member } = this;
    const tryCommit = async (nextOffset: number, metadata?: string) => {
      if (signal.aborted) return false;
      return this.parts.groups.commit(member, taken, nextOffset, metadata);
    };
    return {
      topic: topic.name,
      partition,
      signal,
      metadata: taken.metadata,
      tryCommit,
      commit: async (nextOffset, metadata) => {
        if (signal.aborted) return;
        const took = await tryCommit(nextOffset, metadata);
        if (!took) {
          this.parts.logger.warn(
            { group: member.group, topic: topic.name, partition, nextOffset },
            'commit refused: the partition has another owner by now',
          );
        }
      },
      heartbeatAgeMs: () => Date.now() - this.lastBeatMs,
    };
  }

  private crash(error: unknown): void {
    if (this.closed !== null || !this.parts.db.isOpen) return;
    void this.leaveQuietly();
    this.handlers.onCrash(error instanceof Error ? error : new Error(String(error)));
  }

  private async leaveQuietly(): Promise<void> {
    try {
      await this.close();
    } catch (error) {
      this.parts.logger.error({ err: error }, 'leaving a group failed');
    }
  }
}
