import { SyncError } from '@libs/contracts';

/** No answer: the connection failed or broke. Whether the request was applied is unknown; upserts may be repeated. */
export class IterableUnreachableError extends SyncError {
  readonly code = 'iterable.unreachable';
  readonly retryable = true;
}

/** No answer in time. Whether the request was applied is unknown. */
export class IterableTimeoutError extends SyncError {
  readonly code = 'iterable.timeout';
  readonly retryable = true;
}

/** The ways to get no answer. */
export type IterableCallError = IterableUnreachableError | IterableTimeoutError;

export function isCallError(error: unknown): error is IterableCallError {
  return error instanceof IterableUnreachableError || error instanceof IterableTimeoutError;
}

/**
 * Turns what fetch throws into ours. An abort by the caller is the caller's own and comes back as it is, like anything that
 * is not about the network.
 */
export function toIterableError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === 'TimeoutError') return new IterableTimeoutError(`${doing}: no answer in time`, { cause: error });
  // fetch says TypeError "fetch failed" with the socket's error as cause, and "terminated" when the body breaks off.
  const networkFailure = error instanceof TypeError && (error.cause !== undefined || error.message === 'terminated');
  if (!networkFailure) return error;
  return new IterableUnreachableError(`${doing}: ${socketCode(error.cause)}`, { cause: error });
}

function socketCode(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return 'connection failed';
}
