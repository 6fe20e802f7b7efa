/** What the listener knows of its subscription. Times are epoch milliseconds. */
export interface SubscriptionState {
  /** Does this instance hold the lease? */
  readonly active: boolean;
  readonly channels: readonly string[];
  readonly subscribed: ReadonlySet<string>;
  /** Refused channels and why. */
  readonly refused: ReadonlyMap<string, string>;
  /** Since when there is no working stream; `null` while there is one. */
  readonly downSince: number | null;
  /** Why, and what happens next. */
  readonly failure: string | null;
  /** When Salesforce last answered. */
  readonly answeredAt: number | null;
  /** Longest time without an answer while all is well; it depends on the transport. Milliseconds. */
  readonly quietMs: number;
  /** Since when the log does not take changes; `null` while it does. */
  readonly stalledSince: number | null;
  /** Holes seen since the start of this process, in words. */
  readonly holes: readonly string[];
}

/** A new client is a daily matter and takes a second or two: only after this long is it worth a person's time. Milliseconds. */
const GRACE_MS = 30_000;
/** The log is tried again and again; past this it is not a blip. Milliseconds. */
const STALL_MS = 10_000;
/** The watchdog of the stream acts first. Milliseconds. */
const QUIET_GRACE_MS = 25_000;

/** Whether changes flow, and in words: the service's readiness. */
export function subscriptionCheck(
  state: SubscriptionState,
  now: number,
): { readonly ok: boolean; readonly detail: string } {
  if (!state.active) return { ok: true, detail: 'standing by: another instance listens' };
  const seconds = (since: number) => `${Math.round((now - since) / 1000)} s`;
  const troubles: string[] = [];
  if (state.stalledSince !== null && now - state.stalledSince >= STALL_MS) {
    troubles.push(`the event log has not taken changes for ${seconds(state.stalledSince)}`);
  }
  const worked = state.answeredAt !== null;
  if (state.downSince !== null && (!worked || now - state.downSince >= GRACE_MS)) {
    troubles.push(`no subscription for ${seconds(state.downSince)}: ${state.failure ?? 'connecting'}`);
  } else if (state.answeredAt !== null && now - state.answeredAt >= state.quietMs + QUIET_GRACE_MS) {
    troubles.push(`no answer from Salesforce for ${seconds(state.answeredAt)}`);
  }
  for (const [channel, why] of state.refused) troubles.push(`${channel} is refused: ${why}`);
  const missing = state.holes.length === 0 ? [] : [`changes may be missing, run a backfill: ${state.holes.join('; ')}`];
  const good = `subscribed to ${[...state.subscribed].join(', ')}`;
  return troubles.length === 0
    ? { ok: true, detail: [good, ...missing].join('. ') }
    : { ok: false, detail: [...troubles, ...missing].join('. ') };
}
