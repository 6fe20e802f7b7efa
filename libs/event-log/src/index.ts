/**
 * The event log as a port, in two adapters: `kafka` (kafkajs) and `embedded` (SQLite), with the Nest transport strategy
 * that delivers whole batches to handlers. Hides: the client libraries, partitions by key, commits, heartbeats, decoding
 * and what becomes of an unreadable message. Does not know what the messages mean.
 */
export * from './batch.js';
export { decode, MAX_MESSAGE_BYTES, type Decoded } from './codec.js';
export { createEmbeddedLog, EmbeddedLog, type EmbeddedLogOptions } from './embedded/embedded-log.js';
export { createEventLog, type CreateOptions } from './create-event-log.js';
export * from './errors.js';
export { LogAccessRefusedError } from './kafka/errors.js';
export { partitionOfKey } from './murmur2.js';
export { OffsetTracker } from './offset-tracker.js';
export * from './port.js';
export { MALFORMED_MESSAGE } from './server/delivery.js';
export { EventLogServer, type ServerOptions } from './server/event-log-server.js';
export { lagOf } from './server/log-watch.js';
export { OnBatch } from './server/on-batch.js';
export type { RetryPolicy, ServerParts } from './server/retrying.js';
