/**
 * A failure with a stable code and a decision about trying again (style guide §6).
 *
 * `retryable: true`: the world failed; the step is tried again, nothing is committed.
 * `retryable: false`: it is about a record; that record is dead, the rest goes on.
 * Neither `message` nor `code` ever holds a secret or personal data.
 */
export abstract class SyncError extends Error {
  /** `<owner>.<reason>`, never renamed. */
  abstract readonly code: string;
  abstract readonly retryable: boolean;
  /** How long the other side asks to wait, if it says. Milliseconds. */
  readonly retryAfterMs?: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A credential or a permission was refused: reading pauses, readiness turns false, it probes. Nothing is dead-lettered (invariant 7). */
export abstract class AccessRefusedError extends SyncError {
  override readonly retryable = true;
}

/**
 * Something given to the process at its start is wrong: a setting, a file. The message says to a person what and where,
 * without a value that may be secret; the process exits with 2 and shows no stack.
 */
export abstract class BadSettingError extends Error {}

/** Should the same step be tried again? Total: a foreign error is not retryable by us, it is a bug or a bad setting. */
export function isRetryable(error: unknown): boolean {
  return error instanceof SyncError && error.retryable;
}

/** Is it about a record, so that the record is dead-lettered and the rest goes on? */
export function isRecordError(error: unknown): error is SyncError {
  return error instanceof SyncError && !error.retryable;
}
