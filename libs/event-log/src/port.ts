import type { Topic } from '@libs/contracts';

/** A message to append. `T` is the topic's own type: it is validated before it is sent. */
export interface Outgoing<T = unknown> {
  readonly topic: Topic<T>;
  readonly key: string;
  /** `null` is a tombstone: on a compacted topic it forgets the key. */
  readonly value: T | null;
  /** Fixes the partition (modulo the topic's count); else murmur2 of the key decides, on both logs alike. */
  readonly partition?: number;
  /** Extra headers; the CloudEvents headers are added by the log. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a message stands. Offsets fit a JS number: 2^53 messages a partition. */
export interface Position {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A message as read: undecoded. */
export interface LogRecord extends Position {
  readonly key: string;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was appended. Epoch milliseconds. */
  readonly timestampMs: number;
}

/** A committed position. `offset` is the next one to read; `null`: none committed. */
export interface Committed {
  readonly partition: number;
  readonly offset: number | null;
  readonly metadata: string | null;
}

/** How members of a group share partitions. `shared`: evenly. `single-owner`: one member has everything, the rest stand by; sticky. */
export type Assignment = 'shared' | 'single-owner';

/**
 * A partition in the hands of one member for one generation of its group.
 * `signal` aborts when the partition is taken away or the log closes; from then on `commit` does nothing.
 */
export interface Claim {
  readonly topic: string;
  readonly partition: number;
  readonly signal: AbortSignal;
  /**
   * Moves the committed position: `nextOffset` is the first offset that is not done. Resolves when the log has it.
   * A commit that the log refuses (an old generation) is logged and resolves: the new owner reads again from the last good one.
   * `metadata` (at most 4 kB) is stored with it, and stands until the next commit.
   */
  commit(nextOffset: number, metadata?: string): Promise<void>;
  /** How long since the log last confirmed that this member is alive. Milliseconds. */
  heartbeatAgeMs(): number;
}

/** What a consumer is told. All calls for one partition are strictly one after another; partitions are independent. */
export interface ConsumerHandlers {
  /**
   * A run of consecutive records of one partition. While the promise is open nothing more of this partition is
   * delivered and, past a small queue, nothing more is fetched (back-pressure), but heartbeats go on: it may take any time.
   * Does not commit: that is `claim.commit`. A rejection is a bug: the consumer stops and `onCrash` is told.
   */
  onRecords(records: readonly LogRecord[], claim: Claim): Promise<void>;
  /** A generation began: these are all of our claims. Earlier ones that are not among them are already aborted. */
  onAssigned?(claims: readonly Claim[]): void;
  /** The consumer stopped for good by an error. */
  onCrash(error: Error): void;
}

export interface ConsumerOptions {
  readonly group: string;
  readonly topics: readonly Topic[];
  readonly assignment?: Assignment;
  /** Most records in one `onRecords`. Default 1000. */
  readonly maxRecords?: number;
  /** Where a group without a committed offset begins. Default `earliest`. */
  readonly from?: 'earliest' | 'latest';
}

/** A running consumer. */
export interface Consumer {
  /** Stops delivery, waits for the handlers in hand; they may still commit. Then `close` leaves the group. Both idempotent. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

/** The lease of a singleton role: ours until `signal` aborts. */
export interface Lease {
  readonly signal: AbortSignal;
  /** What the last holder stored, `null` if none did. */
  readonly cursor: string | null;
  /**
   * Stores the cursor (at most 4 kB) as offset-commit metadata, refused if this holder is of an old generation.
   * Errors: {@link LeaseLostError}.
   */
  saveCursor(cursor: string): Promise<void>;
  heartbeatAgeMs(): number;
}

export interface LeaseOptions {
  readonly group: string;
  /** Partition of the topic: its index in `leaseRoles`. */
  readonly role: number;
  readonly topic: Topic;
  /** Told with each generation in which another holds the lease. */
  readonly onStandby?: () => void;
}

/** Runs while the lease is held. Resolves or rejects only after it stopped all that it began; it must stop when `lease.signal` aborts. */
export type LeaseHolder = (lease: Lease) => Promise<void>;

export interface ReadOptions {
  /** Where to begin, by partition; partitions not named begin at `start`. */
  readonly from?: Readonly<Record<number, number>>;
  /** Default `earliest`. */
  readonly start?: 'earliest' | 'latest';
  /** End at the offsets that were the end when the read began. Default: follow until `signal` aborts. */
  readonly untilEnd?: boolean;
  readonly signal?: AbortSignal;
}

export interface TopicResult {
  readonly topic: string;
  readonly result: 'created' | 'unchanged' | 'updated';
}

/**
 * The event log: durable, partitioned, replayable. Two adapters, `kafka` and `embedded`; handlers do not know which.
 * Every promise rejects with {@link LogUnavailableError} (retryable) when the log cannot be reached past its own retries.
 * Topics are named as in libs/contracts; a prefix is the adapter's business.
 */
export interface EventLog {
  /**
   * Makes the topics exist with their partitions, replication and retention. Idempotent.
   * Errors: {@link TopicMismatchError} when a topic exists with another number of partitions than wanted.
   */
  applyTopics(topics: readonly Topic[]): Promise<readonly TopicResult[]>;
  /** Appends; resolves with the positions, in input order, when all of it is durable. Order is kept per partition. */
  append(messages: readonly Outgoing[]): Promise<readonly Position[]>;
  consume(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<Consumer>;
  /** Waits for the lease of `role` again and again, and runs the holder each time it is ours, until closed. */
  holdLease(options: LeaseOptions, holder: LeaseHolder, onCrash: (error: Error) => void): Promise<Consumer>;
  /** Reads without a group and without committing. One array per fetch, in order per partition. */
  read(topic: Topic, options?: ReadOptions): AsyncIterable<readonly LogRecord[]>;
  partitionCount(topic: Topic): Promise<number>;
  /** First offsets still kept and next offsets to be written, by partition. */
  offsets(
    topic: Topic,
  ): Promise<ReadonlyArray<{ readonly partition: number; readonly earliest: number; readonly next: number }>>;
  committed(group: string, topic: Topic): Promise<readonly Committed[]>;
  /** Leaves everything and closes. Idempotent. */
  close(): Promise<void>;
}
