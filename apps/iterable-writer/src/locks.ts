/** What is being decided or written: records, addresses, profiles. A lock has one owner; who does not get all of its locks waits. */
export class Locks {
  private readonly held = new Set<string>();

  /** Is none of them taken? */
  free(keys: readonly string[]): boolean {
    return !keys.some((key) => this.held.has(key));
  }

  take(keys: readonly string[]): void {
    for (const key of keys) this.held.add(key);
  }

  give(keys: readonly string[]): void {
    for (const key of keys) this.held.delete(key);
  }
}
