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
import { resolveConflict, type Occupant } from './core/resolve-conflict.js';
import { lockOf, type IdentityView, type Step } from './core/decision.js';
import { CallQueue, type Departure } from './call-queue.js';
import type { CallTrouble } from './call-trouble.js';
import { advance, newCourse, stepOf, toCall, type Course } from './course.js';
import type { Entry } from './entry.js';
import type { EndedEntry } from './ledger.js';
import type { Sending } from './piece.js';
import type { RecentCalls } from './recent-calls.js';
import { sendingOf } from './sending.js';
import { Timetable } from './timetable.js';

/**
 * Most users of a lane in the middle of a course, and most bytes of theirs that are still to be written. Past it, those that need a course
 * wait in line, and then reading does (Invariant 5); one lane never takes the other's places (Invariant 6).
 */
const MAX_PARKED = { users: { realtime: 10_000, backfill: 40_000 }, bytes: 48_000_000 };
/** While the partitions may be another's, and before an allowance of a day is asked about again. Milliseconds. */
const CUT_OFF_LOOK_MS = 100;
const DAY_LOOK_MS = 10 * 60_000;
/** Before a profile in the way is looked at again whose record is being written. Milliseconds. */
const LOCKED_LOOK_MS = 1_000;
/** Two that are in each other's way would wait for ever: after so many looks one lets go of its own address, which may be the one waited for. */
const LET_GO_AFTER_LOOKS = 3;
/** If that does not help, people decide. */
const MAX_LOCKED_LOOKS = 300;
/** Times that a profile is looked for that was just written. */
const MAX_LOOKS = 5;

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
  readonly trouble: CallTrouble;
  readonly metrics: Metrics;
}

type Verdict = ProfileVerdict | OptOutVerdict | LookVerdict;

/** How the courses tell what happens. */
export interface CoursesEvents {
  /** A course is over. */
  ended(ended: EndedEntry): void;
  /** Would too many be dead with this one? Then its lane stands still, and it is tried again when that goes on. */
  heldBack(ended: EndedEntry): boolean;
  /** Takes locks for a course besides its own; `false`: not all of them are free now. */
  lock(course: Course, keys: readonly string[]): boolean;
  /** A course is given up: its partition is another's now. */
  lost(course: Course): void;
  /** Writes down, before the first step, where data may be from then on. */
  intend(courses: readonly Course[]): Promise<void>;
  /** May the partitions be another's by now? Then nothing leaves. */
  cutOff(): boolean;
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
  private readonly calls = new CallQueue();
  private readonly load: Readonly<Record<Lane, { users: number; bytes: number }>> = {
    realtime: { users: 0, bytes: 0 },
    backfill: { users: 0, bytes: 0 },
  };
  private readonly all = new Set<Course>();
  private aborting = new AbortController();

  constructor(
    private readonly parts: CoursesParts,
    private readonly settleMs: number,
    private readonly events: CoursesEvents,
  ) {}

  full(lane: Lane): boolean {
    const { users, bytes } = this.load[lane];
    return users >= MAX_PARKED.users[lane] || bytes >= MAX_PARKED.bytes;
  }

  add(entry: Entry, decision: Sending['decision']): void {
    const course = newCourse(entry, decision);
    this.open(course);
    this.schedule(course);
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
      const { entry, decision } = course;
      return sendingOf({ entry, lane, decision, course }, stepOf(course));
    });
  }

  /** Is a call due that has not left? */
  get hasCalls(): boolean {
    return this.calls.waits;
  }

  hasBulk(lane: Lane): boolean {
    return this.bulk[lane].length > 0;
  }

  /** Since when a bulk step waits to leave; `null`: none does. Epoch milliseconds. */
  bulkSinceMs(lane: Lane): number | null {
    return this.bulk[lane].length > 0 ? this.bulkSince[lane] : null;
  }

  /** Lets calls leave that are due, as many as may be on their way. `mayCall` is asked before each. */
  launch(mayCall: (lane: Lane) => boolean): void {
    for (;;) {
      const departure = this.calls.take(mayCall);
      if (departure === null) return;
      this.events.track(
        this.leave(departure).finally(() => {
          // In this order: what comes next of this kind needs the place.
          this.calls.done(departure.kind);
          this.events.changed();
        }),
      );
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
    if (known === null) this.open(course);
    // It may have been given up a moment ago, and not show yet.
    this.again(course, Date.now() + this.settleMs);
    return true;
  }

  /** A bulk step has its answer. */
  stepEnded({ course, ending }: EndedEntry & { readonly course: Course }): void {
    if (ending.kind === 'written') {
      course.requestId = ending.requestId;
      this.stepDone(course);
    } else {
      this.fail(course, ending);
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

  private async leave({ courses }: Departure): Promise<void> {
    const [course] = courses;
    const step = stepOf(course);
    if (step.kind === 'unsubscribe') await this.optOut(courses, step);
    else await this.call(course, step);
  }

  private async call(course: Course, step: Exclude<Step, { kind: 'unsubscribe' }>): Promise<void> {
    const { calls, look } = this.parts;
    const [verdict] = await this.underWayWith([course], step, async (signal) => [
      await (step.kind === 'look' ? look(step.email, signal) : calls.run(toCall(step), signal)),
    ]);
    if (verdict !== undefined) this.after(course, step, verdict);
  }

  private async optOut(courses: readonly Course[], step: Extract<Step, { kind: 'unsubscribe' }>): Promise<void> {
    const profiles = courses.map((course) => (stepOf(course) as typeof step).on);
    const verdicts = await this.underWayWith(courses, step, (signal) =>
      this.parts.subscriptions.unsubscribe(profiles, step.optOut, signal),
    );
    // One call, one failure: and they stay together when it is made again.
    const waits = new Map<string, number>();
    const waitMs = (code: string, attempt: number) => {
      const known = waits.get(code) ?? this.parts.trouble.failed(step.kind, code, attempt);
      waits.set(code, known);
      return known;
    };
    courses.forEach((course, index) => {
      const verdict = verdicts[index];
      if (verdict !== undefined) this.after(course, step, verdict, waitMs);
    });
  }

  /** Empty: broken off; what is still ours goes again. */
  private async underWayWith(
    courses: readonly Course[],
    step: Step,
    make: (signal: AbortSignal) => Promise<readonly Verdict[]>,
  ): Promise<readonly Verdict[]> {
    const { signal } = this.aborting;
    for (const course of courses) {
      course.underWay = true;
      course.entry.attempts += 1;
      course.requestId = randomUUID();
    }
    try {
      await this.events.intend(courses);
      signal.throwIfAborted();
      if (this.events.cutOff()) {
        for (const course of courses) this.again(course, Date.now() + CUT_OFF_LOOK_MS);
        return [];
      }
      const verdicts = await make(signal);
      for (const { kind } of verdicts) this.parts.metrics.writerProfileCalls.inc({ call: step.kind, outcome: kind });
      return verdicts;
    } catch (error) {
      if (!signal.aborted) throw error;
      for (const course of courses) this.again(course, 0);
      return [];
    }
  }

  private after(
    course: Course,
    step: Step,
    verdict: Verdict,
    failed = (code: string, attempt: number) => this.parts.trouble.failed(step.kind, code, attempt),
  ): void {
    const { trouble } = this.parts;
    const nowMs = Date.now();
    if (verdict.kind !== 'retry' && verdict.kind !== 'refused') trouble.answered(step.kind);
    switch (verdict.kind) {
      case 'done':
        this.stepDone(course);
        return;
      case 'already':
        this.stepDone(course);
        return;
      case 'found':
        this.found(course, step as Extract<Step, { kind: 'look' }>, verdict.profile);
        return;
      case 'unknown':
        this.withoutProfile(course, step, nowMs);
        return;
      case 'exists':
        course.steps[0] = { ...(step as Extract<Step, { kind: 'move' }>), merge: true };
        this.again(course, 0);
        return;
      case 'dead':
        this.fail(course, {
          kind: 'dead',
          code: verdict.code,
          message: deadReasons[verdict.code],
          requestId: course.requestId,
        });
        return;
      case 'daily-limit':
        if (step.kind === 'forget') this.defer(course);
        else this.again(course, nowMs + Math.min(verdict.retryAfterMs, DAY_LOOK_MS));
        return;
      case 'refused':
        this.again(course, nowMs + failed(verdict.code, course.attempt));
        course.attempt += 1;
        return;
      default: {
        // The pace of the endpoint knows of a 429 already, and a time to wait for is no trouble.
        const { code, retryAfterMs } = verdict;
        const limited = code === 'iterable.rate_limited';
        const waitMs = retryAfterMs ?? (limited ? 0 : failed(code, course.attempt));
        this.again(course, nowMs + waitMs);
        course.attempt += 1;
      }
    }
  }

  private found(course: Course, { on, email }: Extract<Step, { kind: 'look' }>, occupant: Occupant | null): void {
    const { recordId } = course.entry.message;
    // What is done to the profile in the way is as much its record's business.
    const mine = occupant?.userId === undefined || this.events.lock(course, locksOfUser(occupant.userId));
    if (!mine && course.attempt < MAX_LOCKED_LOOKS) {
      course.attempt += 1;
      // A crash may have left each of two with the address that the other is to have: what is to be written here says it anew.
      if (course.attempt === LET_GO_AFTER_LOOKS && !course.letGo) {
        course.letGo = true;
        course.steps = [{ kind: 'set', on, fields: { email: null } }, ...course.steps];
      }
      this.again(course, Date.now() + LOCKED_LOOK_MS);
      return;
    }
    const steps = mine ? resolveConflict({ recordId, on, email }, occupant, this.parts.view) : null;
    if (steps === null) {
      const code = 'iterable.identity_conflict';
      this.fail(course, { kind: 'dead', code, message: deadReasons[code], requestId: course.requestId });
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
    const [own] = course.decision.rows;
    const rows =
      own === undefined ? [] : [{ ...own, identity: { ...own.identity, forgotten: 'due' as const }, called: null }];
    const decision = { ...course.decision, rows };
    const ending = { kind: 'skipped', reason: 'writer.forget_deferred' } as const;
    this.events.ended({ entry: course.entry, decision, course, ending });
  }

  private stepDone(course: Course): void {
    this.parts.recent.note(stepOf(course), Date.now());
    const goesOn = advance(course, Date.now(), this.settleMs);
    this.lighten(course);
    if (goesOn) {
      this.schedule(course);
      return;
    }
    this.close(course);
    const { ending } = course.decision;
    this.end(course, ending.kind === 'written' ? { kind: 'written', requestId: course.requestId } : ending);
  }

  /** The next step cannot be done. */
  private fail(course: Course, ending: EndedEntry['ending']): void {
    const { entry, decision } = course;
    if (this.events.heldBack({ entry, decision, course, ending })) {
      this.again(course, 0);
      return;
    }
    this.close(course);
    this.end(course, ending);
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
      this.calls.add(course);
      return;
    }
    const { lane } = course.entry;
    if (this.bulk[lane].length === 0) this.bulkSince[lane] = Date.now();
    this.bulk[lane].push(course);
  }

  private open(course: Course): void {
    const load = this.load[course.entry.lane];
    this.all.add(course);
    load.users += 1;
    load.bytes += course.bytes;
    this.show();
  }

  /** What is written already is not kept. */
  private lighten(course: Course): void {
    const { entry, steps } = course;
    if (entry.fields === '' || steps.some(({ kind }) => kind === 'write')) return;
    this.load[entry.lane].bytes -= course.bytes;
    course.bytes = 0;
    entry.fields = '';
  }

  private close(course: Course): void {
    if (!this.all.delete(course)) return;
    const load = this.load[course.entry.lane];
    load.users -= 1;
    load.bytes -= course.bytes;
    this.show();
  }

  /** Gives a course up. */
  forget(course: Course): void {
    this.close(course);
    this.parked.remove(course);
    for (const lane of lanes) remove(this.bulk[lane], course);
    this.calls.remove(course);
  }

  private show(): void {
    this.parts.metrics.writerParked.set(this.all.size);
  }
}

function locksOfUser(userId: string): string[] {
  return [lockOf.record(userId), lockOf.profile({ userId })];
}

function remove<T>(list: T[], one: T): void {
  const index = list.indexOf(one);
  if (index >= 0) list.splice(index, 1);
}
