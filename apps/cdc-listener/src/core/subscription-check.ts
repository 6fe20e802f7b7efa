/** What the listener knows of its subscription. Times are epoch milliseconds. */
export interface SubscriptionState {
  readonly subscribed: ReadonlySet<string>;
  /** Refused channels and why. */
  readonly refused: ReadonlyMap<string, string>;
  /** Channels that are subscribed and do not deliver changes that exist. */
  readonly silent: ReadonlySet<string>;
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
  /** Polling in place of events; `null`: not so. */
  readonly polling: PollingState | null;
  /** Holes whose catch-up is not complete. */
  readonly holes: ReadonlyArray<{
    readonly object: string;
    readonly reason: string;
    readonly fromMs: number;
    readonly stuck: string | null;
  }>;
}

export interface PollingState {
  readonly everyMs: number;
  /** When a poll of every object last succeeded; before the first, when polling began. */
  readonly lastMs: number;
  readonly failure: string | null;
}

/** A new client is a daily matter and takes a second or two: only after this long is it worth a person's time. Milliseconds. */
const GRACE_MS = 30_000;
/** The log is tried again and again; past this it is not a blip. Milliseconds. */
const STALL_MS = 10_000;
/** The watchdog of the stream acts first. Milliseconds. */
const QUIET_GRACE_MS = 25_000;
/** Polls may fail and be late this many times before it is worth a person's time. */
const MISSED_POLLS = 3;
/** Most holes named one by one. */
const MAX_NAMED = 5;

/** Whether changes flow, and in words: the service's readiness. */
export function subscriptionCheck(
  state: SubscriptionState,
  now: number,
): { readonly ok: boolean; readonly detail: string } {
  const troubles = [
    ...logTroubles(state, now),
    ...(state.polling === null ? streamTroubles(state, now) : pollTroubles(state.polling, now)),
  ];
  const said = troubles.length === 0 ? [howItGoes(state)] : troubles;
  return { ok: troubles.length === 0, detail: [...said, ...inWords(state.holes)].join('. ') };
}

function howItGoes({ polling, subscribed }: SubscriptionState): string {
  if (polling !== null)
    return `polling every ${polling.everyMs / 1000} s: the allowance of delivered events is used up`;
  return subscribed.size === 0 ? 'making a new client' : `subscribed to ${[...subscribed].join(', ')}`;
}

function seconds(since: number, now: number): string {
  return `${Math.round((now - since) / 1000)} s`;
}

function logTroubles({ stalledSince }: SubscriptionState, now: number): string[] {
  if (stalledSince === null || now - stalledSince < STALL_MS) return [];
  return [`the event log has not taken changes for ${seconds(stalledSince, now)}`];
}

function streamTroubles(state: SubscriptionState, now: number): string[] {
  const troubles: string[] = [];
  const { downSince, answeredAt } = state;
  if (downSince !== null && (answeredAt === null || now - downSince >= GRACE_MS)) {
    troubles.push(`no subscription for ${seconds(downSince, now)}: ${state.failure ?? 'connecting'}`);
  } else if (answeredAt !== null && now - answeredAt >= state.quietMs + QUIET_GRACE_MS) {
    troubles.push(`no answer from Salesforce for ${seconds(answeredAt, now)}`);
  }
  for (const [channel, why] of state.refused) troubles.push(`${channel} is refused: ${why}`);
  for (const channel of state.silent) {
    troubles.push(`${channel} does not deliver changes that exist: a catch-up is ordered and a new client made`);
  }
  return troubles;
}

function pollTroubles({ everyMs, lastMs, failure }: PollingState, now: number): string[] {
  if (now - lastMs < Math.max(GRACE_MS, everyMs * MISSED_POLLS)) return [];
  return [`no poll has succeeded for ${seconds(lastMs, now)}: ${failure ?? 'still reading'}`];
}

function inWords(holes: SubscriptionState['holes']): string[] {
  if (holes.length === 0) return [];
  const named = holes.slice(0, MAX_NAMED).map(({ object, reason, fromMs, stuck }) => {
    const since = `${object} since ${new Date(fromMs).toISOString()} (${reason})`;
    return stuck === null ? since : `${since}, given up: ${stuck}`;
  });
  const more = holes.length > MAX_NAMED ? ` and ${holes.length - MAX_NAMED} more` : '';
  return [`catching up changes that may be missing: ${named.join('; ')}${more}`];
}
