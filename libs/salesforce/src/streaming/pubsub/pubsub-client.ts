import { Client, credentials, Metadata, type ClientDuplexStream } from '@grpc/grpc-js';
import type { Session } from '../../rest/session.js';
import {
  pubSubMethods,
  type FetchRequest,
  type FetchResponse,
  type PubSubMethods,
  type SchemaInfo,
  type TopicInfo,
} from './proto.js';

/** Where the Pub/Sub API is. It is one for all orgs; the org is told with each call. */
export interface PubSubEndpoint {
  /** `host:port` */
  readonly address: string;
  readonly plainText: boolean;
}

export type SubscribeCall = ClientDuplexStream<FetchRequest, FetchResponse>;

const MIB = 1024 * 1024;
const CHANNEL_OPTIONS = {
  // 100 events of at most 1 MB each. Source: facts/salesforce.md §2.2, §2.6
  'grpc.max_receive_message_length': 128 * MIB,
  // HTTP/2 begins with 64 kB, six events of 11 KB: at 50 ms to Salesforce and back that would be 120 events a second
  'grpc-node.flow_control_window': 16 * MIB,
  // A new client must get a new connection: the old one may be why it is needed
  'grpc.use_local_subchannel_pool': 1,
  // What to repeat, and from where, is for the supervisor to say
  'grpc.enable_retries': 0,
};

let methods: PubSubMethods | undefined;

/** One connection to the Pub/Sub API on one session. Calls reject with gRPC's errors. */
export class PubSubClient {
  private readonly client: Client;
  private readonly metadata = new Metadata();
  private readonly methods = (methods ??= pubSubMethods());

  constructor(
    { address, plainText }: PubSubEndpoint,
    session: Session,
    /** Longest wait for one answer. Milliseconds. */
    private readonly answerMs: number,
  ) {
    this.client = new Client(
      address,
      plainText ? credentials.createInsecure() : credentials.createSsl(),
      CHANNEL_OPTIONS,
    );
    // Source: facts/salesforce.md §2.1
    this.metadata.set('accesstoken', session.connection.accessToken ?? '');
    this.metadata.set('instanceurl', session.instanceUrl);
    this.metadata.set('tenantid', session.organizationId);
  }

  topic(topicName: string): Promise<TopicInfo> {
    return this.ask(this.methods.GetTopic, { topicName });
  }

  schema(schemaId: string): Promise<SchemaInfo> {
    return this.ask(this.methods.GetSchema, { schemaId });
  }

  /** Opens a call of events; the first request on it says where it begins. */
  subscribe(): SubscribeCall {
    const { path, requestSerialize, responseDeserialize } = this.methods.Subscribe;
    return this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.metadata);
  }

  /** Calls under way must be cancelled first. */
  close(): void {
    this.client.close();
  }

  private ask<Request, Reply>(
    {
      path,
      requestSerialize,
      responseDeserialize,
    }: PubSubMethods[keyof PubSubMethods] & {
      readonly requestSerialize: (request: Request) => Buffer;
      readonly responseDeserialize: (bytes: Buffer) => Reply;
    },
    request: Request,
  ): Promise<Reply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply>();
    const deadline = Date.now() + this.answerMs;
    this.client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      this.metadata,
      { deadline },
      (error, reply) => {
        if (error !== null) reject(error);
        else if (reply !== undefined) resolve(reply);
      },
    );
    return promise;
  }
}
