import type { Lane } from '@libs/contracts';
import { bulkBody } from '@libs/iterable';
import type { Decision, Step } from './core/decision.js';
import { stepOf, type Course } from './course.js';
import type { Entry } from './entry.js';
import type { Sending } from './piece.js';

/** What a sending is made of, beside the step. */
export interface SendingParts {
  readonly entry: Entry;
  readonly lane: Lane;
  readonly decision: Decision;
  readonly course: Course | null;
}

/** The body of a bulk step. */
export function sendingOf(parts: SendingParts, step: Step): Sending {
  const { entry } = parts;
  if (step.kind === 'set') {
    const { email, ...fields } = step.fields as { readonly email?: null };
    return { ...bulkBody(step.on, JSON.stringify(fields), { email }), ...parts };
  }
  if (step.kind !== 'write') throw new Error(`${step.kind} is no bulk step`);
  const { message } = entry;
  const update = message.kind === 'update' && message.belongsTo === undefined ? message : undefined;
  const options = {
    email: step.email,
    userId: update?.userId,
    replaceNested: message.kind === 'update' ? message.replaceNested : undefined,
  };
  return { ...bulkBody(step.on, entry.fields, options), ...parts };
}

/** The same step of the same user, with what its fields are now. */
export function sendingAgain({ entry, lane, decision, course }: SendingParts): Sending {
  const step = course === null ? decision.steps[0] : stepOf(course);
  if (step === undefined) throw new Error('what was sent has a step');
  return sendingOf({ entry, lane, decision, course }, step);
}
