import type { Outcome } from '@libs/contracts';
import type { Response } from 'express';
import type { ConsoleModel } from './console.model.js';
import type { EventData, EventType } from './core/answers.js';

/** How often the overview is sent, and outcomes are bundled. Milliseconds. */
const OVERVIEW_MS = 1_000;
const OUTCOMES_MS = 250;
/** A line of traffic at least so often, so that proxies keep the connection. Milliseconds. */
const PING_MS = 15_000;
/** Most outcomes in one event; the rest is counted as omitted. */
const MOST_OUTCOMES = 200;

/**
 * One client of `GET /api/events`. Bounded whatever the client does (invariant 5): while it does not read, overviews are skipped
 * and outcomes are counted as omitted; a status message it cannot take ends the stream, so that it connects again and reads the state.
 */
export class EventStream {
  private readonly endings: Array<() => void> = [];
  private outcomes: Outcome[] = [];
  private omitted = 0;

  constructor(
    private readonly response: Response,
    private readonly model: ConsoleModel,
    types: readonly EventType[],
  ) {
    response
      .status(200)
      .set({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    response.flushHeaders();
    response.once('close', () => this.end());
    const wanted = new Set(types);
    this.every(PING_MS, () => this.send('ping', { time: Date.now() }));
    if (wanted.has('overview')) {
      this.overview();
      this.every(OVERVIEW_MS, () => this.overview());
    }
    if (wanted.has('outcomes')) this.every(OUTCOMES_MS, () => this.flushOutcomes());
    this.endings.push(
      model.subscribe({
        onStatus: (status) => {
          if (wanted.has('status') && !this.send('status', status)) this.end();
        },
        onOutcomes: (outcomes) => {
          if (wanted.has('outcomes')) this.keep(outcomes);
        },
      }),
    );
  }

  /** Ends the stream. Idempotent. */
  end(): void {
    for (const ending of this.endings.splice(0)) ending();
    if (!this.response.writableEnded) this.response.end();
  }

  private every(ms: number, action: () => void): void {
    const timer = setInterval(action, ms);
    this.endings.push(() => clearInterval(timer));
  }

  private overview(): void {
    this.send('overview', { health: this.model.health(), backfills: this.model.backfills() });
  }

  private keep(outcomes: readonly Outcome[]): void {
    const room = Math.max(0, MOST_OUTCOMES - this.outcomes.length);
    this.outcomes.push(...outcomes.slice(0, room));
    this.omitted += Math.max(0, outcomes.length - room);
  }

  private flushOutcomes(): void {
    if (this.outcomes.length === 0 || !this.send('outcomes', { items: this.outcomes, omitted: this.omitted })) return;
    this.outcomes = [];
    this.omitted = 0;
  }

  /** `false`: the client does not read, nothing was sent. */
  private send<T extends EventType>(type: T, data: EventData[T]): boolean {
    if (this.response.writableNeedDrain || this.response.writableEnded) return false;
    this.response.write(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
    return true;
  }
}
