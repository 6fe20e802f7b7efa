/**
 * What the apps say to each other: topics, message schemas, outcomes, errors and record ids.
 * No I/O, nothing of Nest or Kafka. A topic, a limit or a wire shape of ours is written here, once.
 */
export * from './commands.js';
export * from './cursors.js';
export * from './error-codes.js';
export * from './errors.js';
export * from './letter-selection.js';
export * from './messages.js';
export * from './policies.js';
export * from './positions.js';
export * from './project-type.js';
export * from './record-id.js';
export * from './topics.js';
