import type { ChannelEvent } from './change-stream.js';

/** How much memory an event takes, in record ids: a merged event carries many. */
function weightOf({ header }: ChannelEvent): number {
  const ids = (header as { recordIds?: unknown } | null | undefined)?.recordIds;
  return 1 + (Array.isArray(ids) ? ids.length : 0);
}

/** Events between the socket and their one taker. Bounded by weight, so that merged events count for what they hold. */
export class EventQueue {
  private events: ChannelEvent[] = [];
  private weight = 0;
  private ended = false;
  private wake: (() => void) | null = null;

  constructor(private readonly maxWeight: number) {}

  /** What waits, in events and their record ids. */
  get load(): number {
    return this.weight;
  }

  /** `false` when it is full: the event was not taken. An event heavier than the bound fits into an empty queue. */
  push(event: ChannelEvent): boolean {
    const weight = weightOf(event);
    if (this.ended || (this.events.length > 0 && this.weight + weight > this.maxWeight)) return false;
    this.events.push(event);
    this.weight += weight;
    this.wake?.();
    return true;
  }

  /** 1 to `max` events, oldest first; waits for the first. `null` after {@link end}, when all are taken. */
  async take(max: number): Promise<readonly ChannelEvent[] | null> {
    while (this.events.length === 0) {
      if (this.ended) return null;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.wake = resolve;
      await promise;
      this.wake = null;
    }
    const taken = this.events.splice(0, max);
    for (const event of taken) this.weight -= weightOf(event);
    return taken;
  }

  /** Nothing more comes. `discard`: what is there is dropped too. */
  end(discard: boolean): void {
    this.ended = true;
    if (discard) {
      this.events = [];
      this.weight = 0;
    }
    this.wake?.();
  }
}
