import { SyncError } from '@libs/contracts';

/** The log cannot be reached or did not answer in time. */
export class LogUnavailableError extends SyncError {
  readonly code = 'event-log.unavailable';
  readonly retryable = true;
}

/** The lease went to another holder: stop. */
export class LeaseLostError extends SyncError {
  readonly code = 'event-log.lease_lost';
  readonly retryable = true;
}

/** A topic exists, but not as wanted: a setting must change, or the topic be drained and made anew. */
export class TopicMismatchError extends SyncError {
  readonly code = 'event-log.topic_mismatch';
  readonly retryable = false;
}

/** A message of ours does not fit its topic's schema: a bug. */
export class InvalidMessageError extends SyncError {
  readonly code = 'event-log.invalid_message';
  readonly retryable = false;
}
