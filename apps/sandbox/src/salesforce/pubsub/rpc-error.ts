import { Metadata, status } from '@grpc/grpc-js';

/** A refusal of the Pub/Sub API: gRPC status, with Salesforce's own code and the call's id in the trailers. */
export interface RpcError extends Error {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** Every refusal of the API. `rpcId` names the call. Source: facts/salesforce.md §2.4. */
const refusals = {
  unauthenticated: [status.UNAUTHENTICATED, 'service.auth.error', 'Authentication exception occurred.'],
  refreshInvalid: [status.UNAUTHENTICATED, 'service.auth.refresh.invalid', 'The refreshed session is not valid.'],
  unavailable: [status.UNAVAILABLE, 'service.unavailable', 'The service is temporarily unavailable.'],
  internal: [status.INTERNAL, 'service.internal.error', 'An internal error occurred.'],
  replayCorrupted: [
    status.INVALID_ARGUMENT,
    'subscription.fetch.replayid.corrupted',
    'The Replay ID validation failed. Ensure that the Replay ID is valid.',
  ],
  replayInvalid: [
    status.INVALID_ARGUMENT,
    'subscription.fetch.replayid.validation.failed',
    'The Replay ID validation failed.',
  ],
  requestedInvalid: [
    status.INVALID_ARGUMENT,
    'subscription.fetch.requested.events.invalid',
    'The number of requested events must be greater than zero.',
  ],
  topicChanged: [
    status.INVALID_ARGUMENT,
    'subscription.fetch.topic.invalid',
    'The topic of a subscription cannot be changed.',
  ],
  topicNotFound: [status.NOT_FOUND, 'subscription.topic.notfound', 'The topic was not found.'],
  schemaNotFound: [status.NOT_FOUND, 'schema.notfound', 'The schema was not found.'],
  limitExceeded: [
    status.RESOURCE_EXHAUSTED,
    'subscription.limit.exceeded',
    'You have exceeded the event delivery limit for your org.',
  ],
} as const satisfies Record<string, readonly [code: status, errorCode: string, message: string]>;

export type Refusal = keyof typeof refusals;

export function rpcError(refusal: Refusal, rpcId: string): RpcError {
  const [code, errorCode, message] = refusals[refusal];
  const metadata = new Metadata();
  metadata.set('error-code', `sfdc.platform.eventbus.grpc.${errorCode}`);
  metadata.set('rpc-id', rpcId);
  const details = `${message} rpcId: ${rpcId}`;
  return Object.assign(new Error(details), { code, details, metadata });
}
