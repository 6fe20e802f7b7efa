import type { Lane } from '@libs/contracts';
import type { RequestLimits } from '@libs/iterable';
import { decide } from './core/decide.js';
import { locksOf, type Decision, type IdentityView, type Policy } from './core/decision.js';
import { endpointOf } from './core/settle.js';
import type { Courses } from './courses.js';
import type { Entry } from './entry.js';
import type { EndedEntry } from './ledger.js';
import type { Locks } from './locks.js';
import type { Sending } from './piece.js';
import type { RecentCalls } from './recent-calls.js';
import { sendingOf, type SendingParts } from './sending.js';
import type { WaitingUsers } from './waiting-users.js';

/** Most messages that end without a request, in one go. */
const MAX_ENDED = 2_000;
/** Before a message that needs a course is looked at again while there is no room for one. Milliseconds. */
const NO_ROOM_MS = 1_000;
/** Between looks for the winner of a merge, milliseconds, and how long it is waited for: two windows of a minute. */
const LOOK_AGAIN_MS = 1_000;
const WINNER_FACTOR = 2;
/** Of a request: what is around the users, and between them. */
const ENVELOPE_BYTES = 100;

/** What a request may still take. */
export interface Room extends RequestLimits {
  /** Is somebody in it already? Else the first may be as large as it is. */
  readonly isBegun: boolean;
}

/** What became of those at the head of the line. They are out of the line, and locked. */
export interface Chosen {
  /** To leave in one request. */
  readonly sendings: readonly Sending[];
  /** There is nothing to write. */
  readonly ended: readonly EndedEntry[];
  /** When somebody in the line may be looked at again; infinite: when something changes. Epoch milliseconds. */
  readonly soonestMs: number;
}

export interface ChooserParts {
  readonly waiting: WaitingUsers;
  readonly locks: Locks;
  readonly courses: Courses;
  readonly view: IdentityView;
  readonly recent: RecentCalls;
}

/**
 * Takes messages out of the line and decides about them, in the order of waiting. One whose record, address or profile is being
 * written stays and holds nobody up: Iterable promises no order between requests, so one user is in one request at a time.
 */
export class Chooser {
  private coursesFromMs = 0;

  constructor(
    private readonly parts: ChooserParts,
    private readonly policy: Policy,
    private readonly dryRun: boolean,
  ) {}

  /**
   * This writer has just become the active one. What the one before it sent last may not be booked, nor worked on by Iterable: other
   * calls than bulk updates begin only when that has settled.
   */
  begin(nowMs: number): void {
    this.coursesFromMs = nowMs + this.policy.settleMs;
  }

  choose(lane: Lane, nowMs: number, room: Room): Chosen {
    const { waiting, locks } = this.parts;
    const sendings: Sending[] = [];
    const ended: EndedEntry[] = [];
    let soonestMs = Number.POSITIVE_INFINITY;
    let bytes = ENVELOPE_BYTES;
    for (const entry of waiting.inLine(lane)) {
      if (sendings.length >= room.maxUsers || ended.length >= MAX_ENDED) break;
      if (entry.notBeforeMs > nowMs || !locks.free(keysOf(entry))) {
        if (entry.notBeforeMs > nowMs) soonestMs = Math.min(soonestMs, entry.notBeforeMs);
        continue;
      }
      const winnerAtMs = this.winnerAtMs(entry, nowMs);
      if (winnerAtMs > nowMs) {
        soonestMs = Math.min(soonestMs, winnerAtMs);
        entry.notBeforeMs = winnerAtMs;
        continue;
      }
      const decision = this.decide(entry);
      if (!locks.free(locksOf(decision))) continue;
      const verdict = this.follow({ entry, lane, decision, course: null }, nowMs);
      if (verdict === 'later') {
        soonestMs = Math.min(soonestMs, entry.notBeforeMs);
      } else if (verdict === 'ended') {
        this.take(entry, decision);
        ended.push({ entry, decision, course: null, ending: endingOf(decision) });
      } else if (verdict === 'course') {
        this.take(entry, decision);
        this.parts.courses.add(entry, decision);
      } else {
        const isFull = bytes + verdict.bytes + 1 > room.maxBytes;
        if (isFull && (room.isBegun || sendings.length > 0)) break;
        this.take(entry, decision);
        sendings.push(verdict);
        bytes += verdict.bytes + 1;
      }
    }
    return { sendings, ended, soonestMs };
  }

  /**
   * The loser of a merge waits for the winner, which may have taken over its address with the merge, and comes by another partition.
   * Not for ever: a winner of which nothing mapped changed does not come. Epoch milliseconds.
   */
  private winnerAtMs({ message, takenAtMs }: Entry, nowMs: number): number {
    if (message.kind !== 'removal' || message.mergedInto === undefined) return 0;
    const winner = this.parts.view.of(message.mergedInto);
    const came = winner !== null && winner.version.modstampMs >= message.version.modstampMs;
    return came ? 0 : Math.min(nowMs + LOOK_AGAIN_MS, takenAtMs + WINNER_FACTOR * this.policy.settleMs);
  }

  /** In a dry run everything is decided, and nothing done or remembered. */
  private decide(entry: Entry): Decision {
    const decision = decide(entry.message, this.parts.view, this.policy);
    if (!this.dryRun) return decision;
    const ending =
      decision.steps.length > 0 ? ({ kind: 'skipped', reason: 'writer.dry_run' } as const) : decision.ending;
    return { ...decision, steps: [], rows: [], heirs: [], redrives: [], intent: null, ending };
  }

  private follow(parts: SendingParts, nowMs: number): 'ended' | 'later' | 'course' | Sending {
    const { entry, decision } = parts;
    const [step, ...more] = decision.steps;
    if (step === undefined) return 'ended';
    const plain = more.length === 0 && (step.kind === 'write' || step.kind === 'set');
    // A settling profile waits in line, where a newer state can still take its place.
    const settledMs = Math.max(decision.notBeforeMs, this.parts.recent.notBeforeMs(decision.steps));
    if (settledMs > nowMs) return later(entry, settledMs);
    if (plain) return sendingOf(parts, step);
    if (nowMs < this.coursesFromMs && endpointOf(step) !== 'bulk') return later(entry, this.coursesFromMs);
    if (this.parts.courses.full(entry.lane)) return later(entry, nowMs + NO_ROOM_MS);
    return 'course';
  }

  private take(entry: Entry, decision: Decision): void {
    this.parts.waiting.remove(entry);
    this.parts.locks.take(locksOf(decision));
  }
}

/** What any decision about it takes: its record, and a look at the rest. */
function keysOf({ keys: [record, ...others] }: Entry) {
  return { owned: record === undefined ? [] : [record], shared: others };
}

function later(entry: Entry, notBeforeMs: number): 'later' {
  entry.notBeforeMs = notBeforeMs;
  return 'later';
}

function endingOf({ ending }: Decision): EndedEntry['ending'] {
  return ending.kind === 'written' ? { kind: 'written', requestId: undefined } : ending;
}
