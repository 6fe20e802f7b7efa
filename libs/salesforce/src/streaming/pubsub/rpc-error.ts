import { Metadata, status } from '@grpc/grpc-js';
import type { ChannelRefusal, StreamFailure, StreamVerdict } from '../change-stream.js';
import { short } from '../short.js';

/** How a call ended, as far as this project reads it. */
export interface RpcEnd {
  /** gRPC's status. */
  readonly status: number;
  /** Salesforce's own code out of the trailers, e.g. `sfdc.platform.eventbus.grpc.service.auth.error`; else empty. */
  readonly errorCode: string;
  readonly message: string;
}

type Meaning = { readonly failure: StreamFailure } | { readonly refusal: ChannelRefusal };

/**
 * What Salesforce's codes mean, first match counts. They go before the status: several mean different things under
 * INVALID_ARGUMENT. Source: facts/salesforce.md §2.4.
 */
const ERROR_CODES: ReadonlyArray<readonly [RegExp, Meaning]> = [
  [/\.auth\.(error|refresh\.invalid)$/, { failure: 'session' }],
  [/\.replayid\.(corrupted|validation\.failed)$/, { refusal: 'replay-id' }],
  [/\.limit\.exceeded$/, { failure: 'limit' }],
  [/\.topic\.notfound$/, { refusal: 'no-channel' }],
];
/** For answers without a code of Salesforce's, and for those of gRPC itself. */
const MESSAGES: ReadonlyArray<readonly [RegExp, Meaning]> = [
  [/replay ?id validation failed/i, { refusal: 'replay-id' }],
  [/exceeded the event delivery limit/i, { failure: 'limit' }],
  [/received message larger than max/i, { failure: 'malformed' }],
];
const EVERY_STATUS: Readonly<Record<status, Meaning>> = {
  // A call of events never ends by itself
  [status.OK]: { failure: 'transport' },
  [status.CANCELLED]: { failure: 'transport' },
  [status.UNKNOWN]: { failure: 'transport' },
  [status.UNAVAILABLE]: { failure: 'transport' },
  [status.INTERNAL]: { failure: 'transport' },
  [status.ABORTED]: { failure: 'transport' },
  [status.DATA_LOSS]: { failure: 'transport' },
  [status.DEADLINE_EXCEEDED]: { failure: 'silent' },
  [status.RESOURCE_EXHAUSTED]: { failure: 'busy' },
  [status.UNAUTHENTICATED]: { failure: 'session' },
  [status.PERMISSION_DENIED]: { refusal: 'permission' },
  [status.NOT_FOUND]: { refusal: 'no-channel' },
  [status.INVALID_ARGUMENT]: { failure: 'unknown' },
  [status.FAILED_PRECONDITION]: { failure: 'unknown' },
  [status.OUT_OF_RANGE]: { failure: 'unknown' },
  [status.ALREADY_EXISTS]: { failure: 'unknown' },
  [status.UNIMPLEMENTED]: { failure: 'unknown' },
};

/** A status of the future is one more failure of the world. */
const STATUSES: Readonly<Record<number, Meaning>> = EVERY_STATUS;

/** What the end of a call means for the stream. Total. */
export function classifyRpcEnd({ status: code, errorCode, message }: RpcEnd): StreamVerdict {
  const meaning =
    ERROR_CODES.find(([pattern]) => pattern.test(errorCode))?.[1] ??
    MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ??
    STATUSES[code] ??
    EVERY_STATUS[status.UNKNOWN];
  const detail = short([status[code] ?? String(code), errorCode, message].filter((part) => part !== '').join(', '));
  return 'failure' in meaning ? { scope: 'client', ...meaning, detail } : { scope: 'channel', ...meaning, detail };
}

/** Is the refusal about what was asked for, such as an unknown schema, and not about the world or who asks? */
export function isAboutTheRequest(end: RpcEnd): boolean {
  const verdict = classifyRpcEnd(end);
  return verdict.scope === 'client' ? verdict.failure === 'unknown' : verdict.refusal !== 'permission';
}

/** What a call rejected with. An error that gRPC did not make is a bug, and is thrown on. */
export function toRpcEnd(error: unknown): RpcEnd {
  const { code, details, metadata } = error as { code?: unknown; details?: unknown; metadata?: unknown };
  if (code === 'ERR_STREAM_PREMATURE_CLOSE')
    return { status: status.UNKNOWN, errorCode: '', message: 'the call broke off' };
  if (typeof code !== 'number' || typeof details !== 'string') throw error;
  const [errorCode = ''] = metadata instanceof Metadata ? metadata.get('error-code') : [];
  return { status: code, errorCode: String(errorCode), message: details };
}
