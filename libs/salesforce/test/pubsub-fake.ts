import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import avro from 'avsc';
import {
  pubSubMethods,
  type FetchRequest,
  type FetchResponse,
  type SchemaInfo,
  type TopicInfo,
} from '../src/streaming/pubsub/proto.js';
import { HttpFake, json } from './http-fake.js';

const CODES = 'sfdc.platform.eventbus.grpc.';

/** A refusal as Salesforce gives it: status, and its own code in the trailers. */
export function refusal(code: status, errorCode: string, details = 'no'): object {
  const metadata = new Metadata();
  if (errorCode !== '') metadata.set('error-code', CODES + errorCode);
  return Object.assign(new Error(details), { code, details, metadata });
}

const texts = { type: 'array', items: 'string' };
const nullable = (name: string, type: unknown) => ({ name, type: ['null', type], default: null });
/** A change event in the shape of facts/salesforce.md §2.3, smaller. */
export const LEAD_SCHEMA = {
  type: 'record',
  name: 'LeadChangeEvent',
  namespace: 'com.sforce.eventbus',
  fields: [
    {
      name: 'ChangeEventHeader',
      type: {
        type: 'record',
        name: 'ChangeEventHeader',
        fields: [
          { name: 'entityName', type: 'string' },
          { name: 'recordIds', type: texts },
          { name: 'changeType', type: { type: 'enum', name: 'ChangeType', symbols: ['CREATE', 'UPDATE', 'DELETE'] } },
          { name: 'commitTimestamp', type: 'long' },
          { name: 'commitNumber', type: 'long' },
          { name: 'nulledFields', type: texts },
          { name: 'diffFields', type: texts },
          { name: 'changedFields', type: texts },
        ],
      },
    },
    nullable('Name', {
      type: 'record',
      name: 'PersonName',
      fields: ['Salutation', 'FirstName', 'LastName'].map((part) => nullable(part, 'string')),
    }),
    nullable('Status', 'string'),
    nullable('Address', {
      type: 'record',
      name: 'Address',
      fields: ['Street', 'City'].map((part) => nullable(part, 'string')),
    }),
    nullable('Other', 'com.sforce.eventbus.Address'),
    nullable('AccountName', 'string'),
  ],
};

/** Longs as BigInts, so that one above 2^53 can be written. */
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
const leadType = avro.Type.forSchema(LEAD_SCHEMA as avro.Schema, { registry: { long: bigLong } });

export interface FakeHeader {
  readonly recordIds?: readonly string[];
  readonly changeType?: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly commitNumber?: bigint;
  readonly changedFields?: readonly string[];
}

/** A Lead's event in Avro binary. */
export function leadPayload({ changeType = 'UPDATE', commitNumber = 7n, ...header }: FakeHeader = {}): Buffer {
  return leadType.toBuffer({
    ChangeEventHeader: {
      entityName: 'Lead',
      recordIds: header.recordIds ?? ['id'],
      changeType,
      commitTimestamp: 1_764_060_065_000n,
      commitNumber,
      nulledFields: [],
      diffFields: [],
      changedFields: header.changedFields ?? [],
    },
    Name: null,
    Status: 'x'.repeat(100),
    Address: null,
    Other: null,
    AccountName: null,
  });
}

interface FakeEvent {
  readonly topic: string;
  readonly schemaId: string;
  readonly payload: Buffer;
}

export type FakeCall = ServerDuplexStream<FetchRequest, FetchResponse>;

/** One Subscribe call at the fake. */
export class FakeSubscription {
  topic = '';
  credit = 0;
  /** Index of the next event of the log. */
  next = 0;
  over = false;
  readonly requests: FetchRequest[] = [];

  constructor(
    private readonly fake: PubSubFake,
    readonly call: FakeCall,
    readonly token: string,
  ) {
    call.on('data', (request: FetchRequest) => this.receive(request));
    for (const end of ['end', 'cancelled'] as const) call.on(end, () => (this.over = true));
  }

  private receive(request: FetchRequest): void {
    this.requests.push(request);
    if (this.topic === '') this.begin(request);
    this.credit += request.numRequested;
    this.fake.mostCredit = Math.max(this.fake.mostCredit, this.credit);
    if (!this.fake.script(this)) this.pump();
  }

  private begin({ topicName, replayPreset, replayId }: FetchRequest): void {
    this.topic = topicName;
    if (replayPreset === 'LATEST') this.next = this.fake.log.length;
    if (replayPreset === 'CUSTOM') this.next = replayId?.readUInt32BE() ?? 0;
  }

  pump(perResponse = 10): void {
    while (!this.over && this.credit > 0 && this.next < this.fake.log.length) {
      const events: Array<FetchResponse['events'][number]> = [];
      for (; events.length < Math.min(perResponse, this.credit) && this.next < this.fake.log.length; this.next += 1) {
        const event = this.fake.log[this.next];
        if (event?.topic === this.topic) events.push({ event, replayId: replayIdOf(this.next + 1) });
      }
      if (events.length === 0) return;
      this.credit -= events.length;
      this.write(events);
    }
  }

  /** A response without events, with the place up to which the log was read. */
  keepAlive(next = this.next): void {
    this.next = next;
    this.write([]);
  }

  private write(events: FetchResponse['events']): void {
    this.call.write({ events, latestReplayId: replayIdOf(this.next) });
  }

  fail(error: object): void {
    this.over = true;
    this.call.emit('error', error);
  }
}

/** Bytes that are no number to a client. */
export function replayIdOf(next: number): Buffer {
  const bytes = Buffer.from([0, 0, 0, 0, 0xff, 0xfe, 0xfd]);
  bytes.writeUInt32BE(next);
  return bytes;
}

type Unary<Request, Reply> = (request: Request) => Reply | object;

/** A small scripted Pub/Sub API with an OAuth door. Faults are scripts that act in its place. */
export class PubSubFake {
  readonly log: FakeEvent[] = [];
  readonly subscriptions: FakeSubscription[] = [];
  readonly metadata: Array<Record<string, unknown>> = [];
  /** May act on a request in place of the fake: `true` when it did. */
  script: (subscription: FakeSubscription) => boolean = () => false;
  topic: Unary<{ topicName: string }, TopicInfo> = ({ topicName }) => ({ topicName, canSubscribe: true });
  schema: Unary<{ schemaId: string }, SchemaInfo> = ({ schemaId }) => ({
    schemaId,
    schemaJson: JSON.stringify(LEAD_SCHEMA),
  });
  readonly asked: string[] = [];
  mostCredit = 0;
  tokens = 0;
  private readonly server = new Server();
  address = '';

  private constructor(readonly http: HttpFake) {
    http.answer = (_request, response) => {
      this.tokens += 1;
      json(response, 200, {
        access_token: `token-${this.tokens}`,
        instance_url: http.url,
        id: `${http.url}/id/00D5f000003XYZaEAO/0055f000005mc66AAA`,
      });
    };
    const answer =
      <Request, Reply>(name: (request: Request) => string, work: () => Unary<Request, Reply>) =>
      (call: ServerUnaryCall<Request, Reply>, done: sendUnaryData<Reply>) => {
        this.asked.push(name(call.request));
        const reply = work()(call.request) as Reply & { code?: number };
        if (reply.code === undefined) done(null, reply);
        else done(reply);
      };
    this.server.addService(pubSubMethods() as unknown as ServiceDefinition, {
      GetTopic: answer<{ topicName: string }, TopicInfo>(
        ({ topicName }) => topicName,
        () => this.topic,
      ),
      GetSchema: answer<{ schemaId: string }, SchemaInfo>(
        ({ schemaId }) => schemaId,
        () => this.schema,
      ),
      Subscribe: (call: FakeCall) => {
        this.metadata.push(call.metadata.getMap());
        this.subscriptions.push(new FakeSubscription(this, call, String(call.metadata.get('accesstoken')[0])));
      },
      ManagedSubscribe: (call: FakeCall) => void call.emit('error', refusal(status.UNIMPLEMENTED, '')),
    });
  }

  static async start(): Promise<PubSubFake> {
    const fake = new PubSubFake(await HttpFake.start());
    const port = await new Promise<number>((resolve, reject) => {
      fake.server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    fake.address = `127.0.0.1:${port}`;
    return fake;
  }

  /** Commits events and delivers them. Answers their replay ids, as positions are stored. */
  push(topic: string, ...events: ReadonlyArray<{ schemaId?: string; payload: Buffer }>): string[] {
    const ids = events.map((event) => {
      this.log.push({ topic, schemaId: 'lead-1', ...event });
      return replayIdOf(this.log.length).toString('base64');
    });
    for (const one of this.subscriptions) one.pump();
    return ids;
  }

  /** The newest call on a topic. */
  on(topic: string): FakeSubscription {
    const found = this.subscriptions.findLast((one) => one.topic === topic);
    if (found === undefined) throw new Error(`nobody subscribed ${topic}`);
    return found;
  }

  async stop(): Promise<void> {
    this.server.forceShutdown();
    await this.http.stop();
  }
}
