import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import {
  Server,
  ServerCredentials,
  status,
  type Metadata,
  type ConnectionInjector,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { strike } from '../fault-kinds.js';
import type { PubSubDoor } from '../options.js';
import type { Org } from '../org.js';
import { EventSchemas } from './event-schemas.js';
import { pubSubService, type SchemaInfo, type SchemaRequest, type TopicInfo, type TopicRequest } from './proto.js';
import { rpcError, type Refusal } from './rpc-error.js';
import { Subscription, type SubscribeCall } from './subscription.js';

/**
 * The Pub/Sub API: a gRPC server of its own, over the same event log as CometD. Plain text unless it is given a certificate.
 * Source: facts/salesforce.md §2.
 */
export class PubSubServer {
  private readonly grpc = new Server({ 'grpc.max_receive_message_length': 4 * 1024 * 1024 });
  // The sockets are ours and not gRPC's, so that a connection can be cut.
  private readonly net = createServer({ noDelay: true }, (socket) => this.accept(socket));
  private readonly injector: ConnectionInjector;
  private readonly sockets = new Map<string, Socket>();
  private readonly subscriptions = new Set<Subscription>();
  private readonly schemas: EventSchemas;
  private delivered = 0;

  constructor(
    private readonly org: Org,
    private readonly door: PubSubDoor,
  ) {
    this.schemas = new EventSchemas(org.schema);
    const { tls } = door;
    const credentials =
      tls === undefined
        ? ServerCredentials.createInsecure()
        : ServerCredentials.createSsl(null, [
            { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.certificate) },
          ]);
    this.grpc.addService(pubSubService(), {
      GetTopic: (call: ServerUnaryCall<TopicRequest, TopicInfo>, answer: sendUnaryData<TopicInfo>) =>
        this.unary(call.metadata, 'GetTopic', call.request.topicName, answer, (rpcId) => this.topic(call, rpcId)),
      GetSchema: (call: ServerUnaryCall<SchemaRequest, SchemaInfo>, answer: sendUnaryData<SchemaInfo>) =>
        this.unary(call.metadata, 'GetSchema', call.request.schemaId, answer, (rpcId) => this.schema(call, rpcId)),
      Subscribe: (call: SubscribeCall) => this.subscribe(call),
      ManagedSubscribe: (call: SubscribeCall) => {
        call.emit('error', { code: status.UNIMPLEMENTED, details: 'the sandbox has no managed subscriptions' });
      },
    });
    this.injector = this.grpc.createConnectionInjector(credentials);
    org.events.onAppend(() => {
      for (const subscription of this.subscriptions) subscription.pump();
    });
  }

  /** Opens the port. Answers `host:port`. */
  async listen(host: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.net.once('error', reject);
      this.net.listen(this.door.port, host, () => {
        this.net.off('error', reject);
        resolve();
      });
    });
    const { port } = this.net.address() as AddressInfo;
    return `${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => void this.net.close(() => resolve()));
    this.dropAll();
    this.injector.destroy();
    this.grpc.forceShutdown();
    await closed;
  }

  /** Cuts every connection, as an instance that goes away does. Answers how many subscriptions there were. */
  dropAll(): number {
    const count = this.subscriptions.size;
    for (const socket of this.sockets.values()) socket.destroy();
    return count;
  }

  stats() {
    const topics: Record<string, number> = {};
    let delivered = this.delivered;
    for (const subscription of this.subscriptions) {
      topics[subscription.topic] = (topics[subscription.topic] ?? 0) + 1;
      delivered += subscription.delivered;
    }
    return { subscriptions: this.subscriptions.size, topics, delivered };
  }

  private accept(socket: Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    this.sockets.set(peer, socket);
    socket.on('close', () => this.sockets.delete(peer));
    // A client that goes away in the middle is no news.
    socket.on('error', () => socket.destroy());
    this.injector.injectConnection(socket);
  }

  private subscribe(call: SubscribeCall): void {
    const subscription: Subscription = new Subscription(this.org, this.schemas, call, {
      onReset: () => this.sockets.get(call.getPeer())?.destroy(),
      onEnd: () => {
        if (this.subscriptions.delete(subscription)) this.delivered += subscription.delivered;
      },
    });
    const refusal = this.refusalOf(call.metadata, '/eventbus.v1.PubSub/Subscribe');
    if (refusal === null) this.subscriptions.add(subscription);
    else subscription.refuse(refusal);
  }

  private topic(call: ServerUnaryCall<TopicRequest, TopicInfo>, rpcId: string): TopicInfo | Refusal {
    const { topicName } = call.request;
    const entities = this.org.channels.get(topicName);
    if (entities === undefined) return 'topicNotFound';
    const [name, ...others] = entities;
    const object = name === undefined || others.length > 0 ? null : this.org.schema.object(name);
    return {
      topicName,
      tenantGuid: `core/sandbox/${this.org.identity.organizationId}`,
      canPublish: false,
      canSubscribe: true,
      // A topic of several entities has no schema of its own; its events tell theirs.
      schemaId: object === null ? '' : this.schemas.of(object).id,
      rpcId,
    };
  }

  private schema(call: ServerUnaryCall<SchemaRequest, SchemaInfo>, rpcId: string): SchemaInfo | Refusal {
    // Ids do not change from run to run: that of an entity nobody has asked about yet is known too.
    for (const object of this.org.schema.all()) this.schemas.of(object);
    const found = this.schemas.byIdOf(call.request.schemaId);
    const path = `/eventbus.v1.PubSub/GetSchema/${call.request.schemaId}`;
    if (found === null || strike(this.org.faults, 'pubsub-schema-unknown', path)) {
      return 'schemaNotFound';
    }
    return { schemaJson: found.json, schemaId: found.id, rpcId };
  }

  private unary<T extends object>(
    metadata: Metadata,
    rpc: string,
    asked: string,
    answer: sendUnaryData<T>,
    work: (rpcId: string) => T | Refusal,
  ): void {
    const rpcId = randomUUID();
    const result = this.refusalOf(metadata, `/eventbus.v1.PubSub/${rpc}/${asked}`) ?? work(rpcId);
    if (typeof result === 'string') answer(rpcError(result, rpcId));
    else answer(null, result);
  }

  /** Who calls is told by three headers of each call. Source: facts/salesforce.md §2.1. */
  private refusalOf(metadata: Metadata, path: string): Refusal | null {
    const header = (name: string) => String(metadata.get(name)[0] ?? '');
    const { faults, identity, sessions } = this.org;
    const unavailable = strike(faults, 'pubsub-unavailable', path);
    if (unavailable !== null) return unavailable.status === 'INTERNAL' ? 'internal' : 'unavailable';
    const tenant = header('tenantid');
    const isTenant = tenant === identity.organizationId || tenant === identity.organizationId.slice(0, 15);
    const isInstance = /^https?:\/\/./.test(header('instanceurl'));
    const session = sessions.use(`Bearer ${header('accesstoken')}`);
    if (!isTenant || !isInstance || session === null) return 'unauthenticated';
    return strike(faults, 'pubsub-unauthenticated', path) === null ? null : 'unauthenticated';
  }
}
