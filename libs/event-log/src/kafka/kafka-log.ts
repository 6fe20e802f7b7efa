import type { Admin, Kafka } from 'kafkajs';
import type { Topic } from '@libs/contracts';
import { createLogger, type Logger } from '@libs/observability';
import type { FencedHandlers } from '../claims.js';
import { encode } from '../codec.js';
import { LogUnavailableError } from '../errors.js';
import { holdLease } from '../lease.js';
import { partitionOfKey } from '../murmur2.js';
import type {
  Committed,
  Consumer,
  ConsumerHandlers,
  ConsumerOptions,
  EventLog,
  LeaseHolder,
  LeaseOptions,
  LogRecord,
  Outgoing,
  Position,
  ReadOptions,
  TopicResult,
} from '../port.js';
import { Appender, type Placed } from './appender.js';
import { makeClient, type KafkaLogOptions } from './client.js';
import { toLogError } from './errors.js';
import { KafkaConsumer } from './kafka-consumer.js';
import { Reader } from './reader.js';
import { applyTopics } from './topic-admin.js';

const DEFAULT_MAX_RECORDS = 1_000;

/** Makes the log; connects at first use. */
export function createKafkaLog(options: KafkaLogOptions): KafkaLog {
  return new KafkaLog(options);
}

/** {@link EventLog} on Apache Kafka through kafkajs. */
export class KafkaLog implements EventLog {
  private readonly kafka: Kafka;
  private readonly logger: Logger;
  private readonly prefix: string;
  private readonly appender: Appender;
  private readonly consumers = new Set<KafkaConsumer>();
  private readonly counts = new Map<string, number>();
  private readonly ending = new AbortController();
  private admin: Promise<Admin> | null = null;
  /** The last question to the admin client. */
  private asking: Promise<unknown> = Promise.resolve();
  private closed: Promise<void> | null = null;

  constructor(private readonly options: KafkaLogOptions) {
    this.logger = options.logger ?? createLogger('event-log', 'silent');
    this.prefix = options.prefix ?? '';
    this.kafka = makeClient(options, this.logger);
    this.appender = new Appender(this.kafka, options.compression ?? 'gzip', this.logger);
  }

  applyTopics(topics: readonly Topic[]): Promise<readonly TopicResult[]> {
    const { partitions = 6, replication = 1 } = this.options;
    return this.ask('applying topics', (admin) =>
      applyTopics(admin, topics, { prefix: this.prefix, partitions, replication }),
    );
  }

  async append(messages: readonly Outgoing[]): Promise<readonly Position[]> {
    this.checkOpen();
    const now = new Date();
    const source = `/sync/${this.options.clientId ?? 'sync'}`;
    const encoded = messages.map((message) => encode(message, source, now));
    const placed: Placed[] = [];
    for (const [index, { topic, partition, key }] of messages.entries()) {
      const count = this.counts.get(topic.name) ?? (await this.partitionCount(topic));
      const place = partition === undefined ? partitionOfKey(key, count) : partition % count;
      placed.push({ topic: this.nameOf(topic), partition: place, encoded: encoded[index] as Placed['encoded'] });
    }
    const positions = await this.appender.append(placed);
    return positions.map((position, index) => ({ ...position, topic: (messages[index] as Outgoing).topic.name }));
  }

  consume(options: ConsumerOptions, handlers: ConsumerHandlers): Promise<Consumer> {
    return this.join(options, handlers);
  }

  holdLease(options: LeaseOptions, holder: LeaseHolder, onCrash: (error: Error) => void): Promise<Consumer> {
    return holdLease((consumer, handlers) => this.join(consumer, handlers), options, holder, onCrash);
  }

  async *read(topic: Topic, options: ReadOptions = {}): AsyncGenerator<readonly LogRecord[]> {
    const { from = {}, start = 'earliest', untilEnd = false, signal } = options;
    this.checkOpen();
    const offsets = await this.offsets(topic);
    const cursors = offsets.map(({ partition, earliest, next }) => ({
      partition,
      next: Math.max(earliest, from[partition] ?? (start === 'latest' ? next : earliest)),
      end: untilEnd ? next : null,
    }));
    const ended = AbortSignal.any([this.ending.signal, ...(signal === undefined ? [] : [signal])]);
    yield* new Reader(this.kafka, this.nameOf(topic), topic.name, cursors, ended).read();
  }

  async partitionCount(topic: Topic): Promise<number> {
    const known = this.counts.get(topic.name);
    if (known !== undefined) return known;
    const count = await this.ask(`looking up ${topic.name}`, async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [this.nameOf(topic)] });
      return topics[0]?.partitions.length ?? 0;
    });
    this.counts.set(topic.name, count);
    return count;
  }

  offsets(topic: Topic) {
    return this.ask(`reading the offsets of ${topic.name}`, async (admin) => {
      const found = await admin.fetchTopicOffsets(this.nameOf(topic));
      return found
        .map(({ partition, low, high }) => ({ partition, earliest: Number(low), next: Number(high) }))
        .sort((a, b) => a.partition - b.partition);
    });
  }

  committed(group: string, topic: Topic): Promise<readonly Committed[]> {
    return this.ask(`reading the position of ${group}`, async (admin) => {
      const [found] = await admin.fetchOffsets({ groupId: `${this.prefix}${group}`, topics: [this.nameOf(topic)] });
      return (found?.partitions ?? [])
        .map(({ partition, offset, metadata }) => ({
          partition,
          offset: Number(offset) < 0 ? null : Number(offset),
          metadata: metadata === '' ? null : metadata,
        }))
        .sort((a, b) => a.partition - b.partition);
    });
  }

  close(): Promise<void> {
    this.closed ??= this.shut();
    return this.closed;
  }

  private async shut(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    this.ending.abort();
    await this.appender.close();
    await this.dropAdmin();
  }

  private async join(options: ConsumerOptions, handlers: FencedHandlers): Promise<Consumer> {
    this.checkOpen();
    const { group, topics, assignment = 'shared', maxRecords = DEFAULT_MAX_RECORDS, from = 'earliest' } = options;
    const consumer: KafkaConsumer = new KafkaConsumer(
      this.kafka,
      {
        group: `${this.prefix}${group}`,
        topics: new Map(topics.map((topic) => [this.nameOf(topic), topic.name])),
        assignment,
        maxRecords,
        from,
        sessionTimeoutMs: this.options.sessionTimeoutMs ?? 10_000,
      },
      handlers,
      this.logger,
      () => this.consumers.delete(consumer),
    );
    this.consumers.add(consumer);
    await consumer.start();
    return consumer;
  }

  private nameOf(topic: Topic): string {
    return `${this.prefix}${topic.name}`;
  }

  private checkOpen(): void {
    if (this.closed !== null) throw new LogUnavailableError('the event log is closed');
  }

  /**
   * One question at a time: two on one client of kafkajs spoil each other's metadata (TypeErrors out of its inside), and a
   * client that is dropped after a failure would take the other's connection away, with its answer for ever outstanding.
   */
  private ask<T>(doing: string, request: (admin: Admin) => Promise<T>): Promise<T> {
    const answer = this.asking.then(() => this.askNow(doing, request));
    this.asking = answer.catch(() => undefined);
    return answer;
  }

  private async askNow<T>(doing: string, request: (admin: Admin) => Promise<T>): Promise<T> {
    this.checkOpen();
    try {
      this.admin ??= this.connectAdmin();
      return await request(await this.admin);
    } catch (error) {
      await this.dropAdmin();
      throw toLogError(error, doing);
    }
  }

  private async connectAdmin(): Promise<Admin> {
    const admin = this.kafka.admin();
    await admin.connect();
    return admin;
  }

  private async dropAdmin(): Promise<void> {
    const { admin } = this;
    this.admin = null;
    await admin?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}
