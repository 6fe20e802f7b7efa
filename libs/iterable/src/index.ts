/**
 * What this project asks of Iterable: users/bulkUpdate with packing inside its limits, calls about one profile, consent, and
 * reads; the pace of each; and what an answer means for every user sent. Hides: status codes, error bodies, the many lists of a
 * 200. Does not decide what to do about a verdict: waiting, splitting, order, dead letters and outcomes are the caller's. Never
 * subscribes anyone. Facts: Iterable API docs.
 */
export * from './backoff.js';
export * from './bulk-body.js';
export * from './classify.js';
export * from './classify-profile.js';
export * from './client.js';
export * from './codes.js';
export * from './endpoint-pace.js';
export * from './errors.js';
export { fieldMismatches, type FieldMismatch } from './field-mismatches.js';
export * from './fit-value.js';
export type { OptOutVerdict } from './opt-out-verdict.js';
export * from './pack.js';
export * from './profile-calls.js';
export * from './profile-key.js';
export * from './rate-limiter.js';
export {
  classifyReadAnswer,
  parseChannels,
  parseFields,
  parseMessageTypes,
  parseProfile,
  UnusableAnswerError,
  type Channel,
  type MessageType,
  type Profile,
  type ReadVerdict,
} from './read.js';
export * from './subscriptions.js';
export type { WorldVerdict } from './world.js';
