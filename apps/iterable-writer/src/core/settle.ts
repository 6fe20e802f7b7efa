import type { Identity, LastCall } from '@libs/contracts';
import type { Step } from './decision.js';

/** After a forget, other calls wait so many times longer: 10 minutes to the usual one. Source: Iterable support, 217502386. */
export const FORGET_FACTOR = 10;

/** The pipeline of a step in Iterable: bulk calls have one of their own, and the order between pipelines is not promised. */
export function endpointOf(step: Step): LastCall['endpoint'] {
  if (step.kind === 'write' || step.kind === 'set') return 'bulk';
  return step.kind === 'forget' || step.kind === 'unforget' ? 'forget' : 'single';
}

/**
 * When a step may follow a call about the same profile: at once within the bulk pipeline, else after the time that Iterable
 * asks for. Epoch milliseconds. Source: Iterable API docs, users/bulkUpdate and users/update.
 */
export function notBefore(last: LastCall | undefined, next: Step | undefined, settleMs: number): number {
  if (last === undefined || next === undefined) return 0;
  if (last.endpoint === 'bulk' && endpointOf(next) === 'bulk') return 0;
  return last.atMs + (last.endpoint === 'forget' ? FORGET_FACTOR : 1) * settleMs;
}

/** When the first of the steps may follow what was last done to the profiles of these records. Epoch milliseconds. */
export function settled(known: ReadonlyArray<Identity | null>, steps: readonly Step[], settleMs: number): number {
  return Math.max(0, ...known.map((identity) => notBefore(identity?.lastCall, steps[0], settleMs)));
}

/** By which endpoint the steps call a profile last; `null`: by none. */
export function calledBy(steps: readonly Step[]): LastCall['endpoint'] | null {
  const last = steps.at(-1);
  return last === undefined ? null : endpointOf(last);
}
