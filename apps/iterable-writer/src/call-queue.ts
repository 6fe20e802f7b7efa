import { lanes, type Lane } from '@libs/contracts';
import type { Step } from './core/decision.js';
import { nameOf } from './core/opt-outs.js';
import { stepOf, type Course } from './course.js';

type Kind = Step['kind'];

/** Calls of one kind on their way at a time, and how many of these places are kept for real-time users (Invariant 6). */
const PLACES = { most: 8, forRealtime: 2 };
/** An opt-out is one call for many users, and reads their lists where it must: one at a time in a lane. */
const OPT_OUT_PLACES = { most: 2, forRealtime: 1 };
/** Most users in one opt-out: as many as are read in two seconds. */
const MAX_OPT_OUTS = 200;

interface Queue {
  readonly waiting: Readonly<Record<Lane, Course[]>>;
  underWay: number;
}

/** Courses that leave in one call. */
export interface Departure {
  readonly kind: Kind;
  readonly courses: readonly [Course, ...Course[]];
}

/**
 * Calls that are due. Real-time users go first; each kind has places of its own, so that one endpoint which is slow, limited or
 * refused never holds up another.
 */
export class CallQueue {
  private readonly queues = new Map<Kind, Queue>();

  get waits(): boolean {
    return [...this.queues.values()].some(({ waiting }) => lanes.some((lane) => waiting[lane].length > 0));
  }

  add(course: Course): void {
    const { kind } = stepOf(course);
    let queue = this.queues.get(kind);
    if (queue === undefined) {
      queue = { waiting: { realtime: [], backfill: [] }, underWay: 0 };
      this.queues.set(kind, queue);
    }
    queue.waiting[course.entry.lane].push(course);
  }

  remove(course: Course): void {
    for (const { waiting } of this.queues.values()) {
      const list = waiting[course.entry.lane];
      const at = list.indexOf(course);
      if (at >= 0) list.splice(at, 1);
    }
  }

  /** The next to leave, which has its place from now on; `null`: none may. */
  take(mayLeave: (lane: Lane) => boolean): Departure | null {
    for (const lane of lanes.filter(mayLeave)) {
      for (const [kind, queue] of this.queues) {
        const { most, forRealtime } = kind === 'unsubscribe' ? OPT_OUT_PLACES : PLACES;
        const places = lane === 'realtime' ? most : most - forRealtime;
        const course = queue.underWay < places ? queue.waiting[lane].shift() : undefined;
        if (course === undefined) continue;
        queue.underWay += 1;
        return { kind, courses: [course, ...this.alike(course, queue.waiting[lane])] };
      }
    }
    return null;
  }

  /** A departure has its answer. */
  done(kind: Kind): void {
    const queue = this.queues.get(kind);
    if (queue !== undefined) queue.underWay -= 1;
  }

  /** Others with the same opt-out: they go in the same call. */
  private alike(course: Course, waiting: Course[]): Course[] {
    const step = stepOf(course);
    if (step.kind !== 'unsubscribe') return [];
    const name = nameOf(step.optOut);
    const same: Course[] = [];
    const rest = waiting.filter((one) => {
      const other = stepOf(one);
      const goes = same.length < MAX_OPT_OUTS - 1 && other.kind === 'unsubscribe' && nameOf(other.optOut) === name;
      if (goes) same.push(one);
      return !goes;
    });
    waiting.splice(0, waiting.length, ...rest);
    return same;
  }
}
