/** A user as far as exclusion goes. */
export interface Keyed {
  /** Its record and every identifier of its profile. */
  readonly keys: readonly string[];
}

/**
 * Who of the waiting may be sent now, in the order of waiting: those whose record and profile have no request in flight.
 * Iterable promises no order between requests, so one user is in one request at a time. One that must wait holds nobody up.
 */
export function selectUsers<T extends Keyed>(waiting: Iterable<T>, locked: ReadonlySet<string>): T[] {
  const free: T[] = [];
  for (const user of waiting) if (!user.keys.some((key) => locked.has(key))) free.push(user);
  return free;
}
