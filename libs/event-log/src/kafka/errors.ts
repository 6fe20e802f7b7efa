import { AccessRefusedError, SyncError } from '@libs/contracts';
import { LogUnavailableError } from '../errors.js';

/** The brokers refuse the credential, or it lacks a right: somebody has to mend it. */
export class LogAccessRefusedError extends AccessRefusedError {
  readonly code = 'event-log.access_refused';
}

/** Broker errors that no repetition mends: a bug or a bad setting of ours. Source: Kafka protocol guide, error codes. */
const OURS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'INVALID_REQUIRED_ACKS',
  'INVALID_CONFIG',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_REQUEST',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'INCONSISTENT_GROUP_PROTOCOL',
  'UNSUPPORTED_VERSION',
  'OFFSET_METADATA_TOO_LARGE',
]);

interface KafkajsError {
  readonly name?: string;
  /** Name of the broker's error code. */
  readonly type?: string;
  readonly cause?: unknown;
}

/** The error that kafkajs wrapped: innermost first. */
function chainOf(error: unknown): KafkajsError[] {
  const chain: KafkajsError[] = [];
  for (let at = error as KafkajsError | undefined; at && chain.length < 10; at = at.cause as KafkajsError | undefined) {
    chain.unshift(at);
  }
  return chain;
}

/**
 * Turns an error of kafkajs into ours. `doing` says what was tried, without values.
 * A refused credential is {@link LogAccessRefusedError}; what only we can mend stays as it is; all else is the world.
 */
export function toLogError(error: unknown, doing: string): Error {
  if (error instanceof SyncError) return error;
  const chain = chainOf(error);
  const type = chain.find((link) => link.type !== undefined)?.type ?? '';
  const refused = type.endsWith('_AUTHORIZATION_FAILED') || type.includes('SASL');
  if (refused || chain.some(({ name }) => name === 'KafkaJSSASLAuthenticationError')) {
    return new LogAccessRefusedError(`${doing}: refused`, { cause: error });
  }
  const foreign = !chain.some(({ name }) => name?.startsWith('KafkaJS') === true);
  if (OURS.has(type) || foreign) return error instanceof Error ? error : new Error(String(error));
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new LogUnavailableError(`${doing}: a topic does not exist, apply the topics first`, { cause: error });
  }
  return new LogUnavailableError(doing, { cause: error });
}
