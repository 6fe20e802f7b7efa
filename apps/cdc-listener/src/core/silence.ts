/** When a quiet channel is doubted. Milliseconds. */
export interface SilenceTimings {
  /** Without an event for this long a channel is looked at. */
  readonly quietMs: number;
  /** Time between two looks. */
  readonly lookMs: number;
  /** How long a change may be on its way from the row to the event, before its channel is held to be dead. */
  readonly confirmMs: number;
  /** Longest time between two looks at a channel that was found dead again and again. */
  readonly mostMs: number;
}

/** With these a dead channel is found at most 90 s after the first change that it does not deliver, once it is quiet. */
export const SILENCE_TIMINGS: SilenceTimings = {
  quietMs: 60_000,
  lookMs: 60_000,
  confirmMs: 30_000,
  mostMs: 10 * 60_000,
};

/** What is known of one channel. Times are epoch milliseconds by our clock, stamps by Salesforce's. */
export interface Quiet {
  readonly nextLookMs: number;
  /** A change was seen that was not delivered yet. */
  readonly doubted: boolean;
  /** Changes up to this stamp were caught up otherwise: no event of theirs is waited for. */
  readonly excusedStamp: number;
  /** How often it was found dead since the last event. */
  readonly dead: number;
}

/** A channel that is delivering, or just begins to. */
export function delivering(nowMs: number, timings: SilenceTimings, before?: Quiet): Quiet {
  const excusedStamp = before?.excusedStamp ?? 0;
  return { nextLookMs: nowMs + timings.quietMs, doubted: false, excusedStamp, dead: 0 };
}

export type Look = 'alive' | 'doubted' | 'dead';

/**
 * What a look at a quiet channel tells. `newestStamp`: the newest SystemModstamp of its objects, `null` without rows;
 * `seenStamp`: the newest commit that it delivered. A row is stamped before its transaction is committed, so a stamp behind
 * every delivered commit is a change that was not delivered: on its way at the first look, lost at the second.
 */
export function judge(
  quiet: Quiet,
  { newestStamp, seenStamp }: { readonly newestStamp: number | null; readonly seenStamp: number },
  nowMs: number,
  timings: SilenceTimings,
): { readonly look: Look; readonly quiet: Quiet } {
  if (newestStamp === null || newestStamp <= Math.max(seenStamp, quiet.excusedStamp)) {
    return { look: 'alive', quiet: { ...quiet, doubted: false, nextLookMs: nowMs + timings.lookMs } };
  }
  if (!quiet.doubted) {
    return { look: 'doubted', quiet: { ...quiet, doubted: true, nextLookMs: nowMs + timings.confirmMs } };
  }
  const wait = Math.min(timings.mostMs, timings.lookMs * 2 ** quiet.dead);
  const next = { nextLookMs: nowMs + wait, doubted: false, excusedStamp: newestStamp };
  return { look: 'dead', quiet: { ...next, dead: quiet.dead + 1 } };
}
