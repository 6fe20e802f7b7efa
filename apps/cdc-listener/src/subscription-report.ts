import type { Health, Logger, Metrics } from '@libs/observability';
import type { ChannelRefusal, StreamEnd } from '@libs/salesforce';
import type { Mode } from './core/mode.js';
import { subscriptionCheck, type PollingState } from './core/subscription-check.js';
import type { OpenHoles } from './open-holes.js';

/** Name of the health check. */
export const SUBSCRIPTION_CHECK = 'subscription';

export interface ReportParts {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
  /** Longest time that a working subscription says nothing. Milliseconds. */
  readonly quietMs: number;
  readonly holes: Pick<OpenHoles, 'all'>;
  /** Does it go on from a subscription that worked a moment ago? */
  readonly renewed?: boolean;
}

/** How the subscription stands: told to health, metrics and log as it changes. */
export class SubscriptionReport {
  readonly subscribed = new Set<string>();
  readonly refused = new Map<string, string>();
  private readonly silent = new Set<string>();
  private downSince: number | null = Date.now();
  private failure: string | null = null;
  private answeredAt: number | null;
  private stalledSince: number | null = null;
  private polling: PollingState | null = null;

  constructor(private readonly parts: ReportParts) {
    this.answeredAt = parts.renewed === true ? Date.now() : null;
    this.mode('events');
  }

  onSubscribed(channel: string): void {
    this.subscribed.add(channel);
    if (this.refused.delete(channel)) this.parts.logger.info({ channel }, 'the channel is taken again');
    this.downSince = null;
    this.tell();
  }

  onRefused(channel: string, refusal: ChannelRefusal, detail: string): void {
    if (this.refused.get(channel) !== detail)
      this.parts.logger.error({ channel, refusal, detail }, 'the channel is refused, trying now and then');
    this.refused.set(channel, detail);
    this.subscribed.delete(channel);
    // The stream itself works: what is wrong is said of the channel
    this.downSince = null;
    this.tell();
  }

  onAlive(): void {
    this.answeredAt = Date.now();
    this.parts.metrics.listenerLastAnswer.setToCurrentTime();
  }

  onFailed({ failure, detail }: StreamEnd, delayMs: number): void {
    this.parts.metrics.listenerReconnects.inc({ reason: failure });
    this.parts.logger.warn({ failure, detail, delayMs }, 'the stream ended, making a new one');
    this.failure = `${failure} (${detail}), next try in ${Math.ceil(delayMs / 1000)} s`;
    this.onDown();
  }

  /** There is no stream, for now or on purpose. */
  onDown(): void {
    this.subscribed.clear();
    this.downSince ??= Date.now();
    this.tell();
  }

  onStalled(since: number | null): void {
    this.stalledSince = since;
    this.tell();
  }

  onSilent(channel: string): void {
    this.parts.metrics.listenerSilences.inc();
    this.parts.logger.error({ channel }, 'subscribed and connected, but changes that exist are not delivered');
    this.silent.add(channel);
    this.tell();
  }

  /** A channel delivers, or has nothing to deliver. */
  onSound(channel: string): void {
    this.silent.delete(channel);
  }

  onPolling(everyMs: number): void {
    this.polling ??= { everyMs, lastMs: Date.now(), failure: null };
    this.silent.clear();
    this.tell();
  }

  onPolled(failure: string | null): void {
    if (this.polling === null) return;
    this.polling = { ...this.polling, failure, ...(failure === null && { lastMs: Date.now() }) };
    if (failure === null) this.parts.metrics.listenerLastAnswer.setToCurrentTime();
    this.tell();
  }

  onPollingOver(): void {
    this.polling = null;
    this.tell();
  }

  mode(mode: Mode): void {
    const { listenerMode } = this.parts.metrics;
    listenerMode.set({ mode: 'events' }, mode === 'events' ? 1 : 0);
    listenerMode.set({ mode: 'polling' }, mode === 'events' ? 0 : 1);
  }

  tell(): void {
    const { health, quietMs, holes } = this.parts;
    const { subscribed, refused, silent, downSince, failure, answeredAt, stalledSince, polling } = this;
    const state = { subscribed, refused, silent, downSince, failure, answeredAt, stalledSince, polling };
    const { ok, detail } = subscriptionCheck({ ...state, quietMs, holes: holes.all }, Date.now());
    health.set(SUBSCRIPTION_CHECK, ok, detail);
  }
}
