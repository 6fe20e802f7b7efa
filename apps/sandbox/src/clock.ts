/** The sandbox's clock: real time plus what `POST /clock {advanceSeconds}` added. */
export class SandboxClock {
  private offsetMs = 0;
  private readonly listeners = new Set<() => void>();

  /** Epoch milliseconds. */
  now(): number {
    return Date.now() + this.offsetMs;
  }

  advance(seconds: number): void {
    this.offsetMs += seconds * 1000;
    for (const listener of this.listeners) listener();
  }

  /** Calls back after each jump, so that timers measured on this clock can be looked at again. */
  onJump(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
