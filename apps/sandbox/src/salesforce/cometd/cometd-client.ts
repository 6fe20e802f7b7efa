import { randomBytes } from 'node:crypto';
import { cometdData } from '../events/cometd-event.js';
import type { EventLog, LoggedEvent } from '../events/event-log.js';
import type { Schema } from '../schema/schema.js';
import type { BayeuxReply, BayeuxRequest } from './messages.js';

interface Subscription {
  readonly channel: string;
  readonly entities: readonly string[];
  /** Everything up to here was delivered, or is no business of this subscription. */
  position: number;
}

/** A connect that waits for events. `answer` is called at most once. */
export interface HeldConnect {
  readonly message: BayeuxRequest;
  /** `/cometd/67.0/meta/connect`, for faults. */
  readonly path: string;
  readonly answer: (events: BayeuxReply[], reply?: BayeuxReply) => void;
}

/** One client between its handshake and its end. Reads the event log from its own places; nothing is queued for it. */
export class CometdClient {
  readonly id = randomBytes(16).toString('hex').slice(0, 28);
  readonly cookie = randomBytes(12).toString('base64url');
  held: HeldConnect | null = null;
  hasConnected = false;
  private readonly subscriptions = new Map<string, Subscription>();
  private lastBatch: BayeuxReply[] = [];
  private expiry: NodeJS.Timeout | null = null;

  constructor(public token: string) {}

  /** Subscribes from a place in the log; subscribing again moves the place. */
  subscribe(channel: string, entities: readonly string[], position: number): void {
    this.subscriptions.set(channel, { channel, entities, position });
  }

  unsubscribe(channel: string): void {
    this.subscriptions.delete(channel);
  }

  get channels(): string[] {
    return [...this.subscriptions.keys()];
  }

  /** The next events of all subscriptions, in commit order, at most `limit`; they count as delivered. */
  take(log: EventLog, schema: Schema, limit: number): BayeuxReply[] {
    const tip = log.tip;
    const found: Array<{ subscription: Subscription; logged: LoggedEvent }> = [];
    for (const subscription of this.subscriptions.values()) {
      if (subscription.position >= tip) continue;
      const events = log.after(subscription.position, subscription.entities, limit);
      // Nothing is left for this subscription: its place moves to the end, past the events of others.
      if (events.length === 0) subscription.position = tip;
      for (const logged of events) found.push({ subscription, logged });
    }
    const taken = found.toSorted((a, b) => a.logged.replayId - b.logged.replayId).slice(0, limit);
    for (const { subscription, logged } of taken) subscription.position = logged.replayId;
    this.lastBatch = taken.map(({ subscription, logged }) => ({
      data: cometdData(logged.event, logged.replayId, schema),
      channel: subscription.channel,
    }));
    return this.lastBatch;
  }

  /** What the previous reply delivered. */
  get previousBatch(): BayeuxReply[] {
    return this.lastBatch;
  }

  /** Forgets this client after `ms` unless it connects before. */
  expireAfter(ms: number, forget: () => void): void {
    this.stay();
    this.expiry = setTimeout(forget, ms);
    this.expiry.unref();
  }

  /** Stops the countdown. */
  stay(): void {
    if (this.expiry !== null) clearTimeout(this.expiry);
    this.expiry = null;
  }
}
