import { fileURLToPath } from 'node:url';
import type { MethodDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The same place in the sources and in `dist`, where the build copies it. */
const PROTO_FILE = fileURLToPath(new URL('../../../../../proto/pubsub_api.proto', import.meta.url));

export interface TopicInfo {
  readonly topicName: string;
  readonly canSubscribe: boolean;
}

export interface SchemaInfo {
  /** Avro, as JSON text. */
  readonly schemaJson: string;
  readonly schemaId: string;
}

export interface FetchRequest {
  /** Topic, preset and replay id are read from the first request of a call only. */
  readonly topicName: string;
  readonly replayPreset?: 'LATEST' | 'EARLIEST' | 'CUSTOM';
  readonly replayId?: Buffer;
  /** Credit to add. */
  readonly numRequested: number;
}

export interface ConsumerEvent {
  readonly event: { readonly schemaId: string; readonly payload: Buffer } | null;
  /** Opaque. */
  readonly replayId: Buffer;
}

export interface FetchResponse {
  /** Empty in a keepalive. */
  readonly events: readonly ConsumerEvent[];
  readonly latestReplayId: Buffer;
}

/** The calls of `eventbus.v1.PubSub` that a subscriber makes. */
export interface PubSubMethods {
  readonly GetTopic: MethodDefinition<{ readonly topicName: string }, TopicInfo>;
  readonly GetSchema: MethodDefinition<{ readonly schemaId: string }, SchemaInfo>;
  readonly Subscribe: MethodDefinition<FetchRequest, FetchResponse>;
}

/** Reads them from the published interface. Fields are in camel case, enums are names, `bytes` are Buffers, nothing is left undefined. */
export function pubSubMethods(): PubSubMethods {
  const definitions = loadSync(PROTO_FILE, { enums: String, longs: String, defaults: true, arrays: true });
  return definitions['eventbus.v1.PubSub'] as unknown as PubSubMethods;
}
