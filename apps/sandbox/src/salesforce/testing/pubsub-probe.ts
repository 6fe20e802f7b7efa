import { credentials, makeGenericClientConstructor, Metadata, type ClientDuplexStream } from '@grpc/grpc-js';
import avro from 'avsc';
import {
  pubSubService,
  type FetchRequest,
  type FetchResponse,
  type SchemaInfo,
  type TopicInfo,
} from '../pubsub/proto.js';
import type { TestOrg } from './test-org.js';

type Unary<Reply> = (request: object, metadata: Metadata, done: (error: unknown, reply?: Reply) => void) => void;

/** How a call ended: Salesforce's code out of the trailers, and gRPC's number. */
export interface CallEnd {
  readonly code: number;
  readonly errorCode: string;
  readonly rpcId: string;
}

/** Longs as BigInts, so that none is rounded. */
const bigLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(value);
    return bytes;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (one: bigint, other: bigint) => Number(one - other),
});

/** A bare gRPC client for specs. It grants credit only when told to, and collects what comes. */
export class PubSubProbe {
  private readonly client;
  private readonly types = new Map<string, Promise<avro.Type>>();

  constructor(
    address: string,
    readonly metadata: Metadata,
  ) {
    const Client = makeGenericClientConstructor(pubSubService(), 'PubSub');
    this.client = new Client(address, credentials.createInsecure(), { 'grpc.max_receive_message_length': 8_388_608 });
  }

  /** A probe with a fresh token of the org. */
  static async of(org: TestOrg, changes: Record<string, string> = {}): Promise<PubSubProbe> {
    const token = await org.token();
    const metadata = new Metadata();
    const headers = { accesstoken: token, instanceurl: org.url, tenantid: token.slice(0, 15), ...changes };
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new PubSubProbe(org.pubsub, metadata);
  }

  close(): void {
    this.client.close();
  }

  topic(topicName: string): Promise<TopicInfo> {
    return this.unary<TopicInfo>('GetTopic', { topicName });
  }

  schema(schemaId: string): Promise<SchemaInfo> {
    return this.unary<SchemaInfo>('GetSchema', { schemaId });
  }

  /** Opens a Subscribe call and sends the first request. */
  subscribe(first: Partial<FetchRequest>): ProbeCall {
    return new ProbeCall(this.open('Subscribe'), first);
  }

  open(rpc: 'Subscribe' | 'ManagedSubscribe'): ClientDuplexStream<Partial<FetchRequest>, FetchResponse> {
    const open = this.client[rpc] as unknown as (
      metadata: Metadata,
    ) => ClientDuplexStream<Partial<FetchRequest>, FetchResponse>;
    return open.call(this.client, this.metadata);
  }

  /** The decoded record of an event, longs as BigInts. */
  async decode(event: { schemaId: string; payload: Buffer }): Promise<Record<string, unknown>> {
    let type = this.types.get(event.schemaId);
    if (type === undefined) {
      type = this.schema(event.schemaId).then(({ schemaJson }) =>
        avro.Type.forSchema(JSON.parse(schemaJson) as avro.Schema, { registry: { long: bigLong } }),
      );
      this.types.set(event.schemaId, type);
    }
    return (await type).fromBuffer(event.payload) as Record<string, unknown>;
  }

  private unary<Reply>(rpc: string, request: object): Promise<Reply> {
    const call = this.client[rpc] as unknown as Unary<Reply>;
    return new Promise((resolve, reject) => {
      call.call(this.client, request, this.metadata, (error, reply) =>
        reply === undefined ? reject(endOf(error)) : resolve(reply),
      );
    });
  }
}

/** A running Subscribe call. */
export class ProbeCall {
  readonly responses: FetchResponse[] = [];
  /** How it ended; null while it runs. */
  ended: CallEnd | null = null;

  constructor(
    private readonly stream: ClientDuplexStream<Partial<FetchRequest>, FetchResponse>,
    first: Partial<FetchRequest>,
  ) {
    stream.on('data', (response: FetchResponse) => this.responses.push(response));
    stream.on('error', () => undefined);
    stream.on('status', (status) => (this.ended = endOf(status)));
    stream.write(first);
  }

  request(request: Partial<FetchRequest>): void {
    this.stream.write(request);
  }

  get events() {
    return this.responses.flatMap((one) => one.events);
  }

  get replayIds(): number[] {
    return this.events.map((one) => Number(one.replayId.readBigUInt64BE()));
  }

  cancel(): void {
    this.stream.cancel();
  }
}

function endOf(error: unknown): CallEnd {
  const { code, metadata } = error as { code: number; metadata: Metadata };
  const text = (name: string) => String(metadata.get(name)[0] ?? '');
  return { code, errorCode: text('error-code'), rpcId: text('rpc-id') };
}
