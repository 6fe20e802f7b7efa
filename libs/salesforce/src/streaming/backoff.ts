import type { StreamFailure } from './change-stream.js';

interface Pace {
  /** Wait before the first new client. */
  readonly firstMs: number;
  /** Wait before the second; doubles from there. */
  readonly baseMs: number;
  readonly maxMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const brisk: Pace = { firstMs: 0, baseMs: SECOND, maxMs: MINUTE };
const steady: Pace = { firstMs: SECOND, baseMs: 2 * SECOND, maxMs: MINUTE };
const patient: Pace = { firstMs: MINUTE, baseMs: 2 * MINUTE, maxMs: 10 * MINUTE };

/**
 * How eagerly a new client is made. A forgotten client must be back soon (events wait 72 h, people do not); a busy server and a
 * used-up allowance only get worse by knocking. Source: facts/salesforce.md §1.3, §1.10.
 */
const PACES: Readonly<Record<StreamFailure, Pace>> = {
  'unknown-client': brisk,
  overflow: brisk,
  silent: brisk,
  session: brisk,
  transport: brisk,
  malformed: steady,
  unknown: steady,
  busy: patient,
  access: patient,
  limit: { firstMs: 5 * MINUTE, baseMs: 5 * MINUTE, maxMs: 15 * MINUTE },
};

/**
 * Wait before the next client. `attempt` counts from 1 the failures in a row without a stream that worked; `random` in [0, 1)
 * spreads the wait over its upper half, so that instances do not knock together. Milliseconds.
 */
export function backoffMs(failure: StreamFailure, attempt: number, random: number): number {
  const { firstMs, baseMs, maxMs } = PACES[failure];
  const wait = attempt <= 1 ? firstMs : Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 2, 20));
  return Math.round(wait * (0.5 + 0.5 * random));
}
