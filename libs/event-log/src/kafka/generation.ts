import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '@libs/observability';
import { partitionName } from '../assignment.js';
import type { FencedClaim } from '../claims.js';
import { LogUnavailableError } from '../errors.js';
import type { Committed } from '../port.js';
import { toLogError } from './errors.js';
import type { InternalBroker, InternalGroup, TopicPartitions } from './internals.js';
import { PartitionQueue, type QueueLimits } from './partition-queue.js';

/** The broker does not know this member in this generation (any more). */
const FENCED = new Set(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'REBALANCE_IN_PROGRESS', 'FENCED_INSTANCE_ID']);
const ATTEMPTS = 6;
const FIRST_DELAY_MS = 100;

/** A partition in one generation. */
export interface Held {
  readonly topic: string;
  readonly partition: number;
  readonly queue: PartitionQueue;
  readonly revoked: AbortController;
}

/**
 * One generation of this member: its partitions, and the identity that its commits carry whatever the consumer is in by then.
 * Topics are named as the broker knows them.
 */
export class Generation {
  readonly held: ReadonlyMap<string, Held>;
  readonly id: number;
  private readonly memberId: string;

  constructor(
    private readonly group: InternalGroup,
    limits: QueueLimits,
    private readonly logger: Logger,
  ) {
    this.id = group.generationId;
    this.memberId = group.memberId;
    const places = group
      .assigned()
      .flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
    this.held = new Map(
      places.map(({ topic, partition }) => [
        partitionName(topic, partition),
        {
          topic,
          partition,
          queue: new PartitionQueue(limits, () => this.resume(topic, partition)),
          revoked: new AbortController(),
        },
      ]),
    );
    // Pauses of the generation before would stay.
    group.resume(group.assigned());
  }

  get owned(): readonly TopicPartitions[] {
    return this.group.assigned();
  }

  find(topic: string, partition: number): Held | undefined {
    return this.held.get(partitionName(topic, partition));
  }

  pause({ topic, partition }: Held): void {
    this.group.pause([{ topic, partitions: [partition] }]);
  }

  pauseAll(): void {
    for (const held of this.held.values()) this.pause(held);
  }

  /** Where the next fetch of a partition begins: a batch that was fetched elsewhere is of another generation. */
  nextFetch(topic: string, partition: number): string {
    return this.group.offsetManager.nextOffset(topic, partition).toString();
  }

  revokeAll(): void {
    for (const { revoked } of this.held.values()) revoked.abort();
  }

  /** What the group has committed for these partitions, by partition name. */
  async committed(): Promise<ReadonlyMap<string, Committed>> {
    const topics = this.owned.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({ partition })),
    }));
    if (topics.length === 0) return new Map();
    const answer = await this.ask('reading committed offsets', (coordinator) =>
      coordinator.offsetFetch({ groupId: this.group.groupId, topics }),
    );
    return new Map(
      (answer?.responses ?? []).flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset, metadata }) => [
          partitionName(topic, partition),
          {
            partition,
            offset: Number(offset) < 0 ? null : Number(offset),
            metadata: metadata === '' ? null : metadata,
          },
        ]),
      ),
    );
  }

  /** First offsets still kept, by partition name. */
  async earliest(): Promise<ReadonlyMap<string, number>> {
    const topics = this.owned.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((partition) => ({ partition })),
      fromBeginning: true,
    }));
    if (topics.length === 0) return new Map();
    const answer = await this.group.cluster.fetchTopicsOffset(topics);
    return new Map(
      answer.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => [partitionName(topic, partition), Number(offset)]),
      ),
    );
  }

  /** `topic`: the name that the claim shows. */
  claim(held: Held, topic: string, metadata: string | null, heartbeatAgeMs: () => number): FencedClaim {
    const { partition, revoked } = held;
    const tryCommit = (nextOffset: number, note?: string) => this.commit(held, nextOffset, note ?? null);
    return {
      topic,
      partition,
      signal: revoked.signal,
      metadata,
      heartbeatAgeMs,
      tryCommit,
      commit: async (nextOffset, note) => {
        if (revoked.signal.aborted) return;
        if (await tryCommit(nextOffset, note)) return;
        this.logger.warn(
          { group: this.group.groupId, topic, partition, nextOffset },
          'commit refused: of an old generation',
        );
      },
    };
  }

  /** Invariant 1: the commit carries the generation of its claim, so the broker refuses it once the partition has moved on. */
  private async commit(
    { topic, partition, revoked }: Held,
    nextOffset: number,
    metadata: string | null,
  ): Promise<boolean> {
    if (revoked.signal.aborted) return false;
    const partitions = [{ partition, offset: String(nextOffset), metadata }];
    const answer = await this.ask(
      'committing an offset',
      (coordinator) =>
        coordinator.offsetCommit({
          groupId: this.group.groupId,
          groupGenerationId: this.id,
          memberId: this.memberId,
          topics: [{ topic, partitions }],
        }),
      revoked.signal,
    );
    return answer !== null;
  }

  /**
   * Asks the group's coordinator, again if need be, as it may have moved. `null`: this generation is over.
   * Errors: {@link LogUnavailableError}, or what only we can mend.
   */
  private async ask<T>(
    doing: string,
    request: (coordinator: InternalBroker) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | null> {
    const { cluster, groupId } = this.group;
    let { coordinator } = this.group;
    for (let attempt = 1; ; attempt += 1) {
      try {
        if (attempt > 1 || !coordinator.isConnected()) coordinator = await cluster.findGroupCoordinator({ groupId });
        return await request(coordinator);
      } catch (error) {
        if (FENCED.has((error as { type?: string }).type ?? '')) return null;
        const failure = toLogError(error, doing);
        if (!(failure instanceof LogUnavailableError) || attempt === ATTEMPTS) throw failure;
        await wait(FIRST_DELAY_MS * 2 ** attempt, undefined, { signal }).catch(() => undefined);
        if (signal?.aborted === true) return null;
      }
    }
  }

  private resume(topic: string, partition: number): void {
    this.group.resume([{ topic, partitions: [partition] }]);
  }
}
