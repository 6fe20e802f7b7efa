import { backoffMs, RateLimiter, type BulkVerdict } from '@libs/iterable';
import type { Health, Logger, Metrics } from '@libs/observability';
import { explainPause } from './answers.js';
import { circuitAfterFailure, circuitWaitMs, closedCircuit, type Circuit } from './core/circuit.js';
import { pause } from './pause.js';

/** Backoff where Iterable does not say how long to wait. Milliseconds. */
const BACKOFF = { firstMs: 500, maxMs: 30_000 };
const CHECK = 'iterable';
/** Between looks at the heartbeat when it is too old. Milliseconds. */
const HEARTBEAT_LOOK_MS = 100;
/** Between looks while a request goes before. Milliseconds. */
const BEHIND_LOOK_MS = 20;

export interface GateParts {
  /** May the partitions be another's by now? Then nothing leaves: its successor's does (design.md §4). */
  cutOff(): boolean;
  readonly health: Health;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** What lets requests out: the project's rate limit, and the pause while Iterable is out or refuses us (Invariant 7). */
export class Gate {
  private circuit: Circuit = closedCircuit;
  private limitedInARow = 0;
  /** Requests in {@link turn}. */
  private ahead = 0;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly parts: GateParts,
  ) {
    parts.health.set(CHECK, true);
    this.showPace();
  }

  get paused(): boolean {
    return this.circuit.pause !== null;
  }

  get cutOff(): boolean {
    return this.parts.cutOff();
  }

  /** How long until a request may leave; `null`: only after the one in flight has its answer. Milliseconds. */
  waitMs(nowMs: number, inFlight: number): number | null {
    const waitMs = this.openInMs(nowMs, inFlight);
    return waitMs === null || this.ahead === 0 ? waitMs : Math.max(waitMs, BEHIND_LOOK_MS);
  }

  /**
   * Resolves when a single request may leave, and counts it. It goes before all that ask {@link waitMs}: while a full load is in hand
   * these are always the first to see a token. Rejects with the signal's reason on an abort.
   */
  async turn(signal: AbortSignal): Promise<void> {
    this.ahead += 1;
    try {
      for (;;) {
        const waitMs = this.openInMs(Date.now(), 0) ?? 0;
        if (waitMs <= 0) break;
        await pause(waitMs, signal);
      }
      this.take();
    } finally {
      this.ahead -= 1;
    }
  }

  private openInMs(nowMs: number, inFlight: number): number | null {
    if (this.cutOff) return HEARTBEAT_LOOK_MS;
    const paused = circuitWaitMs(this.circuit, nowMs, inFlight);
    return paused === null ? null : Math.max(paused, this.limiter.waitMs());
  }

  /** A request leaves. */
  take(): void {
    this.limiter.take();
  }

  /** Nothing leaves for so long. Milliseconds. */
  holdFor(ms: number): void {
    this.limiter.holdFor(ms);
  }

  /** Iterable dealt with a request. */
  answered(): void {
    this.limiter.speedUp();
    this.showPace();
    if (this.paused) {
      this.parts.logger.info({ code: this.circuit.pause?.code }, 'Iterable answers again: writing goes on');
      this.parts.metrics.writerPaused.set(0);
    }
    this.circuit = closedCircuit;
    this.limitedInARow = 0;
    this.parts.health.set(CHECK, true);
  }

  /**
   * A request got no usable answer. Returns how long that request should wait by itself, milliseconds; `null`: no longer than
   * the gate holds everyone. `attempt`: its failures before this one.
   */
  failed(verdict: Extract<BulkVerdict, { kind: 'retry' | 'refused' }>, attempt: number, nowMs: number): number | null {
    if (verdict.kind === 'retry' && verdict.code === 'iterable.rate_limited') {
      this.limiter.holdFor(verdict.retryAfterMs ?? backoffMs(this.limitedInARow, Math.random(), BACKOFF));
      this.limiter.slowDown();
      this.limitedInARow += 1;
      this.showPace();
      return null;
    }
    const wasPaused = this.paused;
    this.circuit = circuitAfterFailure(this.circuit, {
      code: verdict.code,
      refused: verdict.kind === 'refused',
      nowMs,
      random: Math.random(),
    });
    if (this.paused) this.showPause(wasPaused);
    return verdict.kind === 'refused' ? null : (verdict.retryAfterMs ?? backoffMs(attempt, Math.random(), BACKOFF));
  }

  private showPause(wasPaused: boolean): void {
    const { pause: current } = this.circuit;
    if (current === null) return;
    const { health, logger, metrics } = this.parts;
    const since = new Date(current.sinceMs).toISOString();
    health.set(CHECK, false, `${explainPause(current.code)} Paused since ${since}; probing, and going on by itself.`);
    metrics.writerPaused.set(1);
    if (!wasPaused) logger.error({ code: current.code }, 'writing is paused');
  }

  private showPace(): void {
    this.parts.metrics.writerPace.set(this.limiter.rate);
  }
}
