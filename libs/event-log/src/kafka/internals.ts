import { createRequire } from 'node:module';

/*
 * What of kafkajs 2.2.4 is used beyond its public interface, and why. The library is not developed any more, so its inside does
 * not move; any other version is refused at load.
 *
 * - Its request queue keeps a 1 ms timer going and warns at each start on Node 24 (tulios/kafkajs#1751, #1556).
 * - Its consumer commits with whatever generation it is in when a retry gets through, so an old claim could move the position of
 *   a partition that has another owner by now. Commits here carry the generation of their claim.
 * - It has no way to wait for handlers before it gives partitions up, and none to read without a group.
 */

const require = createRequire(import.meta.url);
const VERSION = '2.2.4';

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, Buffer | string | ReadonlyArray<Buffer | string> | undefined>>;
  readonly isControlRecord?: boolean;
}

export interface InternalBroker {
  isConnected(): boolean;
  offsetCommit(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
    readonly topics: ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{
        readonly partition: number;
        readonly offset: string;
        readonly metadata: string | null;
      }>;
    }>;
  }): Promise<unknown>;
  offsetFetch(request: {
    readonly groupId: string;
    readonly topics: ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{ readonly partition: number }>;
    }>;
  }): Promise<{
    readonly responses: ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{
        readonly partition: number;
        readonly offset: string;
        readonly metadata: string | null;
      }>;
    }>;
  }>;
  fetch(request: {
    readonly maxWaitTime: number;
    readonly minBytes: number;
    readonly maxBytes: number;
    readonly isolationLevel: number;
    readonly topics: ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{
        readonly partition: number;
        readonly fetchOffset: string;
        readonly maxBytes: number;
      }>;
    }>;
  }): Promise<{
    readonly responses: ReadonlyArray<{
      readonly topicName: string;
      readonly partitions: ReadonlyArray<{
        readonly partition: number;
        readonly messages: readonly FetchedMessage[];
      }>;
    }>;
  }>;
}

export interface InternalCluster {
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  refreshMetadata(): Promise<void>;
  refreshMetadataIfNecessary(): Promise<void>;
  findTopicPartitionMetadata(topic: string): ReadonlyArray<{ readonly partitionId: number }>;
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, readonly number[]>>;
  findBroker(query: { readonly nodeId: string | number }): Promise<InternalBroker>;
  findGroupCoordinator(query: { readonly groupId: string }): Promise<InternalBroker>;
  fetchTopicsOffset(
    topics: ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{ readonly partition: number }>;
      readonly fromBeginning: boolean;
    }>,
  ): Promise<
    ReadonlyArray<{
      readonly topic: string;
      readonly partitions: ReadonlyArray<{ readonly partition: number; readonly offset: string }>;
    }>
  >;
}

export interface InternalGroup {
  readonly cluster: InternalCluster;
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  readonly coordinator: InternalBroker;
  readonly offsetManager: { nextOffset(topic: string, partition: number): { toString(): string } };
  assigned(): readonly TopicPartitions[];
  pause(partitions: readonly TopicPartitions[]): void;
  resume(partitions: readonly TopicPartitions[]): void;
  heartbeat(options: { readonly interval: number }): Promise<void>;
}

/** Who is told of a consumer's generations. */
export interface GroupHooks {
  /** The generation ends; joining the next one waits for the promise. */
  leaving(group: InternalGroup): Promise<void>;
  /** The next one began; nothing of it was fetched yet. */
  joined(group: InternalGroup): void;
}

/** Hooks of a consumer, by the cluster that its assigner is given. */
export const hooksOf = new WeakMap<object, GroupHooks>();

interface RequestQueue {
  throttledUntil: number;
  readonly pending: readonly unknown[];
}

let patched = false;

/** Applies the patches, once a process. Errors: when the library is not the version that they were written for. */
export function patchKafkajs(): void {
  if (patched) return;
  const { version } = require('kafkajs/package.json') as { version: string };
  if (version !== VERSION) throw new Error(`kafkajs is ${version}, but libs/event-log was written for ${VERSION}`);

  const queue = (require('kafkajs/src/network/requestQueue') as { prototype: Record<string, unknown> }).prototype;
  const schedule = queue['scheduleCheckPendingRequests'] as (this: RequestQueue) => void;
  queue['scheduleCheckPendingRequests'] = function (this: RequestQueue) {
    const waitMs = this.throttledUntil - Date.now();
    if (this.pending.length === 0 && waitMs <= 0) return;
    if (waitMs < 0) this.throttledUntil = Date.now() + 10;
    schedule.call(this);
  };

  const group = (require('kafkajs/src/consumer/consumerGroup') as { prototype: Record<string, unknown> }).prototype;
  const join = group['joinAndSync'] as (this: InternalGroup) => Promise<void>;
  group['joinAndSync'] = async function (this: InternalGroup) {
    const hooks = hooksOf.get(this.cluster);
    await hooks?.leaving(this);
    await join.call(this);
    hooks?.joined(this);
  };
  patched = true;
}
