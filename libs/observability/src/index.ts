/**
 * What a service says of itself: metrics (every one defined here), health and the log. Knows no Kafka and no topics.
 */
export * from './definitions.js';
export * from './health.js';
export * from './logger.js';
export * from './metrics.js';
