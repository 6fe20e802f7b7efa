import { PATIENCE, type Patience } from './core/mode.js';
import { SILENCE_TIMINGS, type SilenceTimings } from './core/silence.js';
import { SPACING_MS } from './hole-opener.js';

/** How often things are looked at. Milliseconds. */
export interface Timings {
  /** Health, catch-ups that are due, quiet channels. */
  readonly tickMs: number;
  /** Shortest time between two catch-ups of one object. */
  readonly spacingMs: number;
  /** The org's count of delivered events. */
  readonly allowanceMs: number;
  readonly patience: Patience;
  readonly silence: SilenceTimings;
}

export const TIMINGS: Timings = {
  tickMs: 1_000,
  spacingMs: SPACING_MS,
  allowanceMs: 2 * 60_000,
  patience: PATIENCE,
  silence: SILENCE_TIMINGS,
};
