import type { Hole } from '@libs/contracts';

/** Ours and Salesforce's clocks, and a transaction that commits late, are within this. Milliseconds. Source: facts/salesforce.md §7.3. */
export const OVERLAP_MS = 10 * 60_000;

/** A hole that is not ordered yet: what the catch-up of one object has to close. `toMs`: when it was noticed. Epoch milliseconds. */
export interface PendingHole extends Hole {
  readonly object: string;
  readonly toMs: number;
}

/** Something after which changes may be missing. */
export interface Happening {
  readonly reason: Hole['reason'];
  /** The objects whose changes they may be. */
  readonly objects: readonly string[];
  /** Up to here all changes are durable, or the commit that the missing ones are of. Epoch milliseconds. */
  readonly fromMs: number;
  /** Epoch milliseconds, by our clock: it may be behind Salesforce's. */
  readonly noticedMs: number;
}

/**
 * The holes that follow from what happened, one for each object that is read: what nobody reads needs no catch-up.
 * Output: the longest needed for each object, in the order of their first mention.
 */
export function holesOf(happenings: readonly Happening[], read: ReadonlySet<string>): PendingHole[] {
  const each = happenings.flatMap(({ reason, objects, fromMs, noticedMs }) =>
    objects
      .filter((object) => read.has(object))
      .map((object) => ({ object, reason, fromMs, toMs: Math.max(fromMs, noticedMs) })),
  );
  return merge(each);
}

/**
 * One hole for each object, from the earliest to the latest moment: a catch-up reads everything since its beginning, so one
 * does the work of many. It bears the reason of the first.
 */
export function merge(holes: readonly PendingHole[]): PendingHole[] {
  const byObject = new Map<string, PendingHole>();
  for (const hole of holes) {
    const known = byObject.get(hole.object) ?? hole;
    const fromMs = Math.min(known.fromMs, hole.fromMs);
    byObject.set(hole.object, { ...known, fromMs, toMs: Math.max(known.toMs, hole.toMs) });
  }
  return [...byObject.values()];
}

/** When the last hole of an object was ordered, and how many of its holes are not closed. Times are epoch milliseconds. */
export interface Ordered {
  readonly lastMs: number | null;
  readonly open: number;
}

/**
 * The pending holes whose catch-up is to be ordered now. The first of an object at once; then one in `spacingMs` at most, and
 * fewer while earlier ones are open: a storm of overflows is gathered, it does not start a catch-up for each.
 */
export function due(
  pending: readonly PendingHole[],
  orderedOf: (object: string) => Ordered,
  spacingMs: number,
  nowMs: number,
): PendingHole[] {
  return pending.filter(({ object }) => {
    const { lastMs, open } = orderedOf(object);
    return lastMs === null || nowMs - lastMs >= spacingMs * Math.max(1, open);
  });
}

/** Id of a hole and of the job that closes it: the same hole, ordered again after a crash, is the same job. */
export function holeId({ object, reason, fromMs, toMs }: PendingHole): string {
  return `hole-${object}-${reason}-${fromMs}-${toMs}`;
}

/** Data of the `backfill.start` that closes a hole. */
export function toCatchUp({ object, reason, fromMs, toMs }: PendingHole): {
  readonly object: string;
  readonly since: string;
  readonly hole: Hole;
} {
  const since = new Date(Math.max(0, fromMs - OVERLAP_MS)).toISOString();
  return { object, since, hole: { reason, fromMs, toMs } };
}
