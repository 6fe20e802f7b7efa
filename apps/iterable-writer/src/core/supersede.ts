import { isOlder, type Lane, type Version } from '@libs/contracts';

/** An update of a record that waits to be written. */
export interface Waiting {
  readonly version: Version;
  /** The lane it waits in. */
  readonly lane: Lane;
}

export interface Superseded<T> {
  readonly keep: T;
  /** The one that need not be written any more; `null` when there was only one. */
  readonly drop: T | null;
  /** The lane that `keep` waits in now: the more urgent of the two, so that a newer state never waits longer than the one it replaces. */
  readonly lane: Lane;
}

/**
 * Of two updates of one record that wait at the same time, only the newer is written (Invariant 3).
 * Of equal versions the newcomer stays: they are the same state, delivered twice.
 */
export function supersede<T extends Waiting>(waiting: T | undefined, waitingLane: Lane, newcomer: T): Superseded<T> {
  if (waiting === undefined) return { keep: newcomer, drop: null, lane: newcomer.lane };
  const lane: Lane = waitingLane === 'realtime' || newcomer.lane === 'realtime' ? 'realtime' : 'backfill';
  return isOlder(newcomer.version, waiting.version)
    ? { keep: waiting, drop: newcomer, lane }
    : { keep: newcomer, drop: waiting, lane };
}
