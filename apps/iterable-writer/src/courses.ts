import { randomUUID } from 'node:crypto';
import { lanes, type Lane } from '@libs/contracts';
import {
  deadReasons,
  type OptOutVerdict,
  type ProfileCalls,
  type ProfileVerdict,
  type ReadVerdict,
  type Subscriptions,
} from '@libs/iterable';
import type { Metrics } from '@libs/observability';
import { endpointOf } from './core/settle.js';
import { nameOf } from './core/opt-outs.js';
import { resolveConflict, type Occupant } from './core/resolve-conflict.js';
import type { IdentityView, Step } from './core/decision.js';
import { advance, newCourse, toCall, type Course } from './course.js';
import type { Entry } from './entry.js';
import type { Gate } from './gate.js';
import type { EndedEntry } from './ledger.js';
import type { Sending } from './piece.js';
import type { RecentCalls } from './recent-calls.js';
import { sendingOf } from './sending.js';
import { Timetable } from './timetable.js';

/** Most users in the middle of a course. Past it, those that need one wait in line, and then reading does (Invariant 5). */
const MAX_PARKED = 50_000;
/** Calls about one profile that are on their way at a time. */
const MAX_CALLS = 20;
/** Times that a profile is looked for that was just written. */
const MAX_LOOKS = 5;
/** Most users in one opt-out. */
const MAX_OPT_OUTS = 1_000;

/** Asks Iterable for a profile, at the pace of its endpoint. */
export type Look = (email: string, signal: AbortSignal) => Promise<LookVerdict>;
export type LookVerdict =
  { readonly kind: 'found'; readonly profile: Occupant | null } | Exclude<ReadVerdict, { readonly kind: 'read' }>;

export interface CoursesParts {
  readonly recent: RecentCalls;
  readonly look: Look;
  readonly view: IdentityView;
  readonly calls: ProfileCalls;
  readonly subscriptions: Subscriptions;
  readonly gate: Gate;
  readonly metrics: Metrics;
}

type Verdict = ProfileVerdict | OptOutVerdict | LookVerdict;

/** How the courses tell what happens. */
export interface CoursesEvents {
  /** A course is over. */
  ended(ended: EndedEntry): void;
  /** A course is given up: its partition is another's now. */
  lost(course: Course): void;
  /** Writes down, before the first step, where data may be from then on. */
  intend(courses: readonly Course[]): Promise<void>;
  /** Work on its way: to be waited for at a stop, and a bug in it stops the process. */
  track(work: Promise<void>): void;
  /** There may be something to do. */
  changed(): void;
}

/**
 * Users that need several calls, in order and apart from each other: each is parked until its next call is due, with its locks and
 * its offset, and holds up nobody else. Their bulk steps leave with everyone else's.
 */
export class Courses {
  private readonly parked = new Timetable<Course>((course) => course.notBeforeMs);
  private readonly bulk: Readonly<Record<Lane, Course[]>> = { realtime: [], backfill: [] };
  private readonly bulkSince: Record<Lane, number> = { realtime: 0, backfill: 0 };
  private calls: Course[] = [];
  private readonly all = new Set<Course>();
  private callsUnderWay = 0;
  private aborting = new AbortController();

  constructor(
    private readonly parts: CoursesParts,
    private readonly settleMs: number,
    private readonly events: CoursesEvents,
  ) {}

  get full(): boolean {
    return this.all.size >= MAX_PARKED;
  }

  /** Calls on their way. */
  get underWay(): number {
    return this.callsUnderWay;
  }

  add(entry: Entry, decision: Sending['decision']): void {
    const course = newCourse(entry, decision);
    this.all.add(course);
    this.schedule(course);
    this.show();
  }

  /** Is anything due, or will be? */
  get busy(): boolean {
    return this.all.size > 0;
  }

  /** How long until a course that is parked is due; infinite: none is. Milliseconds. */
  dueInMs(nowMs: number): number {
    return this.parked.nextMs() - nowMs;
  }

  /** Makes what is due ready to go. */
  wake(nowMs: number): void {
    for (const course of this.parked.takeUntil(nowMs)) this.ready(course);
  }

  /** Users of a lane whose next step is a bulk update, and may leave now. */
  takeBulk(lane: Lane, most: number): Sending[] {
    return this.bulk[lane].splice(0, most).map((course) => {
      course.underWay = true;
      return sendingOf(course.entry, course.decision, stepOf(course), course);
    });
  }

  /** Is a call due that has not left? */
  get hasCalls(): boolean {
    return this.calls.length > 0;
  }

  hasBulk(lane: Lane): boolean {
    return this.bulk[lane].length > 0;
  }

  /** Since when a bulk step waits to leave; `null`: none does. Epoch milliseconds. */
  bulkSinceMs(lane: Lane): number | null {
    return this.bulk[lane].length > 0 ? this.bulkSince[lane] : null;
  }

  /** Lets calls leave that are due, as many as may be on their way. `mayCall` is asked before each. */
  launch(mayCall: () => boolean): void {
    while (this.calls.length > 0 && this.callsUnderWay < MAX_CALLS && mayCall()) {
      const course = this.calls.shift() as Course;
      const step = stepOf(course);
      const work =
        step.kind === 'unsubscribe' ? this.optOut([course, ...this.alike(step)], step) : this.call(course, step);
      this.events.track(work);
    }
  }

  /**
   * Another profile is in the way of the address that this one should have: finds out whose it is. `false`: it is not about an
   * address, or that is known already.
   */
  resolve({ entry, decision, course: known }: EndedEntry): boolean {
    const step = known?.steps[0] ?? decision?.steps[0];
    if (decision === null || step?.kind !== 'write' || !('userId' in step.on) || typeof step.email !== 'string')
      return false;
    if (known?.looked === true) return false;
    const course = known ?? newCourse(entry, decision);
    course.looked = true;
    course.steps = [{ kind: 'look', on: step.on, email: step.email }, ...course.steps];
    this.all.add(course);
    // It may have been given up a moment ago, and not show yet.
    this.again(course, Date.now() + this.settleMs);
    this.show();
    return true;
  }

  /** A bulk step has its answer. */
  stepEnded({ entry, decision, course, ending }: EndedEntry & { readonly course: Course }): void {
    if (ending.kind === 'written') {
      course.requestId = ending.requestId;
      this.stepDone(course);
    } else {
      this.close(course);
      this.events.ended({ entry, decision, course, ending });
    }
  }

  /** Bulk steps that were taken and come back unsent. */
  giveBack(sendings: readonly Sending[]): void {
    for (const { course } of sendings) if (course !== null) this.schedule(course);
  }

  /** Forgets those whose partitions are lost, and breaks off calls. Returns the ones forgotten. */
  dropLost(): Course[] {
    this.aborting.abort();
    this.aborting = new AbortController();
    const lost = [...this.all].filter(({ entry, underWay }) => entry.holding.lost && !underWay);
    for (const course of lost) this.forget(course);
    return lost;
  }

  private async call(course: Course, step: Exclude<Step, { kind: 'unsubscribe' }>): Promise<void> {
    const { calls, look } = this.parts;
    const [verdict] = await this.underWayWith([course], step, async (signal) => [
      await (step.kind === 'look' ? look(step.email, signal) : calls.run(toCall(step), signal)),
    ]);
    if (verdict !== undefined) this.after(course, step, verdict);
    this.events.changed();
  }

  private async optOut(courses: readonly Course[], step: Extract<Step, { kind: 'unsubscribe' }>): Promise<void> {
    const profiles = courses.map((course) => (stepOf(course) as typeof step).on);
    const verdicts = await this.underWayWith(courses, step, (signal) =>
      this.parts.subscriptions.unsubscribe(profiles, step.optOut, signal),
    );
    courses.forEach((course, index) => {
      const verdict = verdicts[index];
      if (verdict !== undefined) this.after(course, step, verdict);
    });
    this.events.changed();
  }

  /** Empty: broken off; what is still ours goes again. */
  private async underWayWith(
    courses: readonly Course[],
    step: Step,
    make: (signal: AbortSignal) => Promise<readonly Verdict[]>,
  ): Promise<readonly Verdict[]> {
    const { signal } = this.aborting;
    this.callsUnderWay += 1;
    for (const course of courses) {
      course.underWay = true;
      course.entry.attempts += 1;
      course.requestId = randomUUID();
    }
    try {
      await this.events.intend(courses);
      signal.throwIfAborted();
      const verdicts = await make(signal);
      for (const { kind } of verdicts) this.parts.metrics.writerProfileCalls.inc({ call: step.kind, outcome: kind });
      return verdicts;
    } catch (error) {
      if (!signal.aborted) throw error;
      for (const course of courses) this.again(course, 0);
      return [];
    } finally {
      this.callsUnderWay -= 1;
    }
  }

  private after(course: Course, step: Step, verdict: Verdict): void {
    const { gate } = this.parts;
    const nowMs = Date.now();
    switch (verdict.kind) {
      case 'done':
        gate.answered();
        this.stepDone(course);
        return;
      case 'already':
        gate.answered();
        this.stepDone(course);
        return;
      case 'found':
        gate.answered();
        this.found(course, step as Extract<Step, { kind: 'look' }>, verdict.profile);
        return;
      case 'unknown':
        gate.answered();
        this.withoutProfile(course, step, nowMs);
        return;
      case 'exists':
        gate.answered();
        course.steps[0] = { ...(step as Extract<Step, { kind: 'move' }>), merge: true };
        this.again(course, 0);
        return;
      case 'dead':
        this.close(course);
        this.end(course, {
          kind: 'dead',
          code: verdict.code,
          message: deadReasons[verdict.code],
          requestId: course.requestId,
        });
        return;
      case 'daily-limit':
        if (step.kind === 'forget') this.defer(course);
        else this.again(course, nowMs + verdict.retryAfterMs);
        return;
      case 'refused':
        gate.failed(verdict, course.attempt, nowMs);
        this.again(course, 0);
        return;
      default: {
        // The pace of the endpoint knows of a 429 already, and a time to wait for is no outage.
        const known = verdict.code === 'iterable.rate_limited' || verdict.retryAfterMs !== undefined;
        const waitMs = known ? (verdict.retryAfterMs ?? 0) : (gate.failed(verdict, course.attempt, nowMs) ?? 0);
        course.attempt += 1;
        this.again(course, nowMs + waitMs);
      }
    }
  }

  private found(course: Course, { on, email }: Extract<Step, { kind: 'look' }>, occupant: Occupant | null): void {
    const { recordId } = course.entry.message;
    const steps = resolveConflict({ recordId, on, email }, occupant, this.parts.view);
    if (steps === null) {
      const code = 'iterable.identity_conflict';
      this.close(course);
      this.end(course, { kind: 'dead', code, message: deadReasons[code], requestId: course.requestId });
      return;
    }
    const [look, write, ...rest] = course.steps;
    course.steps = [look, ...steps, ...(write?.kind === 'write' ? rest : [])].filter((one) => one !== undefined);
    this.stepDone(course);
  }

  /** Nobody to unsubscribe yet: after the write there is, though perhaps not at once. */
  private withoutProfile(course: Course, step: Step, nowMs: number): void {
    if (course.steps.some(({ kind }) => kind === 'write')) {
      course.steps.push(step);
      this.stepDone(course);
    } else if (course.decision.steps.some(({ kind }) => kind === 'write') && course.attempt < MAX_LOOKS) {
      course.attempt += 1;
      this.again(course, nowMs + this.settleMs);
    } else {
      this.stepDone(course); // there is no profile to mail to
    }
  }

  /** Today's allowance is used up: it is written down that the person is to be forgotten, and asked for again later. */
  private defer(course: Course): void {
    this.close(course);
    const [own, ...rest] = course.decision.rows;
    const rows =
      own === undefined
        ? []
        : [{ ...own, identity: { ...own.identity, forgotten: 'due' as const }, called: null }, ...rest];
    const decision = { ...course.decision, rows };
    const ending = { kind: 'skipped', reason: 'writer.forget_deferred' } as const;
    this.events.ended({ entry: course.entry, decision, course, ending });
  }

  private stepDone(course: Course): void {
    this.parts.recent.note(stepOf(course), Date.now());
    if (advance(course, Date.now(), this.settleMs)) {
      this.schedule(course);
      return;
    }
    this.close(course);
    const { ending } = course.decision;
    this.end(course, ending.kind === 'written' ? { kind: 'written', requestId: course.requestId } : ending);
  }

  private end(course: Course, ending: EndedEntry['ending']): void {
    const { entry, decision } = course;
    this.events.ended({ entry, decision, course, ending });
  }

  private again(course: Course, notBeforeMs: number): void {
    course.notBeforeMs = notBeforeMs;
    this.schedule(course);
  }

  private schedule(course: Course): void {
    course.underWay = false;
    if (course.entry.holding.lost) {
      this.close(course);
      this.events.lost(course);
    } else if (course.notBeforeMs > Date.now()) {
      this.parked.add(course);
    } else {
      this.ready(course);
    }
  }

  private ready(course: Course): void {
    if (endpointOf(stepOf(course)) !== 'bulk') {
      this.calls.push(course);
      return;
    }
    const { lane } = course.entry;
    if (this.bulk[lane].length === 0) this.bulkSince[lane] = Date.now();
    this.bulk[lane].push(course);
  }

  /** Others whose next step is the same opt-out: they go in the same call. */
  private alike(step: Extract<Step, { kind: 'unsubscribe' }>): Course[] {
    const name = nameOf(step.optOut);
    const same = this.calls
      .filter((course) => {
        const other = stepOf(course);
        return other.kind === 'unsubscribe' && nameOf(other.optOut) === name;
      })
      .slice(0, MAX_OPT_OUTS - 1);
    const taken = new Set(same);
    this.calls = this.calls.filter((course) => !taken.has(course));
    return same;
  }

  private close(course: Course): void {
    this.all.delete(course);
    this.show();
  }

  /** Gives a course up. */
  forget(course: Course): void {
    this.close(course);
    this.parked.remove(course);
    for (const lane of lanes) remove(this.bulk[lane], course);
    remove(this.calls, course);
  }

  private show(): void {
    this.parts.metrics.writerParked.set(this.all.size);
  }
}

function stepOf({ steps }: Course): Step {
  const [step] = steps;
  if (step === undefined) throw new Error('a course without a step is over');
  return step;
}

function remove<T>(list: T[], one: T): void {
  const index = list.indexOf(one);
  if (index >= 0) list.splice(index, 1);
}
