import type { LastCall } from '@libs/contracts';
import { lockOf, type Profile, type Step } from './core/decision.js';
import { endpointOf, FORGET_FACTOR, notBefore } from './core/settle.js';

/**
 * The calls about single profiles that Iterable may still be working on. A profile that was deleted, or that moved away, is no
 * record's any more, and whoever has its address next must wait all the same. In memory: as many as are made in ten minutes at
 * most, after a forget.
 */
export class RecentCalls {
  private readonly calls = new Map<string, LastCall>();

  constructor(private readonly settleMs: number) {}

  /** A step was done. Bulk steps are known by the records that they are about. */
  note(step: Step, atMs: number): void {
    const endpoint = endpointOf(step);
    if (endpoint === 'bulk' || step.kind === 'look') return;
    for (const name of namesOf(step)) {
      this.calls.delete(name); // put in anew, so that the map stays in the order of time
      this.calls.set(name, { endpoint, atMs });
    }
    for (const [name, call] of this.calls) {
      if (call.atMs + FORGET_FACTOR * this.settleMs > atMs) break;
      this.calls.delete(name);
    }
  }

  /** When steps may begin, for the profiles that they are about. Epoch milliseconds. */
  notBeforeMs(steps: readonly Step[]): number {
    return Math.max(
      0,
      ...steps.flatMap((step) => namesOf(step).map((name) => notBefore(this.calls.get(name), step, this.settleMs))),
    );
  }
}

function namesOf(step: Step): string[] {
  const profiles: Profile[] = step.kind === 'move' ? [step.from, step.to] : [step.on];
  return profiles.map((profile) => lockOf.profile(profile));
}
