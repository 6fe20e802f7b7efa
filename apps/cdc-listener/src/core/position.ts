import { holeReasons, recordType, type Hole } from '@libs/contracts';
import { z } from 'zod';
import { holesOf, merge, OVERLAP_MS, type Happening, type PendingHole } from './holes.js';

const epochMs = z.number().int().nonnegative();

const channelPosition = z.object({
  /** Opaque; `null` while nothing was received since `commitTimestamp`. */
  replayId: z.string().max(200).nullable(),
  /** Newest commit that is durable downstream; before the first event, when the channel was first followed. Epoch milliseconds. */
  commitTimestamp: epochMs,
  /**
   * Why events of after `commitTimestamp` are not to be had from Salesforce any more. The channel then goes on with new
   * events; once it is subscribed, the stretch up to there is a hole.
   */
  gap: z.enum(holeReasons).optional(),
});
export type ChannelPosition = z.infer<typeof channelPosition>;

const position = z.object({
  /** A replay id of one transport means nothing to another. */
  transport: z.string(),
  /** Nor does one of another org, or of this one after a sandbox refresh. */
  organizationId: z.string(),
  channels: z.record(z.string(), channelPosition),
  /** Holes whose catch-up is not ordered yet. */
  holes: z
    .array(z.object({ object: recordType, reason: z.enum(holeReasons), fromMs: epochMs, toMs: epochMs }))
    .optional(),
  /** Present while changes are polled for, instead of waiting for events: up to which SystemModstamp each object is durable. Epoch milliseconds. */
  polled: z.record(recordType, epochMs).optional(),
});
/** Where the listener stands: the cursor of its lease. */
export type Position = z.infer<typeof position>;

/** How long Salesforce keeps events. Milliseconds. Source: facts/salesforce.md §1.9. */
export const RETENTION_MS = 72 * 3_600_000;

/** The cursor as text, at most 4 kB for some 20 channels. */
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
export type Restart = 'first-start' | 'lost' | 'unreadable' | 'other-org' | 'other-transport';

export interface Resumed {
  readonly position: Position;
  /** Channels that are followed from now, without a hole: nothing of theirs was ever followed. */
  readonly fresh: readonly string[];
  /** Why nothing stored could be used; `null` when it could. */
  readonly restart: Restart | null;
}

interface Now {
  readonly transport: string;
  readonly organizationId: string;
  readonly channels: readonly string[];
  readonly nowMs: number;
  /**
   * Up to which commit a channel's changes are durable by the log itself, for when no position can be read; `null`: the
   * log has none. Epoch milliseconds.
   */
  readonly evidence: (channel: string) => number | null;
}

const GAPS: Readonly<Record<Exclude<Restart, 'first-start'>, Hole['reason']>> = {
  lost: 'cursor-lost',
  unreadable: 'cursor-lost',
  'other-org': 'org-changed',
  'other-transport': 'transport-changed',
};

/**
 * Where to go on, from the stored cursor. Channels that are no longer followed are dropped, new ones begin now. A position
 * that cannot be used leaves its time, from which the hole is measured; without any, the log's own newest changes do.
 */
export function resume(stored: string | null, now: Now): Resumed {
  const { transport, organizationId, nowMs } = now;
  const decoded = stored === null ? null : decodePosition(stored);
  const restart = restartOf(stored, decoded, now);
  const fresh: string[] = [];
  const place = (channel: string): ChannelPosition => {
    const known = decoded?.channels[channel];
    if (restart === null && known !== undefined) return known;
    const fromMs = decoded === null ? now.evidence(channel) : (known?.commitTimestamp ?? null);
    if (restart !== null && restart !== 'first-start' && fromMs !== null)
      return { replayId: null, commitTimestamp: fromMs, gap: GAPS[restart] };
    fresh.push(channel);
    return { replayId: null, commitTimestamp: nowMs };
  };
  const channels = Object.fromEntries(now.channels.map((channel) => [channel, place(channel)]));
  const { holes, polled } = restart === null ? (decoded ?? {}) : {};
  const kept = { ...(holes === undefined ? {} : { holes }), ...(polled === undefined ? {} : { polled }) };
  return { position: { transport, organizationId, channels, ...kept }, fresh, restart };
}

function restartOf(stored: string | null, decoded: Position | null, now: Now): Restart | null {
  if (stored === null) return now.channels.some((channel) => now.evidence(channel) !== null) ? 'lost' : 'first-start';
  if (decoded === null) return 'unreadable';
  if (decoded.organizationId !== now.organizationId) return 'other-org';
  return decoded.transport === now.transport ? null : 'other-transport';
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
    // Of a stream of before its gap was seen: that replay id must not come back
    if (before === undefined || before.gap !== undefined || replayId === null) continue;
    channels[channel] = { replayId, commitTimestamp: Math.max(before.commitTimestamp, commitTimestamp ?? 0) };
  }
  return { ...from, channels };
}

/** The position when a channel's events are not to be had from where it stands: what is left to go by is the time. */
export function openGap(from: Position, channel: string, gap: Hole['reason']): Position {
  const before = from.channels[channel];
  if (before === undefined) return from;
  const { commitTimestamp } = before;
  return { ...from, channels: { ...from.channels, [channel]: { replayId: null, commitTimestamp, gap } } };
}

/** Before this age of a time without a replay id all events since are sure to be kept; a purge may come early. Milliseconds. */
const SURE_MS = RETENTION_MS - 3_600_000;

/**
 * The position with a gap where a channel has no replay id and its time is past the retention: unlike an old replay id, the
 * wish for all retained events is never refused.
 */
export function expireTimes(from: Position, nowMs: number): Position {
  return Object.entries(from.channels).reduce((moved, [channel, { replayId, commitTimestamp, gap }]) => {
    const expired = replayId === null && gap === undefined && nowMs - commitTimestamp > SURE_MS;
    return expired ? openGap(moved, channel, 'replay-expired') : moved;
  }, from);
}

/**
 * The position when a channel delivers new events: its gap, if it had one, has an end and is a hole of each of its objects.
 * Only now, so that nothing can fall between the catch-up and the events.
 */
export function closeGap(from: Position, channel: string, objects: readonly string[], nowMs: number): Position {
  const before = from.channels[channel];
  if (before?.gap === undefined) return from;
  const { gap: reason, commitTimestamp: fromMs } = before;
  const begun = { replayId: null, commitTimestamp: Math.max(fromMs, nowMs) };
  const moved = { ...from, channels: { ...from.channels, [channel]: begun } };
  return addHoles(moved, [{ reason, objects, fromMs, noticedMs: nowMs }], new Set(objects));
}

/** The position with the holes that follow from what happened. */
export function addHoles(from: Position, happenings: readonly Happening[], read: ReadonlySet<string>): Position {
  const found = holesOf(happenings, read);
  return found.length === 0 ? from : { ...from, holes: merge([...(from.holes ?? []), ...found]) };
}

/** The position without holes whose catch-up is ordered. A hole that grew meanwhile is another, and stays. */
export function withoutHoles(from: Position, ordered: readonly PendingHole[]): Position {
  const { holes = [], ...rest } = from;
  const gone = new Set(ordered.map(toText));
  const left = holes.filter((hole) => !gone.has(toText(hole)));
  return left.length === 0 ? rest : { ...rest, holes: left };
}

function toText({ object, reason, fromMs, toMs }: PendingHole): string {
  return [object, reason, fromMs, toMs].join(' ');
}

/**
 * The position when events are given up for polling. From the last durable commits up to now is a hole: after a storm that
 * used up the allowance it may hold any number of records, which a catch-up reads without delaying what changes from now on.
 */
export function startPolling(
  from: Position,
  objectsOf: ReadonlyMap<string, readonly string[]>,
  nowMs: number,
): Position {
  const happenings = Object.entries(from.channels).map(([channel, { commitTimestamp }]) => ({
    reason: 'allowance' as const,
    objects: objectsOf.get(channel) ?? [],
    fromMs: commitTimestamp,
    noticedMs: nowMs,
  }));
  const polled: Record<string, number> = {};
  for (const { objects, fromMs } of happenings) {
    for (const object of objects) polled[object] = Math.max(polled[object] ?? nowMs, fromMs);
  }
  return { ...addHoles(from, happenings, new Set(Object.keys(polled))), polled };
}

/**
 * The position of a listener that follows these objects, where changes are polled for: the new ones are polled for from now
 * on, the others go on from where they stand.
 */
export function pollFor(from: Position, objects: readonly string[], nowMs: number): Position {
  const { polled } = from;
  if (polled === undefined) return from;
  return { ...from, polled: Object.fromEntries(objects.map((object) => [object, polled[object] ?? nowMs])) };
}

/** The position when events are followed again: what came before them was polled. Channels with events of since stand there. */
export function stopPolling(from: Position, nowMs: number, moved: ReadonlySet<string>): Position {
  const { polled: _over, ...rest } = from;
  const channels = Object.entries(from.channels).map(([channel, before]) => [
    channel,
    moved.has(channel) ? before : { replayId: null, commitTimestamp: Math.max(nowMs, before.commitTimestamp) },
  ]);
  return { ...rest, channels: Object.fromEntries(channels) as Position['channels'] };
}

/**
 * Was an event durable before a channel's events of the last days were asked for once more, for want of a replay id?
 * `sinceMs`: commit time up to which all is durable. Epoch milliseconds.
 */
export function isPast(sinceMs: number | undefined, commitTimestamp: number | null): boolean {
  return sinceMs !== undefined && commitTimestamp !== null && commitTimestamp < sinceMs - OVERLAP_MS;
}
