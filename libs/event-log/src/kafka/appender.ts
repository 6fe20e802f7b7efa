import { CompressionTypes, Partitioners, type Kafka, type Producer, type TopicMessages } from 'kafkajs';
import type { Logger } from '@libs/observability';
import type { Encoded } from '../codec.js';
import type { Position } from '../port.js';
import { RETRY } from './client.js';
import { toLogError } from './errors.js';

/** Largest record batch of one partition before compression: under the broker's `message.max.bytes` of 1,048,588. Bytes. */
const MAX_BATCH_BYTES = 900_000;
/** Of one record beyond key, value and headers. Bytes. */
const RECORD_OVERHEAD_BYTES = 100;
/** Bounds of one request over all partitions. */
const MAX_REQUEST_BYTES = 8_000_000;
const MAX_REQUEST_RECORDS = 10_000;

/** A message with its place chosen. `topic` as the broker knows it. */
export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly encoded: Encoded;
}

interface Pending {
  readonly messages: readonly Placed[];
  readonly positions: Position[];
  /** How many went into requests so far. */
  taken: number;
  readonly resolve: (positions: Position[]) => void;
  readonly reject: (error: Error) => void;
}

interface Slot {
  readonly entry: Pending;
  readonly index: number;
}

/** One request: for each partition one record batch. */
interface Request {
  readonly entries: ReadonlySet<Pending>;
  /** By topic, by partition, in order. */
  readonly slots: ReadonlyMap<string, ReadonlyMap<number, readonly Slot[]>>;
}

/**
 * Appends through one idempotent producer, one request in flight; appends that wait share the next one.
 *
 * One at a time because kafkajs takes back a sequence number when a request fails, though the broker may have the records: with
 * two in flight, the second could get the first one's numbers, be taken for its repetition, and be lost. For the same reason
 * a producer whose request failed for good is never used again.
 */
export class Appender {
  private readonly queue: Pending[] = [];
  private producer: Producer | null = null;
  private draining: Promise<void> | null = null;
  private closed = false;

  constructor(
    private readonly kafka: Kafka,
    private readonly compression: 'none' | 'gzip',
    private readonly logger: Logger,
  ) {}

  /** Resolves with the positions, in input order, when all in-sync replicas have everything. */
  append(messages: readonly Placed[]): Promise<Position[]> {
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.queue.push({ messages, positions: [], taken: 0, resolve, reject });
      this.draining ??= this.drain();
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.draining;
    await this.discard();
  }

  private async drain(): Promise<void> {
    // Appends of the same turn go together.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const request = this.takeRequest();
      try {
        await this.send(request);
      } catch (error) {
        await this.discard();
        const failure = toLogError(error, 'appending to the log');
        for (const entry of request.entries) {
          entry.reject(failure);
          const at = this.queue.indexOf(entry);
          if (at !== -1) this.queue.splice(at, 1);
        }
      }
    }
    this.draining = null;
  }

  /** The longest run from the front of the queue that one request can carry. */
  private takeRequest(): Request {
    const slots = new Map<string, Map<number, Slot[]>>();
    const bytes = new Map<string, number>();
    const entries = new Set<Pending>();
    let records = 0;
    let total = 0;
    for (const entry of this.queue) {
      for (; entry.taken < entry.messages.length; entry.taken += 1) {
        const message = entry.messages[entry.taken];
        if (message === undefined) break;
        const { topic, partition, encoded } = message;
        const size = encoded.bytes + RECORD_OVERHEAD_BYTES;
        const place = `${topic}:${partition}`;
        const batch = (bytes.get(place) ?? 0) + size;
        const tooLarge = batch > MAX_BATCH_BYTES || total + size > MAX_REQUEST_BYTES || records === MAX_REQUEST_RECORDS;
        // The first message always fits: `encode` refuses larger ones.
        if (records > 0 && tooLarge) return { entries, slots };
        bytes.set(place, batch);
        total += size;
        records += 1;
        entries.add(entry);
        const partitions = slots.get(topic) ?? new Map<number, Slot[]>();
        slots.set(topic, partitions);
        const list = partitions.get(partition) ?? [];
        partitions.set(partition, list);
        list.push({ entry, index: entry.taken });
      }
    }
    return { entries, slots };
  }

  private async send({ entries, slots }: Request): Promise<void> {
    const producer = await this.connected();
    const topicMessages: TopicMessages[] = [...slots].map(([topic, partitions]) => ({
      topic,
      messages: [...partitions].flatMap(([partition, list]) =>
        list.map(({ entry, index }) => {
          const { key, value, headers } = (entry.messages[index] as Placed).encoded;
          return { partition, key, value, headers: { ...headers } };
        }),
      ),
    }));
    const compression = this.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
    const answers = await producer.sendBatch({ acks: -1, compression, topicMessages });
    for (const { topicName, partition, baseOffset } of answers) {
      const first = Number(baseOffset);
      slots
        .get(topicName)
        ?.get(partition)
        ?.forEach(({ entry, index }, at) => {
          entry.positions[index] = { topic: topicName, partition, offset: first + at };
        });
    }
    for (const entry of entries) {
      if (entry.taken < entry.messages.length) continue;
      this.queue.splice(this.queue.indexOf(entry), 1);
      entry.resolve(entry.positions);
    }
  }

  private async connected(): Promise<Producer> {
    if (this.producer !== null) return this.producer;
    const producer = this.kafka.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
      retry: RETRY,
    });
    this.producer = producer;
    // One that has no producer id would send without being idempotent: drain() throws it away when this fails.
    await producer.connect();
    return producer;
  }

  private async discard(): Promise<void> {
    const { producer } = this;
    this.producer = null;
    if (producer === null) return;
    try {
      await producer.disconnect();
    } catch (error) {
      if (!this.closed) this.logger.debug({ err: error }, 'disconnecting a producer failed');
    }
  }
}
