import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The same place in the sources and in `dist`, where the build copies it. */
const PROTO_FILE = fileURLToPath(new URL('../../../../../proto/pubsub_api.proto', import.meta.url));

/** The service `eventbus.v1.PubSub`. Fields are in camel case, enums are names, `bytes` are Buffers, nothing is left undefined. */
export function pubSubService(): ServiceDefinition {
  const definition = loadPackageDefinition(loadSync(PROTO_FILE, { enums: String, longs: String, defaults: true }));
  const { eventbus } = definition as unknown as {
    eventbus: { v1: { PubSub: { service: ServiceDefinition } } };
  };
  return eventbus.v1.PubSub.service;
}

export interface TopicRequest {
  readonly topicName: string;
}

export interface TopicInfo {
  readonly topicName: string;
  readonly tenantGuid: string;
  readonly canPublish: boolean;
  readonly canSubscribe: boolean;
  readonly schemaId: string;
  readonly rpcId: string;
}

export interface SchemaRequest {
  readonly schemaId: string;
}

export interface SchemaInfo {
  readonly schemaJson: string;
  readonly schemaId: string;
  readonly rpcId: string;
}

export interface FetchRequest {
  readonly topicName: string;
  readonly replayPreset: 'LATEST' | 'EARLIEST' | 'CUSTOM';
  readonly replayId: Buffer;
  readonly numRequested: number;
  readonly authRefresh: string;
}

export interface ConsumerEvent {
  readonly event: { readonly id: string; readonly schemaId: string; readonly payload: Buffer };
  readonly replayId: Buffer;
}

export interface FetchResponse {
  readonly events: readonly ConsumerEvent[];
  readonly latestReplayId: Buffer;
  readonly rpcId: string;
  readonly pendingNumRequested: number;
}
