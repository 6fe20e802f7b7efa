import { pause } from '@libs/salesforce';

/** Waits that can be cut short. */
export class Nudge {
  private cut = new AbortController();

  constructor(
    private readonly signal: AbortSignal,
    private readonly pauseFor: typeof pause = pause,
  ) {}

  /** Waits so many milliseconds, until the next {@link now}, or until the end. */
  wait(ms: number): Promise<void> {
    return this.pauseFor(ms, AbortSignal.any([this.signal, this.cut.signal]));
  }

  /** Ends every wait under way. */
  now(): void {
    this.cut.abort();
    this.cut = new AbortController();
  }
}
