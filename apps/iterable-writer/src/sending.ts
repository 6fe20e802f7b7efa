import { bulkBody } from '@libs/iterable';
import type { Decision, Step } from './core/decision.js';
import type { Course } from './course.js';
import type { Entry } from './entry.js';
import type { Sending } from './piece.js';

/** The body of a bulk step. */
export function sendingOf(entry: Entry, decision: Decision, step: Step, course: Course | null): Sending {
  if (step.kind === 'set') {
    const { email, ...fields } = step.fields as { readonly email?: null };
    return { ...bulkBody(step.on, JSON.stringify(fields), { email }), entry, decision, course };
  }
  if (step.kind !== 'write') throw new Error(`${step.kind} is no bulk step`);
  const { message } = entry;
  const update = message.kind === 'update' && message.belongsTo === undefined ? message : undefined;
  const options = {
    email: step.email,
    userId: update?.userId,
    replaceNested: message.kind === 'update' ? message.replaceNested : undefined,
  };
  return { ...bulkBody(step.on, entry.fields, options), entry, decision, course };
}
