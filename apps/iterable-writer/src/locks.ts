export interface Wanted {
  readonly owned: readonly string[];
  /** Only looked at. */
  readonly shared: readonly string[];
}

/**
 * What is being decided or written: records, addresses, profiles. A lock has one owner; or several that only looked at it, where
 * nothing follows from what they saw but what they say of themselves. Who does not get all of its locks waits.
 */
export class Locks {
  /** How many look; 0: one owner. */
  private readonly held = new Map<string, number>();

  /** Can all of them be had now? */
  free({ owned, shared }: Wanted): boolean {
    return !owned.some((key) => this.held.has(key)) && !shared.some((key) => this.held.get(key) === 0);
  }

  take({ owned, shared }: Wanted): void {
    for (const key of owned) this.held.set(key, 0);
    for (const key of new Set(shared)) this.held.set(key, (this.held.get(key) ?? 0) + 1);
  }

  give({ owned, shared }: Wanted): void {
    for (const key of owned) this.held.delete(key);
    for (const key of new Set(shared)) {
      const looking = (this.held.get(key) ?? 0) - 1;
      if (looking > 0) this.held.set(key, looking);
      else this.held.delete(key);
    }
  }
}
