import { SyncError } from '@libs/contracts';
import type { Logger, Metrics } from '@libs/observability';
import type { AllowanceReader } from '@libs/salesforce';
import { eventsAllowed, type Mode } from './core/mode.js';
import { startPolling, stopPolling } from './core/position.js';
import type { Nudge } from './nudge.js';
import type { Poller } from './poller.js';
import type { PositionBook } from './position-book.js';
import type { SubscriptionReport } from './subscription-report.js';
import type { Timings } from './timings.js';

/** Salesforce's name of the allowance: change events count in it. Source: facts/salesforce.md §3.7. */
const ALLOWANCE = 'DailyDeliveredPlatformEvents';
/** How often a wait without an end looks up. Milliseconds. */
const IDLE_MS = 60_000;

export interface PollingParts {
  readonly book: PositionBook;
  readonly limits: AllowanceReader;
  readonly poller: Poller;
  readonly report: SubscriptionReport;
  readonly metrics: Metrics;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  readonly objectsOf: ReadonlyMap<string, readonly string[]>;
  readonly pollMs: number;
  readonly timings: Pick<Timings, 'allowanceMs' | 'patience'>;
  readonly nudge: Nudge;
  readonly signal: AbortSignal;
  /** Ends the stream in hand: no events are wanted. */
  readonly stopEvents: () => void;
}

/**
 * What keeps changes coming while events are not to be had, because the org's daily allowance of them is near its end or
 * past it: polling, and the way back. Both overlap: events are subscribed before the last poll, so nothing falls between.
 */
export class Polling {
  private returning = false;
  /** Channels subscribed since the return began. */
  private readonly back = new Set<string>();
  /** Of those, the ones that delivered: their position is an event's again. */
  private readonly moved = new Set<string>();
  private ratio: number | null = null;
  private refusedMs: number | null = null;

  constructor(private readonly parts: PollingParts) {}

  /** Known once the book is begun; it survives a crash, being part of the position. */
  get mode(): Mode {
    if (this.parts.book.position?.polled === undefined) return 'events';
    return this.returning ? 'returning' : 'polling';
  }

  /** Should a channel begin with new events, since what was before is polled? */
  beginsAnew(channel: string): boolean {
    return this.mode !== 'events' && !this.moved.has(channel);
  }

  onSubscribed(channel: string): void {
    if (this.mode !== 'returning') return;
    this.back.add(channel);
    this.parts.nudge.now();
  }

  onEvents(channels: Iterable<string>): void {
    if (this.mode === 'returning') for (const channel of channels) this.moved.add(channel);
  }

  /** Salesforce refuses events because the allowance is used up. */
  onRefused(): void {
    this.refusedMs = Date.now();
    this.start('Salesforce delivers no more events');
  }

  /** Waits until events are wanted, or the end. */
  async untilEvents(): Promise<void> {
    while (this.mode === 'polling' && !this.parts.signal.aborted) await this.parts.nudge.wait(IDLE_MS);
  }

  private start(why: string): void {
    const { book, report, logger, objectsOf, pollMs, stopEvents, nudge } = this.parts;
    this.returning = false;
    if (book.position !== null && book.position.polled === undefined) {
      book.moved(startPolling(book.position, objectsOf, Date.now()));
      void book.orderCatchUps();
      logger.warn({ why, everyMs: pollMs }, 'polling for changes until events are to be had again');
    }
    stopEvents();
    report.mode('polling');
    report.onPolling(pollMs);
    nudge.now();
  }

  /** Watches the allowance until the end. */
  async watch(): Promise<void> {
    const { signal, nudge, timings, limits, metrics, logger, pollMs } = this.parts;
    while (!signal.aborted) {
      try {
        const allowance = (await limits.limits()).get(ALLOWANCE);
        this.ratio = allowance === undefined || allowance.max <= 0 ? null : allowance.remaining / allowance.max;
        if (this.ratio !== null) metrics.listenerAllowance.set(this.ratio);
      } catch (error) {
        if (!(error instanceof SyncError)) throw error;
        this.ratio = null;
        logger.info({ err: error }, 'the allowance of delivered events cannot be read');
      }
      this.decide();
      await nudge.wait(this.mode === 'events' ? timings.allowanceMs : Math.min(pollMs, timings.allowanceMs));
    }
  }

  private decide(): void {
    const { ratio, refusedMs, parts } = this;
    const { book, report, logger, timings, nudge } = parts;
    if (book.position === null) return;
    const polling = this.mode !== 'events';
    const allowed = eventsAllowed(polling, { ratio, refusedMs }, Date.now(), timings.patience);
    if (!polling && !allowed) this.start(`${Math.floor((ratio ?? 0) * 100)} % of the day's events are left`);
    if (this.mode !== 'polling' || !allowed) return;
    logger.info({ ratio }, 'the allowance is back: subscribing to events, polling until they flow');
    this.returning = true;
    this.back.clear();
    this.moved.clear();
    report.mode('returning');
    nudge.now();
  }

  /** Polls while that is the mode, until the end. */
  async run(): Promise<void> {
    const { signal, nudge, report, pollMs, book } = this.parts;
    while (!signal.aborted) {
      if (this.mode === 'events') {
        await nudge.wait(IDLE_MS);
        continue;
      }
      report.onPolling(pollMs);
      const last = this.allBack();
      const sinceMs = Date.now();
      const complete = await this.pollAll();
      // Invariant 1: events were subscribed before this poll began, so that what it did not see is delivered
      if (last && complete && this.allBack() && book.position !== null) this.finish(sinceMs);
      else await nudge.wait(pollMs);
    }
  }

  /** Is every channel that can be subscribed again? */
  private allBack(): boolean {
    const { objectsOf, report } = this.parts;
    const wanted = [...objectsOf.keys()].filter((channel) => !report.refused.has(channel));
    return this.mode === 'returning' && wanted.length > 0 && wanted.every((channel) => this.back.has(channel));
  }

  private finish(sinceMs: number): void {
    const { book, report, logger, nudge } = this.parts;
    if (book.position === null) return;
    book.moved(stopPolling(book.position, sinceMs, this.moved));
    this.returning = false;
    report.mode('events');
    report.onPollingOver();
    logger.info('events flow again: polling is over');
    nudge.now();
  }

  /** `true` when every object was polled to its end. */
  private async pollAll(): Promise<boolean> {
    const { book, poller, report, metrics, signal } = this.parts;
    let failure: string | null = null;
    for (const [object, sinceMs] of Object.entries(book.position?.polled ?? {})) {
      try {
        const newestMs = await poller.poll(object, sinceMs, signal);
        if (newestMs === null || book.position?.polled === undefined) return false;
        // Invariant 1: moved only when every change before is durable
        book.moved({ ...book.position, polled: { ...book.position.polled, [object]: newestMs } });
        metrics.listenerPositionTime.set(Math.max(...Object.values(book.position.polled)) / 1000);
      } catch (error) {
        if (signal.aborted) return false;
        if (!(error instanceof SyncError)) throw error;
        failure = `${object}: ${error.message}`;
      }
    }
    report.onPolled(failure);
    return failure === null;
  }
}
