import { randomUUID } from 'node:crypto';
import { isOlder, lanes, type Lane } from '@libs/contracts';
import type { IterableClient, ProfileCalls, RequestLimits, Subscriptions } from '@libs/iterable';
import type { Health, Metrics } from '@libs/observability';
import type { Endings, SafetyStop } from '@libs/service';
import { Chooser } from './chooser.js';
import { Allowance } from './core/allowance.js';
import { locksOf, type Policy } from './core/decision.js';
import type { Course } from './course.js';
import type { CallTrouble } from './call-trouble.js';
import { Courses, type Look } from './courses.js';
import { FreshPieces, MAX_IN_FLIGHT, REALTIME_RESERVE } from './fresh-pieces.js';
import { Exchange } from './exchange.js';
import type { FieldBook } from './fields/field-book.js';
import type { Gate } from './gate.js';
import type { Identities } from './identities.js';
import type { EndedEntry, Ledger } from './ledger.js';
import { Locks } from './locks.js';
import { everyoneIn, newPiece, newPieces, type Piece, type Sending } from './piece.js';
import { sendingAgain } from './sending.js';
import { pause } from './pause.js';
import { RecentCalls } from './recent-calls.js';
import type { WaitingUsers } from './waiting-users.js';

/** Between looks at the heartbeat when it is too old for a call. Milliseconds. */
const HEARTBEAT_LOOK_MS = 100;
/** Between looks at a gate that opens only after an answer. Milliseconds. */
const GATE_LOOK_MS = 50;

export interface DispatcherOptions extends RequestLimits {
  readonly policy: Policy;
  readonly dryRun: boolean;
  readonly requestsPerSecond: number;
}

export interface DispatcherParts {
  readonly client: IterableClient;
  readonly calls: ProfileCalls;
  readonly subscriptions: Subscriptions;
  readonly look: Look;
  readonly trouble: CallTrouble;
  readonly gate: Gate;
  readonly waiting: WaitingUsers;
  readonly identities: Pick<Identities, 'view'>;
  readonly ledger: Ledger;
  readonly fields: FieldBook;
  readonly stop: SafetyStop;
  readonly metrics: Metrics;
  readonly health: Health;
}

/**
 * Sends what waits, whenever the gate lets a request out: real-time first, a backfill with it or after it (Invariant 6); one
 * request in flight a user. Everything is driven by `pump`: on arrivals, answers and timers.
 */
export class Dispatcher {
  /** To be sent again or further: halves, tests, what got no answer. */
  private pieces: Piece[] = [];
  private readonly inFlight = new Map<Piece, AbortController>();
  /** Every promise on its way: a request, and the booking of its endings. */
  private readonly tasks = new Set<Promise<void>>();
  private readonly locks = new Locks();
  private readonly courses: Courses;
  private readonly chooser: Chooser;
  private readonly fresh: FreshPieces;
  private readonly exchanges: Exchange;
  private readonly allowance: Allowance;
  /** Users in pieces: those of courses are counted there. */
  private sendingUsers = 0;
  /** Of a piece that is chosen and has not left, to break it off. The next is chosen when it has: late, and one at a time. */
  private departing: AbortController | null = null;
  private isOpen = false;
  private timer: NodeJS.Timeout | null = null;
  private wakeAtMs = 0;

  constructor(
    private readonly parts: DispatcherParts,
    private readonly options: DispatcherOptions,
  ) {
    this.allowance = new Allowance(options.requestsPerSecond * options.maxUsers);
    this.exchanges = new Exchange(parts, {
      intend: (sendings) => this.intend(sendings),
      depart: (signal) => this.depart(signal),
    });
    const recent = new RecentCalls(options.policy.settleMs);
    this.courses = new Courses({ ...parts, recent, view: parts.identities.view }, options.policy.settleMs, {
      ended: (ended) => this.end([ended]),
      heldBack: (one) => parts.stop.holdBack(one.entry.lane, endingsOf([one])),
      cutOff: () => parts.gate.cutOff,
      lock: (course, keys) => this.lockMore(course, keys),
      intend: (courses) => this.intend(courses.map((course) => ({ ...course, course }))),
      lost: (course) => this.release(course),
      track: (work) => this.track(work),
      changed: () => this.pump(),
    });
    const { waiting, identities } = parts;
    const { locks, courses } = this;
    this.chooser = new Chooser(
      { waiting, locks, courses, recent, view: identities.view },
      options.policy,
      options.dryRun,
    );
    this.fresh = new FreshPieces({ waiting, courses, chooser: this.chooser }, options, {
      ended: (ended) => this.end(ended),
      launch: () => courses.launch((lane) => this.mayCall(lane)),
      mayRide: () => !parts.stop.stopped('backfill'),
    });
  }

  open(): void {
    this.isOpen = true;
    this.chooser.begin(Date.now());
    this.pump();
  }

  /** Nothing more is sent: also what waits for the limit or the end of an outage. */
  close(): void {
    this.isOpen = false;
    this.departing?.abort();
    this.sleep();
    this.showAllowance(false);
  }

  /** After {@link close}: waits for what is on its way, and gives it up after `deadlineMs`: it is read again by the next owner. */
  async finish(deadlineMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const controller of this.inFlight.values()) controller.abort();
        resolve();
      }, deadlineMs);
    });
    await Promise.race([this.idle(), deadline]);
    clearTimeout(timer);
  }

  private async idle(): Promise<void> {
    while (this.tasks.size > 0) await Promise.all(this.tasks);
  }

  /** Forgets what belongs to partitions that are no longer ours; their requests on the way are broken off. */
  dropLost(): void {
    this.parts.waiting.dropLost();
    this.pieces = this.pieces.flatMap((piece) => this.withoutLost(piece));
    for (const [piece, controller] of this.inFlight) {
      if (piece.sendings.some(({ entry }) => entry.holding.lost)) controller.abort();
    }
    for (const course of this.courses.dropLost()) this.release(course);
    this.show();
  }

  /** Sends all that may be sent now, and sees to it that it is called again when more may be. */
  pump(): void {
    this.sleep();
    this.courses.wake(Date.now());
    let waits = false;
    if (this.isOpen) this.courses.launch((lane) => this.mayCall(lane));
    while (this.isOpen && this.hasWork()) {
      const nowMs = Date.now();
      const waitMs = this.waitMs(nowMs);
      waits = waitMs === null || waitMs > 0;
      if (waitMs === null) break;
      if (waitMs > 0) {
        this.wakeIn(waitMs);
        break;
      }
      const piece = this.pick(nowMs);
      if (piece === null) break;
      this.launch(piece);
    }
    if (this.isOpen) this.wakeForCourses();
    this.show();
    this.showAllowance(waits);
  }

  private hasWork(): boolean {
    const { stop, waiting } = this.parts;
    const waits = (lane: Lane) => waiting.load(lane).users > 0 || this.pieces.some((piece) => piece.lane === lane);
    return lanes.some((lane) => !stop.stopped(lane) && (this.courses.hasBulk(lane) || waits(lane)));
  }

  /** A call about one profile does not count against the rate of bulk updates; while these are paused, they are the probe. */
  private mayCall(lane: Lane): boolean {
    if (this.parts.stop.stopped(lane)) return false;
    return this.isOpen && !this.parts.gate.cutOff && (!this.parts.gate.paused || !this.hasWork());
  }

  private wakeForCourses(): void {
    if (!this.courses.busy) return;
    if (this.courses.hasCalls && this.parts.gate.cutOff) this.wakeIn(HEARTBEAT_LOOK_MS);
    const dueMs = this.courses.dueInMs(Date.now());
    if (Number.isFinite(dueMs)) this.wakeIn(Math.max(1, dueMs));
  }

  /** Until a request may leave, whatever it carries; `null`: something must be finished first. */
  private waitMs(nowMs: number): number | null {
    if (this.departing !== null || this.inFlight.size >= MAX_IN_FLIGHT + REALTIME_RESERVE) return null;
    return this.options.dryRun ? 0 : this.parts.gate.waitMs(nowMs, this.inFlight.size);
  }

  /** The next request's users, out of the line and locked; `null`: none now. */
  private pick(nowMs: number): Piece | null {
    let soonestMs = Number.POSITIVE_INFINITY;
    this.letPass();
    for (const lane of lanes) {
      if (lane === 'backfill' && this.inFlight.size >= MAX_IN_FLIGHT) break;
      if (this.parts.stop.stopped(lane)) continue;
      const piece = this.duePiece(lane, nowMs) ?? this.freshPiece(lane, nowMs);
      if (typeof piece === 'object') return piece;
      soonestMs = Math.min(soonestMs, piece);
    }
    for (const { lane, notBeforeMs } of this.pieces) {
      if (!this.parts.stop.stopped(lane)) soonestMs = Math.min(soonestMs, notBeforeMs - nowMs);
    }
    if (Number.isFinite(soonestMs)) this.wakeIn(Math.max(1, soonestMs));
    return null;
  }

  /** What stands still with its lane is in nobody's way: not in that of a newer state, nor of the other lane's that rode along. */
  private letPass(): void {
    const { stop } = this.parts;
    if (!lanes.some((lane) => stop.stopped(lane))) return;
    this.pieces = this.pieces.flatMap((piece) => {
      if (!stop.stopped(piece.lane)) return [piece];
      return newPieces(this.withoutSuperseded(newPiece(everyoneIn(piece))).sendings);
    });
  }

  private duePiece(lane: Lane, nowMs: number): Piece | null {
    for (;;) {
      // While paused the next request is a probe, and any piece will do.
      const index = this.pieces.findIndex(
        (piece) => piece.lane === lane && (piece.notBeforeMs <= nowMs || this.parts.gate.paused),
      );
      const [piece] = index < 0 ? [] : this.pieces.splice(index, 1);
      if (piece === undefined) return null;
      const current = this.withoutSuperseded(piece);
      if (current.sendings.length > 0) return current;
    }
  }

  /**
   * Users from the courses and from the line; a number: none before so many milliseconds. Those of a lane that stands still take no
   * room of the other.
   */
  private freshPiece(lane: Lane, nowMs: number): Piece | number {
    const standing = this.pieces.filter((one) => this.parts.stop.stopped(one.lane));
    const users = standing.reduce((sum, one) => sum + one.sendings.length, 0);
    const piece = this.fresh.next(lane, nowMs, this.sendingUsers - users);
    if (typeof piece !== 'number') this.sendingUsers += piece.sendings.length;
    return piece;
  }

  private launch(piece: Piece): void {
    const controller = new AbortController();
    this.inFlight.set(piece, controller);
    this.departing = controller;
    this.track(this.exchange(piece, controller.signal));
  }

  /**
   * Waits until a request may leave, whatever it took to get ready: a token is taken by who leaves, so that a log that was slow for a
   * moment lets no crowd go at once. While the partitions may be another's nothing leaves. `false`: broken off.
   */
  private async depart(signal: AbortSignal): Promise<boolean> {
    try {
      while (!signal.aborted) {
        const waitMs = this.parts.gate.waitMs(Date.now(), this.inFlight.size - 1);
        if (waitMs !== null && waitMs <= 0) {
          this.parts.gate.take();
          return true;
        }
        await pause(waitMs ?? GATE_LOOK_MS, signal);
      }
      return false;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      this.departing = null;
      this.pump();
    }
  }

  private async exchange(piece: Piece, signal: AbortSignal): Promise<void> {
    const requestId = randomUUID();
    const { ended, next } = await this.exchanges.run(piece, signal, requestId);
    this.inFlight.delete(piece);
    this.allowance.wrote(ended.filter(({ ending }) => ending.kind === 'written').length, Date.now());
    this.pieces.unshift(...next.flatMap((one) => this.withoutLost(one)));
    const over = this.withoutHeld(ended.filter((one) => !this.goesOn(one)));
    this.sendingUsers -= ended.length;
    this.pump();
    await this.book(over);
  }

  /**
   * When too many would become dead letters, they do not: they are sent again when somebody has said so, and their lane stands still
   * until then. The others end.
   */
  private withoutHeld(over: readonly EndedEntry[]): readonly EndedEntry[] {
    const held = lanes.flatMap((lane) => {
      const ofLane = over.filter(({ entry }) => entry.lane === lane);
      if (!this.parts.stop.holdBack(lane, endingsOf(ofLane))) return [];
      return ofLane.filter(({ ending }) => ending.kind === 'dead');
    });
    this.sendingUsers += held.length;
    const again = newPieces(held.flatMap((one) => sendingOfHeld(one)));
    this.pieces.push(...again.flatMap((one) => this.withoutLost(one)));
    const rest = held.length === 0 ? over : over.filter((one) => !held.includes(one));
    this.countEndings(rest);
    return rest;
  }

  /** Before they are booked: what is on its way to the books counts for what comes after. */
  private countEndings(ended: readonly EndedEntry[]): void {
    for (const lane of lanes) {
      const ofLane = ended.filter(({ entry }) => entry.lane === lane);
      if (ofLane.length > 0) this.parts.stop.note(lane, endingsOf(ofLane));
    }
  }

  /** A bulk step of a course is not the end of it, nor is an address that another profile has. */
  private goesOn(one: EndedEntry): boolean {
    if (one.ending.kind === 'dead' && one.ending.code === 'iterable.identity_conflict' && this.courses.resolve(one))
      return true;
    if (one.course === null) return false;
    this.courses.stepEnded({ ...one, course: one.course });
    return true;
  }

  /** Before the first request to a profile that a record was not known to have. */
  private async intend(sendings: ReadonlyArray<Pick<Sending, 'entry' | 'decision' | 'course'>>): Promise<void> {
    const first = sendings.filter(({ course }) => course?.intended !== true);
    for (const { course } of first) if (course !== null) course.intended = true;
    const rows = first.flatMap(({ entry, decision: { intent } }) => (intent === null ? [] : [{ entry, row: intent }]));
    if (rows.length > 0) await this.parts.ledger.intend(rows);
  }

  /** What is still ours of a piece: as it is, or as one plain request of those that are left. */
  private withoutLost(piece: Piece): Piece[] {
    const everyone = everyoneIn(piece);
    const ours = everyone.filter(({ entry }) => !entry.holding.lost);
    if (ours.length === everyone.length) return [piece];
    this.sendingUsers -= everyone.length - ours.length;
    for (const { entry, decision, course } of everyone) {
      if (!entry.holding.lost) continue;
      if (course !== null) this.courses.forget(course);
      this.unlockMore(course);
      this.locks.give(locksOf(decision));
    }
    return ours.length > 0 ? [newPiece(ours)] : [];
  }

  /** Of what is sent again, without those whose newer state waits already. A search keeps its sets: it reasons about them. */
  private withoutSuperseded(piece: Piece): Piece {
    if (piece.search !== null) return piece;
    const isSuperseded = ({ entry: { message, version }, course }: Sending) => {
      const newer = this.parts.waiting.of(message.recordId);
      return course === null && newer !== undefined && !isOlder(newer.version, version);
    };
    const superseded = piece.sendings.filter(isSuperseded);
    if (superseded.length === 0) return piece;
    this.sendingUsers -= superseded.length;
    const ending = { kind: 'superseded', reason: 'writer.newer_update' } as const;
    this.end(superseded.map(({ entry, decision, course }) => ({ entry, decision, course, ending })));
    return { ...piece, sendings: piece.sendings.filter((sending) => !superseded.includes(sending)) };
  }

  private end(ended: readonly EndedEntry[]): void {
    this.countEndings(ended);
    this.track(this.book(ended));
  }

  /** The locks stay until the endings are durable: what comes after for a record sees what was written. */
  private async book(ended: readonly EndedEntry[]): Promise<void> {
    if (ended.length === 0) return;
    await this.parts.ledger.settle(ended);
    for (const { decision, course } of ended) {
      if (decision !== null) this.locks.give(locksOf(decision));
      this.unlockMore(course);
    }
    this.pump();
  }

  private release(course: Course): void {
    this.locks.give(locksOf(course.decision));
    this.unlockMore(course);
  }

  private lockMore(course: Course, keys: readonly string[]): boolean {
    const own = new Set([...course.decision.locks, ...course.moreLocks]);
    const wanted = { owned: keys.filter((key) => !own.has(key)), shared: [] };
    if (!this.locks.free(wanted)) return false;
    this.locks.take(wanted);
    course.moreLocks.push(...wanted.owned);
    return true;
  }

  private unlockMore(course: Course | null): void {
    if (course !== null) this.locks.give({ owned: course.moreLocks.splice(0), shared: [] });
  }

  private track(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => this.parts.health.fail(error))
      .finally(() => this.tasks.delete(tracked));
    this.tasks.add(tracked);
  }

  private wakeIn(ms: number): void {
    const atMs = Date.now() + ms;
    if (this.timer !== null && this.wakeAtMs <= atMs) return;
    this.sleep();
    this.wakeAtMs = atMs;
    this.timer = setTimeout(() => this.pump(), ms);
  }

  private sleep(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private showAllowance(waits: boolean): void {
    const { metrics } = this.parts;
    const nowMs = Date.now();
    metrics.writerAllowance.inc(this.allowance.note(waits, nowMs));
    const used = this.allowance.used(nowMs);
    if (used !== null) metrics.writerAllowanceUsed.set(used);
  }

  private show(): void {
    for (const lane of lanes) this.parts.metrics.writerWaiting.set({ lane }, this.parts.waiting.load(lane).users);
  }
}

/** How messages ended, for the share of dead letters. */
export function endingsOf(ended: readonly EndedEntry[]): Endings {
  const dead = new Map<string, number>();
  for (const { ending } of ended) {
    if (ending.kind === 'dead') dead.set(ending.code, (dead.get(ending.code) ?? 0) + 1);
  }
  return { ended: ended.length, dead };
}

/** A plain step, to be sent again as it was. */
function sendingOfHeld({ entry, decision, course }: EndedEntry): Sending[] {
  return decision === null ? [] : [sendingAgain({ entry, lane: entry.lane, decision, course })];
}
