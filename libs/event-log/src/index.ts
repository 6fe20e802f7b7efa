/**
 * The event log as a port, in two adapters: `kafka` (kafkajs) and `embedded` (SQLite), with the Nest transport strategy
 * that delivers whole batches to handlers. Hides: the client libraries, partitions by key, commits, heartbeats, decoding
 * and what becomes of an unreadable message. Does not know what the messages mean.
 */
export * from './batch.js';
export * from './errors.js';
export * from './port.js';
