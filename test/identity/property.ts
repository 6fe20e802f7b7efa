import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { ProjectType } from '@libs/contracts';
import { caseOf, playInOrder, playScheduled, reduceCase, type Case } from './case.js';

/** Cases for each type of project, and what users of the org do in each. */
export const CASES = 1_000;
export const OPERATIONS = 50;

/**
 * Plays random cases of a project as they are scheduled, and in order; both must end as the model says. A case that does not
 * is made smaller and told, with the seed and the path that bring it back.
 */
export async function expectOneEnd(projectType: ProjectType): Promise<void> {
  let told = '';
  const property = fc.asyncProperty(caseOf(projectType, OPERATIONS), async (given) => {
    for (const run of [playInOrder, playScheduled]) {
      const wrong = await run(given);
      if (wrong.length === 0) continue;
      told = await tell(await reduceCase(given, run), run);
      return false;
    }
    return true;
  });
  const { failed, seed, counterexamplePath, numRuns } = await fc.check(property, {
    numRuns: CASES,
    endOnFailure: true,
  });
  expect(failed, `seed ${seed}, path ${counterexamplePath}, after ${numRuns} cases: ${told}`).toBe(false);
}

async function tell(given: Case, run: (given: Case) => Promise<string[]>): Promise<string> {
  const wrong = await run(given);
  const { script, ...rest } = given;
  const steps = script.map(({ operation, afterMs, events }) => `  ${JSON.stringify({ operation, afterMs, events })}`);
  return [`${run.name} ${JSON.stringify(rest)}`, ...wrong, ...steps].join('\n');
}
