import type { ProfileCall } from '@libs/iterable';
import type { Decision, Step } from './core/decision.js';
import { endpointOf, notBefore } from './core/settle.js';
import type { Entry } from './entry.js';

/** The calls about one user, one after another: a message that needs more than one bulk update. Parked between them. */
export interface Course {
  readonly entry: Entry;
  readonly decision: Decision;
  /** What is still to be done; the first is next. */
  steps: Step[];
  /** Was the profile moved or written? Then it is where it was to be, however this ends. */
  reached: boolean;
  /** Times that the next step got no usable answer. */
  attempt: number;
  /** The next step not before. Epoch milliseconds. */
  notBeforeMs: number;
  /** The request of the last step. */
  requestId: string | undefined;
  /** Locks beyond those of its decision, to be given back with them. */
  readonly moreLocks: string[];
  /** Is it written down where its data may be? */
  intended: boolean;
  /** Was it asked who is in the way of an address? Once is enough. */
  looked: boolean;
  /** Did its profile give up the address that it had, for one that waits for it? */
  letGo: boolean;
  /** Its fields as they were counted when it began: a conversion changes them. */
  bytes: number;
  /** Is the next step on its way? */
  underWay: boolean;
}

export function newCourse(entry: Entry, decision: Decision): Course {
  return {
    entry,
    decision,
    steps: [...decision.steps],
    reached: false,
    attempt: 0,
    notBeforeMs: decision.notBeforeMs,
    requestId: undefined,
    moreLocks: [],
    intended: false,
    looked: false,
    letGo: false,
    bytes: entry.fields.length,
    underWay: false,
  };
}

/** The next step is done: what follows may begin when Iterable has worked on it. `false`: there is nothing more. */
export function advance(course: Course, nowMs: number, settleMs: number): boolean {
  const done = course.steps.shift();
  course.attempt = 0;
  course.underWay = false;
  if (done === undefined) return false;
  if (done.kind === 'move' || done.kind === 'write') course.reached = true;
  if (done.kind === 'look') return course.steps.length > 0; // reading settles nothing
  const next = course.steps[0];
  course.notBeforeMs = notBefore({ endpoint: endpointOf(done), atMs: nowMs }, next, settleMs);
  return next !== undefined;
}

/** The call of a step that is neither bulk nor an opt-out. An address moves as such; where that is taken, and between ids, by a merge. */
export function toCall(step: Step): ProfileCall {
  if (step.kind === 'move') {
    const { from, to, merge } = step;
    return 'email' in from && 'email' in to && merge !== true
      ? { kind: 'update-email', from: from.email, to: to.email }
      : { kind: 'merge', source: from, destination: to };
  }
  if (step.kind === 'delete' || step.kind === 'forget' || step.kind === 'unforget')
    return { kind: step.kind, profile: step.on };
  throw new Error(`${step.kind} is no call about one profile`);
}

/** The next step. */
export function stepOf({ steps }: Course): Step {
  const [step] = steps;
  if (step === undefined) throw new Error('a course without a step is over');
  return step;
}
