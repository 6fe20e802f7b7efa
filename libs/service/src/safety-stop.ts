import { lanes, type Lane } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { Health, Logger, Metrics } from '@libs/observability';
import {
  deadOf,
  EMPTY_WINDOW,
  isTooMuch,
  noted,
  sum,
  topCode,
  type DeathWindow,
  type Endings,
} from './death-window.js';
import { describeStop, type Stopped, type StoppingStage } from './describe-stop.js';
import { followContinue } from './follow-continue.js';

/** Name of the health check. */
export const DEAD_LETTERS_CHECK = 'dead-letters';

export interface SafetyStopParts {
  readonly log: Pick<EventLog, 'read' | 'offsets'>;
  readonly health: Pick<Health, 'set' | 'warn' | 'fail'>;
  readonly metrics: Pick<Metrics, 'safetyStop'>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly stage: StoppingStage;
}

/** The settings DEAD_LETTER_STOP_*. */
export interface SafetyStopOptions {
  /** Share of dead letters above which a lane is stopped; 100: never. */
  readonly percent: number;
  readonly windowMs: number;
}

/**
 * Watches what share of each lane ends as dead letters, and says stop when a wrong mapping is likelier than wrong records. Only
 * says it: not to read and not to dead-letter is the business of who asks. The other lane is not touched.
 *
 * In memory: a restart begins a new window, and may let a few more become dead letters before it stops again. Only the command
 * that turned it off outlives the process: it is in the log.
 */
export class SafetyStop {
  private readonly windows = new Map<Lane, DeathWindow>();
  private readonly stops = new Map<Lane, Stopped>();
  private readonly listeners: Array<() => void> = [];
  private readonly closing = new AbortController();
  /** Until then a command keeps it off; `null`: it is on. Epoch milliseconds. */
  private offUntilMs: number | null = null;
  private onAgain: NodeJS.Timeout | undefined;
  private following: Promise<void> = Promise.resolve();

  constructor(
    private readonly parts: SafetyStopParts,
    private readonly options: SafetyStopOptions,
  ) {
    const { metrics, stage } = parts;
    for (const lane of lanes) metrics.safetyStop.set({ stage, lane }, 0);
  }

  /** Obeys `dead-letters.continue` until {@link close}, and one of before whose time is not over. */
  start(): void {
    const obey = (untilMs: number) => this.continueUntil(untilMs);
    this.following = followContinue(this.parts, obey, this.closing.signal).catch((error: unknown) =>
      this.parts.health.fail(error),
    );
  }

  async close(): Promise<void> {
    this.closing.abort();
    clearTimeout(this.onAgain);
    await this.following;
  }

  /** Counts endings that are durable, and stops the lane if they are too much. */
  note(lane: Lane, endings: Endings): void {
    if (this.offUntilMs !== null) return;
    const { windowMs } = this.options;
    const window = noted(this.windowOf(lane), endings, Date.now(), windowMs);
    this.windows.set(lane, window);
    if (deadOf(endings) > 0 && isTooMuch(sum(window), this.options.percent)) this.stop(lane, sum(window), false);
  }

  /** Would {@link note} stop the lane, or is it stopped already and something of this is dead? Changes nothing. */
  wouldTrip(lane: Lane, endings: Endings): boolean {
    if (this.offUntilMs !== null || deadOf(endings) === 0) return false;
    return this.stopped(lane) || isTooMuch(this.with(lane, endings), this.options.percent);
  }

  /**
   * Stops the lane instead of letting these endings happen, if they are too much.
   * Output: `true`: they must not happen as long as the lane is {@link stopped}. They are not counted.
   */
  holdBack(lane: Lane, endings: Endings): boolean {
    const isHeld = this.wouldTrip(lane, endings);
    if (isHeld) this.stop(lane, this.with(lane, endings), true);
    return isHeld;
  }

  stopped(lane: Lane): boolean {
    return this.stops.has(lane);
  }

  /** Calls back when lanes that were stopped may go on: by the command, or by {@link restart}. */
  onContinue(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** What was counted says nothing about what comes: there is another mapping, or another instance reads on. Windows are empty, nothing is stopped. */
  restart(): void {
    this.windows.clear();
    this.goOn();
  }

  private continueUntil(untilMs: number): void {
    const until = new Date(untilMs);
    this.offUntilMs = untilMs;
    this.parts.logger.warn({ until }, 'the safety stop is off by command: dead letters are written again');
    clearTimeout(this.onAgain);
    this.onAgain = setTimeout(() => this.turnOn(), untilMs - Date.now());
    this.windows.clear();
    this.goOn();
  }

  private turnOn(): void {
    this.offUntilMs = null;
    this.parts.logger.info('the safety stop is on again');
    this.tell();
  }

  private windowOf(lane: Lane): DeathWindow {
    return this.windows.get(lane) ?? EMPTY_WINDOW;
  }

  private with(lane: Lane, endings: Endings): Endings {
    return sum(noted(this.windowOf(lane), endings, Date.now(), this.options.windowMs));
  }

  private stop(lane: Lane, endings: Endings, heldBack: boolean): void {
    if (this.stops.has(lane)) return;
    const { stage, logger } = this.parts;
    const { windowMs } = this.options;
    const stopped = { stage, lane, endings, heldBack, sinceMs: Date.now(), windowMs };
    this.stops.set(lane, stopped);
    const [dead, ended, code] = [deadOf(endings), endings.ended, topCode(endings)];
    logger.error({ stage, lane, dead, ended, code }, `safety stop: ${describeStop(stopped)}`);
    this.tell();
  }

  private goOn(): void {
    const { logger, stage } = this.parts;
    const stoppedLanes = [...this.stops.keys()];
    this.stops.clear();
    this.tell();
    if (stoppedLanes.length === 0) return;
    logger.info({ stage, lanes: stoppedLanes }, 'reading goes on after a safety stop');
    for (const listener of this.listeners) listener();
  }

  private tell(): void {
    const { health, metrics, stage } = this.parts;
    for (const lane of lanes) metrics.safetyStop.set({ stage, lane }, this.stops.has(lane) ? 1 : 0);
    if (this.stops.size > 0) {
      health.set(DEAD_LETTERS_CHECK, false, [...this.stops.values()].map(describeStop).join('\n'));
    } else if (this.offUntilMs === null) {
      health.set(DEAD_LETTERS_CHECK, true);
    } else {
      const until = new Date(this.offUntilMs).toISOString();
      health.warn(DEAD_LETTERS_CHECK, `the safety stop is off until ${until}, by the command dead-letters.continue`);
    }
  }
}
