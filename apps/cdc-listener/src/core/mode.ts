/** How changes are captured: by events; by polling; or by both, until events are known to flow again. */
export type Mode = 'events' | 'polling' | 'returning';

/** Below this share of the day's delivered events polling begins: what is left is for the org's other subscribers. */
export const NEAR_RATIO = 0.05;
/** Above this share events are followed again: well apart from {@link NEAR_RATIO}, so that it does not go to and fro. */
export const BACK_RATIO = 0.1;

/** How long events are left alone after a refusal. Milliseconds. */
export interface Patience {
  /** The org's own count may be minutes old: it is not believed before this. */
  readonly refusedMs: number;
  /** Without a count events are tried again after this; the allowance rolls over 24 h. */
  readonly blindMs: number;
}
export const PATIENCE: Patience = { refusedMs: 5 * 60_000, blindMs: 15 * 60_000 };

/** What is known of the allowance of delivered events. */
export interface AllowanceState {
  /** Share that is left; `null`: the org does not tell. */
  readonly ratio: number | null;
  /** When Salesforce last refused events because of it. Epoch milliseconds. */
  readonly refusedMs: number | null;
}

/** Should changes be captured by events? `polling`: are they not, now? */
export function eventsAllowed(
  polling: boolean,
  { ratio, refusedMs }: AllowanceState,
  nowMs: number,
  patience = PATIENCE,
): boolean {
  if (!polling) return ratio === null || ratio > NEAR_RATIO;
  const sinceRefused = refusedMs === null ? Infinity : nowMs - refusedMs;
  if (ratio === null) return sinceRefused >= patience.blindMs;
  return sinceRefused >= patience.refusedMs && ratio >= BACK_RATIO;
}
