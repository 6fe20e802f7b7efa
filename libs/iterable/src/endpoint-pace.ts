import { backoffMs, retryAfterMs } from './backoff.js';
import { isCallError, type IterableCallError } from './errors.js';
import type { HttpAnswer } from './http.js';
import { RateLimiter } from './rate-limiter.js';
import { parseObject } from './world.js';

/**
 * Requests a second by endpoint, per project; of merge per API key. The limiter uses 97 % of them. Source: Iterable API docs;
 * no rate is published for updateEmail and the two calls about subscriptions: 50 is our choice, that of merge.
 */
export const endpointRates = {
  'users/updateEmail': 50,
  'users/merge': 50,
  'users/delete': 100,
  'users/forget': 3,
  'users/unforget': 3,
  'users/get': 100,
  'users/getFields': 3,
  channels: 100,
  messageTypes: 100,
  'subscriptions/group': 50,
  'users/bulkUpdateSubscriptions': 50,
} as const satisfies Record<string, number>;
export type PacedEndpoint = keyof typeof endpointRates;

/** Backoff where a 429 does not say how long to wait. Milliseconds. */
const BACKOFF = { firstMs: 500, maxMs: 30_000 };

export interface EndpointPaceOptions {
  /** A clock that never goes back. Milliseconds. */
  readonly clock?: () => number;
  /** In [0, 1). */
  readonly random?: () => number;
}

/**
 * The pace of one project, endpoint by endpoint: make one and share it, or two of them take twice the allowance. Calls leave in
 * the order they were asked for; a 429 holds its own endpoint only.
 */
export class EndpointPace {
  /** Milliseconds, never back. */
  readonly now: () => number;
  private readonly random: () => number;
  private readonly lanes = new Map<PacedEndpoint, Lane>();

  constructor({ clock = () => performance.now(), random = Math.random }: EndpointPaceOptions = {}) {
    this.now = clock;
    this.random = random;
  }

  /** Resolves when a call may leave, and counts it. Rejects with the signal's reason on an abort. */
  turn(endpoint: PacedEndpoint, signal: AbortSignal): Promise<void> {
    return this.lane(endpoint).turn(signal);
  }

  /** What the answer to that call was: a 429 holds the endpoint as long as it says. */
  heard(endpoint: PacedEndpoint, answer: HttpAnswer | IterableCallError): void {
    if (!(answer instanceof Error)) this.lane(endpoint).heard(answer);
  }

  /**
   * Makes a call when its turn has come. Resolves with the answer, or with the error that stands for none; rejects with the
   * signal's reason on an abort (also while waiting: nothing is sent then), and with what is not about the network.
   */
  async call(
    endpoint: PacedEndpoint,
    make: () => Promise<HttpAnswer>,
    signal: AbortSignal,
  ): Promise<HttpAnswer | IterableCallError> {
    await this.turn(endpoint, signal);
    const answer = await answerOf(make);
    this.heard(endpoint, answer);
    return answer;
  }

  private lane(endpoint: PacedEndpoint): Lane {
    const known = this.lanes.get(endpoint);
    if (known !== undefined) return known;
    const lane = new Lane(new RateLimiter(endpointRates[endpoint], this.now), this.random);
    this.lanes.set(endpoint, lane);
    return lane;
  }
}

/** The answer, or the error that stands for none. Errors: what is not about the network, an abort among it. */
export async function answerOf(make: () => Promise<HttpAnswer>): Promise<HttpAnswer | IterableCallError> {
  try {
    return await make();
  } catch (error) {
    if (isCallError(error)) return error;
    throw error;
  }
}

/** Those who wait for one endpoint, first come first served. */
class Lane {
  private readonly waiting: Array<() => void> = [];
  private timer: NodeJS.Timeout | null = null;
  private limitedInARow = 0;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly random: () => number,
  ) {}

  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.waiting.splice(this.waiting.indexOf(go), 1);
        if (this.waiting.length === 0) this.stopTimer(); // a hold of minutes must not keep the process alive
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.waiting.push(go);
      this.advance();
    });
  }

  heard(answer: HttpAnswer): void {
    if (answer.status !== 429) {
      this.limitedInARow = 0;
      this.limiter.speedUp();
      return;
    }
    const hintMs = retryAfterMs(answer, parseObject(answer.text)?.['params']);
    this.limiter.holdFor(hintMs ?? backoffMs(this.limitedInARow, this.random(), BACKOFF));
    this.limiter.slowDown();
    this.limitedInARow += 1;
  }

  private advance(): void {
    if (this.timer !== null) return; // those before have not left yet
    while (this.waiting.length > 0 && this.limiter.take()) this.waiting.shift()?.();
    if (this.waiting.length === 0) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      this.advance();
    }, this.limiter.waitMs());
  }

  private stopTimer(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }
}
