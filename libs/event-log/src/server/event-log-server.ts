import { setTimeout as wait } from 'node:timers/promises';
import { allTopics, isRetryable, stageOfGroup, type Topic } from '@libs/contracts';
import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import type { Batch } from '../batch.js';
import type { Assignment, Claim, Consumer, EventLog } from '../port.js';
import { Delivery } from './delivery.js';
import { LogWatch } from './log-watch.js';
import type { HandlerExtras } from './on-batch.js';
import { Retrying, type RetryPolicy, type ServerParts } from './retrying.js';

export interface ServerOptions {
  readonly group: string;
  readonly assignment?: Assignment;
  /** Most records in one batch. Default 1000. */
  readonly maxRecords?: number;
  /** Where a group without a committed offset begins. Default `earliest`. */
  readonly from?: 'earliest' | 'latest';
  /** How failures of the world are met. Default: 250 ms growing to 30 s, not ready after 60 s. */
  readonly retry?: Partial<RetryPolicy>;
  /** What a pattern may name. Default: all topics of libs/contracts. */
  readonly topics?: readonly Topic[];
}

const DEFAULT_RETRY: RetryPolicy = { initialDelayMs: 250, maxDelayMs: 30_000, deadlineMs: 60_000 };
/** The health check of the consumer itself. */
const CHECK = 'log';

/** Patterns are topic names, one handler each: what a strategy refuses at start is a bug in wiring. */
class WiringError extends Error {
  override readonly name = 'WiringError';
}

/**
 * The event log as a Nest transport: a method bound by {@link OnBatch} gets whole {@link Batch}es of its topic. Errors are met
 * by the style guide, §6.
 */
export class EventLogServer extends Server implements CustomTransportStrategy {
  override readonly propagatesEventHandlerErrors = true;
  private readonly stopping = new AbortController();
  private readonly retry: RetryPolicy;
  private readonly assignedListeners: Array<(claims: readonly Claim[]) => void> = [];
  private consumer: Consumer | null = null;
  private watch: LogWatch | null = null;
  private running: Promise<void> = Promise.resolve();
  private stopped: Promise<void> | null = null;
  private closed: Promise<void> | null = null;

  constructor(
    private readonly log: EventLog,
    private readonly options: ServerOptions,
    private readonly parts: ServerParts,
  ) {
    super();
    this.retry = { ...DEFAULT_RETRY, ...options.retry };
  }

  /** Begins to read. Waits, not ready, while the log cannot be reached; a wrong handler is told at once. */
  listen(callback: (error?: unknown) => void): void {
    let deliveries: ReadonlyMap<string, Delivery>;
    try {
      deliveries = this.makeDeliveries();
    } catch (error) {
      callback(error);
      return;
    }
    this.running = this.begin(deliveries, callback);
  }

  /**
   * Calls back when a generation begins, with all claims of this service: the same objects as the `claim` of later batches.
   * Those of before that are not among them are aborted. Register before the service listens.
   */
  onAssigned(listener: (claims: readonly Claim[]) => void): void {
    this.assignedListeners.push(listener);
  }

  private async begin(deliveries: ReadonlyMap<string, Delivery>, callback: (error?: unknown) => void): Promise<void> {
    let failure: unknown;
    try {
      await this.join(deliveries);
    } catch (error) {
      failure = error;
    }
    callback(failure);
  }

  /** Stops delivery and waits for the handlers in hand. Partitions stay ours and claims may still commit, until {@link close}. */
  stopReading(): Promise<void> {
    this.stopping.abort();
    this.stopped ??= this.running.then(() => this.consumer?.stop());
    return this.stopped;
  }

  close(): Promise<void> {
    this.closed ??= this.shut();
    return this.closed;
  }

  private async shut(): Promise<void> {
    await this.stopReading();
    this.watch?.stop();
    await this.consumer?.close();
  }

  on(): never {
    throw new WiringError('the event log has no events of its own: see its health check and metrics');
  }

  /** The log itself. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- Nest's signature
  unwrap<T>(): T {
    return this.log as T;
  }

  private makeDeliveries(): ReadonlyMap<string, Delivery> {
    const known = new Map((this.options.topics ?? allTopics).map((topic) => [topic.name, topic]));
    return new Map(
      [...this.messageHandlers].map(([pattern, handler]) => {
        const topic = known.get(pattern);
        if (topic === undefined) throw new WiringError(`a handler is bound to ${pattern}, which is no topic`);
        return [pattern, this.makeDelivery(topic, handler)];
      }),
    );
  }

  private makeDelivery(topic: Topic, handler: MessageHandler): Delivery {
    if (handler.isEventHandler !== true)
      throw new WiringError(`the handler of ${topic.name} must be bound by @OnBatch`);
    if (handler.next !== undefined) throw new WiringError(`${topic.name} has more than one handler in this service`);
    const { commit = 'after-handler', keepsErrors } = (handler.extras ?? {}) as Partial<HandlerExtras>;
    if (keepsErrors !== true) throw new WiringError(`the handler of ${topic.name} must be bound by @OnBatch`);
    return new Delivery(
      { topic, commit, stage: stageOfGroup(this.options.group), handle: (batch) => callHandler(handler, batch) },
      this.log,
      this.parts,
      new Retrying(topic.name, this.retry, this.parts, this.stopping.signal),
    );
  }

  private async join(deliveries: ReadonlyMap<string, Delivery>): Promise<void> {
    const topics = (this.options.topics ?? allTopics).filter(({ name }) => deliveries.has(name));
    if (topics.length > 0) {
      this.consumer = await this.consume(topics, deliveries);
      if (this.consumer === null) return;
      this.watch = new LogWatch(this.log, this.options.group, topics, this.parts, CHECK);
    }
    this.parts.health.set(CHECK, true);
  }

  /** `null`: stopped before the log could be reached. */
  private async consume(topics: readonly Topic[], deliveries: ReadonlyMap<string, Delivery>): Promise<Consumer | null> {
    const { group, assignment, maxRecords, from } = this.options;
    while (!this.stopping.signal.aborted) {
      try {
        return await this.log.consume(
          { group, topics, assignment, maxRecords, from },
          {
            onRecords: async (records, claim) => deliveries.get(claim.topic)?.onRecords(records, claim),
            onAssigned: (claims) => {
              this.parts.metrics.logRebalances.inc({ group });
              this.tellAssigned(claims.map((claim) => deliveries.get(claim.topic)?.claimFor(claim) ?? claim));
            },
            onCrash: (error) => this.crashed(error, deliveries),
          },
        );
      } catch (error) {
        if (!isRetryable(error)) throw error;
        await this.waitForLog(error);
      }
    }
    return null;
  }

  private async waitForLog(failure: unknown): Promise<void> {
    this.parts.health.set(CHECK, false, 'the event log cannot be reached: trying again');
    this.parts.logger.warn({ err: failure, group: this.options.group }, 'cannot join the group, will try again');
    const delayMs = this.retry.initialDelayMs * 4;
    await wait(delayMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  /** Invariant 7: a consumer that ended by a failure of the world joins again; only a bug stops the process. */
  private crashed(error: Error, deliveries: ReadonlyMap<string, Delivery>): void {
    this.watch?.stop();
    this.parts.health.set(CHECK, false, 'the consumer stopped');
    if (isRetryable(error)) this.running = this.rejoin(error, deliveries);
    else this.parts.health.fail(error);
  }

  private async rejoin(cause: Error, deliveries: ReadonlyMap<string, Delivery>): Promise<void> {
    try {
      await this.running;
      await this.waitForLog(cause);
      await this.join(deliveries);
    } catch (failure) {
      this.parts.health.fail(failure instanceof Error ? failure : new Error(String(failure)));
    }
  }

  private tellAssigned(claims: readonly Claim[]): void {
    for (const listener of this.assignedListeners) listener(claims);
  }
}

async function callHandler(handler: MessageHandler, batch: Batch<unknown>): Promise<void> {
  const context = new BaseRpcContext([batch.topic, batch.partition, batch.nextOffset]);
  const result: unknown = await handler(batch, context);
  if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
}
