import { z } from 'zod';

const channelPosition = z.object({
  /** Opaque; `null` while nothing was received since `commitTimestamp`. */
  replayId: z.string().max(200).nullable(),
  /** Newest commit that is durable downstream; before the first event, when the channel was first followed. Epoch milliseconds. */
  commitTimestamp: z.number().int().nonnegative(),
});
export type ChannelPosition = z.infer<typeof channelPosition>;

const position = z.object({
  /** A replay id of one transport means nothing to another. */
  transport: z.string(),
  /** Nor does one of another org, or of this one after a sandbox refresh. */
  organizationId: z.string(),
  channels: z.record(z.string(), channelPosition),
});
/** Where the listener stands: the cursor of its lease. */
export type Position = z.infer<typeof position>;

/** Ours and Salesforce's clocks, and a transaction that commits late, are within this. Milliseconds. Source: facts/salesforce.md §7.3. */
export const OVERLAP_MS = 10 * 60_000;

/** The cursor as text, at most 4 kB for some 25 channels. */
export function encodePosition(value: Position): string {
  return JSON.stringify(value);
}

/** Input: a stored cursor. `null` when it cannot be read. */
export function decodePosition(text: string): Position | null {
  try {
    return position.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Why a listener cannot go on from a stored cursor. */
export type Restart = 'first-start' | 'unreadable' | 'other-org' | 'other-transport';

export interface Resumed {
  readonly position: Position;
  /** Channels that are followed from now: without a stored position. */
  readonly fresh: readonly string[];
  /** Why nothing stored could be used; `null` when it could. */
  readonly restart: Restart | null;
}

/**
 * Where to go on, from the stored cursor. Channels that are no longer followed are dropped, new ones begin now.
 */
export function resume(
  stored: string | null,
  now: {
    readonly transport: string;
    readonly organizationId: string;
    readonly channels: readonly string[];
    readonly nowMs: number;
  },
): Resumed {
  const { transport, organizationId, nowMs } = now;
  const decoded = stored === null ? null : decodePosition(stored);
  let restart: Restart | null = null;
  if (stored === null) restart = 'first-start';
  else if (decoded === null) restart = 'unreadable';
  else if (decoded.organizationId !== organizationId) restart = 'other-org';
  else if (decoded.transport !== transport) restart = 'other-transport';
  const known = restart === null ? (decoded?.channels ?? {}) : {};
  const fresh = now.channels.filter((channel) => known[channel] === undefined);
  const channels = Object.fromEntries(
    now.channels.map((channel) => [channel, known[channel] ?? { replayId: null, commitTimestamp: nowMs }]),
  );
  return { position: { transport, organizationId, channels }, fresh, restart };
}

/** An event that is durable downstream. */
export interface Passed {
  readonly channel: string;
  readonly replayId: string | null;
  readonly commitTimestamp: number | null;
}

/** The position behind these events. An event without a replay id, or of a channel that is not followed, does not move it. */
export function advance(from: Position, passed: readonly Passed[]): Position {
  const channels = { ...from.channels };
  for (const { channel, replayId, commitTimestamp } of passed) {
    const before = channels[channel];
    if (before === undefined || replayId === null) continue;
    channels[channel] = { replayId, commitTimestamp: Math.max(before.commitTimestamp, commitTimestamp ?? 0) };
  }
  return { ...from, channels };
}

/** The position when Salesforce refuses a channel's replay id: what is left to go by is the time. */
export function forgetReplayId(from: Position, channel: string): Position {
  const before = from.channels[channel];
  if (before === undefined) return from;
  return { ...from, channels: { ...from.channels, [channel]: { ...before, replayId: null } } };
}

/**
 * Was an event durable before a channel's events of the last days were asked for once more, for want of a replay id?
 * `sinceMs`: commit time up to which all is durable. Epoch milliseconds.
 */
export function isPast(sinceMs: number | undefined, commitTimestamp: number | null): boolean {
  return sinceMs !== undefined && commitTimestamp !== null && commitTimestamp < sinceMs - OVERLAP_MS;
}
