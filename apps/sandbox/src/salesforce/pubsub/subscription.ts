import { randomUUID } from 'node:crypto';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { LoggedEvent } from '../events/event-log.js';
import { strike, type SalesforceFaultKind } from '../fault-kinds.js';
import type { Org } from '../org.js';
import type { EventSchemas } from './event-schemas.js';
import type { ConsumerEvent, FetchRequest, FetchResponse } from './proto.js';
import { positionOf, replayIdBytes } from './replay-id.js';
import { rpcError, type Refusal } from './rpc-error.js';

export type SubscribeCall = ServerDuplexStream<FetchRequest, FetchResponse>;

/** Most events asked for and not yet sent, and most in one response. Source: facts/salesforce.md §2.2. */
const MOST_OUTSTANDING = 100;
/**
 * Payload bytes after which a response is closed, far below the 3 MB that clients are told to allow (§2.2): a client that asks
 * for more after each response then has the next one on its way while it works on this one.
 */
const RESPONSE_BYTES = 500_000;

/**
 * One Subscribe call: the first request fixes topic and place, each request adds credit, events are sent while there is
 * credit. Reads the event log from its own place; nothing is queued for it. Source: facts/salesforce.md §2.2.
 */
export class Subscription {
  readonly rpcId = randomUUID();
  /** Empty until the first request. */
  topic = '';
  delivered = 0;
  private entities: readonly string[] = [];
  private position = 0;
  private previousPosition = 0;
  private credit = 0;
  private isBlocked = false;
  private hasEnded = false;
  private keepalive: NodeJS.Timeout | null = null;
  private idle: NodeJS.Timeout | null = null;

  /** `onReset` cuts the connection below the call; `onEnd` is called once. */
  constructor(
    private readonly org: Org,
    private readonly schemas: EventSchemas,
    private readonly call: SubscribeCall,
    private readonly handlers: { onReset(): void; onEnd(): void },
  ) {
    call.on('data', (request: FetchRequest) => this.receive(request));
    call.on('end', () => this.finish(() => call.end()));
    call.on('cancelled', () => this.finish(() => undefined));
    call.on('drain', () => {
      this.isBlocked = false;
      this.pump();
    });
  }

  /** Ends the call with an error. Does nothing on a call that has ended. */
  refuse(refusal: Refusal): void {
    this.finish(() => this.call.emit('error', rpcError(refusal, this.rpcId)));
  }

  /** Sends what waits, as far as the credit goes. */
  pump(): void {
    while (this.isOpen && this.credit > 0 && !this.isBlocked) {
      if (this.interrupted()) return;
      if (this.strikes('pubsub-silent')) return;
      const wanted = Math.min(this.credit, MOST_OUTSTANDING);
      const events = this.org.events.after(this.position, this.entities, wanted);
      if (events.length === 0) {
        this.position = this.org.events.tip;
        return;
      }
      const left = this.allowance();
      if (left <= 0) {
        this.refuse('limitExceeded');
        return;
      }
      this.send(events.slice(0, left));
      if (this.strikes('pubsub-duplicate')) this.position = this.previousPosition;
    }
  }

  private get isOpen(): boolean {
    return !this.hasEnded && this.topic !== '';
  }

  private receive(request: FetchRequest): void {
    if (this.hasEnded) return;
    if (request.authRefresh !== '' && this.org.sessions.use(`Bearer ${request.authRefresh}`) === null) {
      this.refuse('refreshInvalid');
      return;
    }
    if (request.numRequested <= 0) {
      this.refuse('requestedInvalid');
      return;
    }
    if (this.topic === '') this.open(request);
    // Preset and replay id of later requests are ignored, and the topic may be left out.
    else if (request.topicName !== '' && request.topicName !== this.topic) this.refuse('topicChanged');
    if (!this.isOpen) return;
    this.credit = Math.min(MOST_OUTSTANDING, this.credit + request.numRequested);
    clearTimeout(this.idle ?? undefined);
    if (this.keepalive === null) this.startKeepalive();
    this.pump();
  }

  private open(request: FetchRequest): void {
    const { channels, events } = this.org;
    const entities = channels.get(request.topicName);
    if (entities === undefined) {
      this.refuse('topicNotFound');
      return;
    }
    if (this.allowance() <= 0) {
      this.refuse('limitExceeded');
      return;
    }
    const isCustom = request.replayPreset === 'CUSTOM';
    if (isCustom && this.strikes('pubsub-replay-corrupted', request.topicName)) {
      this.refuse('replayCorrupted');
      return;
    }
    let position = request.replayPreset === 'EARLIEST' ? 0 : events.tip;
    if (isCustom) {
      const asked = positionOf(request.replayId);
      if (asked === null || !events.holds(asked)) {
        this.refuse(asked === null ? 'replayInvalid' : 'replayCorrupted');
        return;
      }
      const rewind = this.strikes('pubsub-rewind', request.topicName);
      position = rewind === null ? asked : events.before(asked, rewind.events);
    }
    this.topic = request.topicName;
    this.entities = entities;
    this.position = position;
    this.previousPosition = position;
    this.interrupted();
  }

  /** Faults that end the call. */
  private interrupted(): boolean {
    if (this.strikes('pubsub-reset')) {
      this.finish(() => this.handlers.onReset());
      return true;
    }
    const unavailable = this.strikes('pubsub-unavailable');
    if (unavailable !== null) this.refuse(unavailable.status === 'INTERNAL' ? 'internal' : 'unavailable');
    else if (this.strikes('pubsub-unauthenticated')) this.refuse('unauthenticated');
    else if (this.strikes('pubsub-limit')) this.refuse('limitExceeded');
    return this.hasEnded;
  }

  private strikes<K extends SalesforceFaultKind>(kind: K, topic = this.topic): ReturnType<typeof strike<K>> {
    return strike(this.org.faults, kind, `/eventbus.v1.PubSub/Subscribe${topic}`);
  }

  private allowance(): number {
    const { deliveredEventsPerDay } = this.org.limits;
    return deliveredEventsPerDay === null ? Infinity : deliveredEventsPerDay - this.org.deliveredEvents.used;
  }

  private send(logged: readonly LoggedEvent[]): void {
    const events: ConsumerEvent[] = [];
    let bytes = 0;
    for (const { event, replayId } of logged) {
      const { schemaId, payload } = this.schemas.encode(event);
      if (events.length > 0 && bytes + payload.length > RESPONSE_BYTES) break;
      bytes += payload.length;
      events.push({
        event: { id: eventId(event.transactionKey, replayId), schemaId, payload },
        replayId: replayIdBytes(replayId),
      });
    }
    this.previousPosition = this.position;
    this.position = logged[events.length - 1]?.replayId ?? this.position;
    this.credit -= events.length;
    this.delivered += events.length;
    this.org.deliveredEvents.add(events.length);
    this.write(events, this.position);
    // Without credit the server waits a while for more, then ends the call.
    if (this.credit === 0) {
      this.idle = setTimeout(() => this.finish(() => this.call.end()), this.org.timing.pubsubNoCreditMs);
      this.idle.unref();
    }
  }

  private write(events: readonly ConsumerEvent[], position: number): void {
    this.isBlocked = !this.call.write({
      events,
      latestReplayId: replayIdBytes(position),
      rpcId: this.rpcId,
      pendingNumRequested: this.credit,
    });
    this.startKeepalive();
  }

  /**
   * After a silence with credit: an empty response. Its replay id is of now: other orgs' events moved the log on meanwhile,
   * which is how a client that receives nothing keeps a place inside the retention.
   */
  private startKeepalive(): void {
    clearTimeout(this.keepalive ?? undefined);
    this.keepalive = setTimeout(() => this.keepAlive(), this.org.timing.pubsubKeepaliveMs);
    this.keepalive.unref();
  }

  private keepAlive(): void {
    this.startKeepalive();
    this.pump();
    if (!this.isOpen || this.credit === 0 || this.isBlocked) return;
    if (this.strikes('pubsub-silent')) return;
    const { events } = this.org;
    if (this.position === events.tip) {
      this.position = events.pass();
      this.write([], this.position);
    }
  }

  private finish(end: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    clearTimeout(this.keepalive ?? undefined);
    clearTimeout(this.idle ?? undefined);
    this.handlers.onEnd();
    end();
  }
}

/** The event's own id, a UUID: the same whenever it is delivered. */
function eventId(transactionKey: string, replayId: number): string {
  return transactionKey.slice(0, 24) + replayId.toString(16).padStart(12, '0');
}
