import type { Claim } from '../port.js';

/**
 * A claim that also carries the commit over what needs none of the handler's: runs of offsets that were dead-lettered or skipped
 * here. When the handler commits up to the start of such a run, the commit goes to its end; a run that starts where all is
 * committed already is committed at once. Invariant 1: never past an offset that the handler still has.
 */
export class PassingClaim implements Claim {
  /** End of a passed run by its start. */
  private readonly passed = new Map<number, number>();
  private committed: number | null = null;
  private lastMetadata: string | undefined;

  constructor(private readonly inner: Claim) {}

  get topic(): string {
    return this.inner.topic;
  }

  get partition(): number {
    return this.inner.partition;
  }

  get signal(): AbortSignal {
    return this.inner.signal;
  }

  heartbeatAgeMs(): number {
    return this.inner.heartbeatAgeMs();
  }

  async commit(nextOffset: number, metadata?: string): Promise<void> {
    const end = this.reach(nextOffset);
    await this.inner.commit(end, metadata);
    this.committed = end;
    this.lastMetadata = metadata;
    for (const start of this.passed.keys()) if (start < end) this.passed.delete(start);
    // A run that was passed while this commit was under way.
    if (this.passed.has(end)) await this.commit(end, metadata);
  }

  /** The offsets from `start` up to `end` need no handler. `start` is where the handler's last run ended. */
  async pass(start: number, end: number): Promise<void> {
    if (start === end) return;
    this.passed.set(start, end);
    if (this.committed === null || this.committed === start) await this.commit(start, this.lastMetadata);
  }

  /** The handler was given offsets from here on: until it commits, nothing is committed for it. */
  gave(start: number): void {
    this.committed ??= start - 1;
  }

  /** End of the passed runs that follow on each other from here. */
  private reach(offset: number): number {
    let end = offset;
    for (let next = this.passed.get(end); next !== undefined; next = this.passed.get(end)) end = next;
    return end;
  }
}
