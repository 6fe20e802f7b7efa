import type { BatchPlan } from './plan-batch.js';

/** How many records a mapping was applied to, and those of them that are dead, by code: what the safety stop goes by. */
export interface MappedEndings {
  readonly ended: number;
  readonly dead: ReadonlyMap<string, number>;
}

/** A plan, and whether a mapping made it. Records of objects without one say nothing of whether the mappings are right. */
export interface EndedPlan extends Pick<BatchPlan, 'messages' | 'outcomes' | 'deadLetters'> {
  readonly isMapped: boolean;
}

/** Sums what plans come to. */
export function endingsOf(plans: readonly EndedPlan[]): MappedEndings {
  let ended = 0;
  const dead = new Map<string, number>();
  for (const { isMapped, messages, outcomes, deadLetters } of plans) {
    if (!isMapped) continue;
    ended += messages.length + outcomes.length;
    for (const { code } of deadLetters) dead.set(code, (dead.get(code) ?? 0) + 1);
  }
  return { ended, dead };
}
