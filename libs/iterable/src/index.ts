/**
 * Iterable's users/bulkUpdate: the HTTP call, packing requests inside its limits, the pace, and what an answer means for
 * every user sent. Hides: status codes, error bodies, the many lists of a 200. Does not decide what to do about a verdict:
 * waiting, splitting, dead letters and outcomes are the writer's. Facts: Iterable API docs, users/bulkUpdate.
 */
export * from './backoff.js';
export * from './classify.js';
export * from './client.js';
export * from './codes.js';
export * from './errors.js';
export * from './pack.js';
export * from './rate-limiter.js';
