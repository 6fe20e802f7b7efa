import type { Claim, LogRecord } from './port.js';

/** A decoded message. */
export interface Delivered<T> extends Omit<LogRecord, 'value'> {
  readonly value: T;
}

/**
 * What an `@OnBatch(topics.x)` handler gets: consecutive, valid messages of one partition, in order.
 * Unreadable ones were dead-lettered before and are left out, so `records` may be shorter than the run of offsets.
 */
export interface Batch<T> {
  readonly topic: string;
  readonly partition: number;
  /** Never empty, unless all of the run was unreadable: then the handler is not called. */
  readonly records: ReadonlyArray<Delivered<T>>;
  /** First offset after this batch. */
  readonly nextOffset: number;
  readonly claim: Claim;
}

/**
 * `after-handler`: the batch is committed when the handler's promise resolves (default).
 * `by-handler`: the handler only takes the records; it commits later through `batch.claim` (windows, parked users).
 * `@OnBatch(topics.changes, { commit: 'by-handler' })`.
 */
export interface HandlerOptions {
  readonly commit: 'after-handler' | 'by-handler';
}
