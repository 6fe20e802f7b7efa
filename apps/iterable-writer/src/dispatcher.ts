import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isOlder, lanes, type Lane } from '@libs/contracts';
import {
  classifyBulkAnswer,
  encodeRequest,
  isCallError,
  packRequest,
  type BulkVerdict,
  type IterableClient,
  type RequestLimits,
} from '@libs/iterable';
import type { Health, Metrics } from '@libs/observability';
import { afterAnswer, afterFailure, afterSplit, type Consequence } from './answers.js';
import { lingerMs } from './core/linger.js';
import { selectUsers } from './core/select-users.js';
import type { Entry } from './entry.js';
import type { Gate } from './gate.js';
import type { Identities } from './identities.js';
import type { EndedEntry, Ledger } from './ledger.js';
import { everyoneIn, newPiece, type Piece } from './piece.js';
import type { WaitingUsers } from './waiting-users.js';

/** Requests on their way at once: at 5 a second and 3 s an answer, 15 are needed for the whole rate. Source: segmentio/action-destinations PR 2343. */
const MAX_IN_FLIGHT = 16;
/** More, for real-time users only: slow backfill requests never keep them waiting (Invariant 6). */
const REALTIME_RESERVE = 4;
/** How long a backfill request waits to fill up. Milliseconds. */
const LINGER = { quietMs: 100, longestMs: 1_000 };
/** Between looks at the heartbeat when it is too old. Milliseconds. */
const HEARTBEAT_LOOK_MS = 100;

export interface DispatcherOptions extends RequestLimits {
  readonly dryRun: boolean;
  /** Without a heartbeat for so long the partitions may be another's: nothing is sent. Milliseconds. */
  readonly sessionTimeoutMs: number;
  /** Age of the oldest heartbeat of the partitions in hand. Milliseconds. */
  heartbeatAgeMs(): number;
}

export interface DispatcherParts {
  readonly client: IterableClient;
  readonly gate: Gate;
  readonly waiting: WaitingUsers;
  readonly identities: Pick<Identities, 'isStale'>;
  readonly ledger: Ledger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/**
 * Sends what waits, whenever the gate lets a request out: real-time first, then backfill (Invariant 6); one request in flight
 * a user. Everything is driven by `pump`: on arrivals, answers and timers.
 */
export class Dispatcher {
  /** To be sent again or further: halves, tests, what got no answer. */
  private pieces: Piece[] = [];
  private readonly inFlight = new Map<Piece, AbortController>();
  /** Every promise on its way: a request, and the booking of its endings. */
  private readonly tasks = new Set<Promise<void>>();
  private readonly locked = new Set<string>();
  private lockedUsers = 0;
  private isOpen = false;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly parts: DispatcherParts,
    private readonly options: DispatcherOptions,
  ) {}

  open(): void {
    this.isOpen = true;
    this.pump();
  }

  /** Nothing more is sent. */
  close(): void {
    this.isOpen = false;
    this.sleep();
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
      if (piece.entries.some(({ holding }) => holding.lost)) controller.abort();
    }
    this.show();
  }

  /** Sends all that may be sent now, and sees to it that it is called again when more may be. */
  pump(): void {
    this.sleep();
    while (this.isOpen && this.hasWork()) {
      const nowMs = Date.now();
      const waitMs = this.waitMs(nowMs);
      if (waitMs === null) break;
      if (waitMs > 0) {
        this.wakeIn(waitMs);
        break;
      }
      const piece = this.pick(nowMs);
      if (piece === null) break;
      if (!this.options.dryRun) this.parts.gate.take();
      this.launch(piece);
    }
    this.show();
  }

  private hasWork(): boolean {
    return this.pieces.length > 0 || lanes.some((lane) => this.parts.waiting.load(lane).users > 0);
  }

  /** Until a request may leave, whatever it carries; `null`: something must be finished first. */
  private waitMs(nowMs: number): number | null {
    if (this.inFlight.size >= MAX_IN_FLIGHT + REALTIME_RESERVE) return null;
    // Design: a member that the log may have given up sends nothing; its successor does.
    if (this.options.heartbeatAgeMs() >= this.options.sessionTimeoutMs) return HEARTBEAT_LOOK_MS;
    return this.options.dryRun ? 0 : this.parts.gate.waitMs(nowMs, this.inFlight.size);
  }

  /** The next request's users, out of the line and locked; `null`: none now. */
  private pick(nowMs: number): Piece | null {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (const lane of lanes) {
      if (lane === 'backfill' && this.inFlight.size >= MAX_IN_FLIGHT) break;
      const piece = this.duePiece(lane, nowMs) ?? this.freshPiece(lane, nowMs);
      if (typeof piece === 'object') return piece;
      soonestMs = Math.min(soonestMs, piece);
    }
    for (const { notBeforeMs } of this.pieces) soonestMs = Math.min(soonestMs, notBeforeMs - nowMs);
    if (Number.isFinite(soonestMs)) this.wakeIn(Math.max(1, soonestMs));
    return null;
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
      if (current.entries.length > 0) return current;
    }
  }

  /** Users from the line; a number: none before so many milliseconds. */
  private freshPiece(lane: Lane, nowMs: number): Piece | number {
    const { waiting } = this.parts;
    const load = waiting.load(lane);
    if (load.users === 0 || this.lockedUsers >= this.maxLocked(lane)) return Number.POSITIVE_INFINITY;
    const linger = lane === 'realtime' ? 0 : lingerMs(load, nowMs, { ...LINGER, ...this.options });
    if (linger > 0) return linger;
    for (;;) {
      const free = selectUsers(waiting.inLine(lane), this.locked).slice(0, this.options.maxUsers * 2);
      const { request } = packRequest(free, this.options);
      const stale = request.filter(({ update, version }) => this.parts.identities.isStale(update.recordId, version));
      for (const entry of stale.length > 0 ? stale : request) {
        waiting.remove(entry);
        this.lock(entry);
      }
      if (stale.length === 0) return request.length > 0 ? newPiece(lane, request) : Number.POSITIVE_INFINITY;
      // Invariant 3: a newer state is written already; this one is never sent.
      this.end(stale.map((entry) => ({ entry, ending: { kind: 'superseded', reason: 'writer.stale_version' } })));
    }
  }

  /** Bounds what pieces that get no answer hold in memory (Invariant 5). */
  private maxLocked(lane: Lane): number {
    return this.options.maxUsers * (MAX_IN_FLIGHT + (lane === 'realtime' ? REALTIME_RESERVE : 0));
  }

  private launch(piece: Piece): void {
    const controller = new AbortController();
    this.inFlight.set(piece, controller);
    this.track(this.exchange(piece, controller.signal));
  }

  private async exchange(piece: Piece, signal: AbortSignal): Promise<void> {
    const requestId = randomUUID();
    const { ended, next } = await (this.options.dryRun ? dryRun(piece) : this.request(piece, signal, requestId));
    this.inFlight.delete(piece);
    this.pieces.unshift(...next.flatMap((one) => this.withoutLost(one)));
    this.pump();
    await this.book(ended);
  }

  private async request(piece: Piece, signal: AbortSignal, requestId: string): Promise<Consequence> {
    const { metrics, gate, client } = this.parts;
    const { entries, lane } = piece;
    const body = encodeRequest(entries);
    for (const entry of entries) entry.attempts += 1;
    metrics.writerBatchUsers.observe({ lane }, entries.length);
    metrics.writerBatchBytes.observe({ lane }, Buffer.byteLength(body));
    const stopClock = metrics.writerRequestSeconds.startTimer();
    const answer = await client.bulkUpdateUsers(body, signal).catch((error: unknown) => {
      if (isCallError(error)) return error;
      if (signal.aborted) return null;
      throw error;
    });
    stopClock();
    // Broken off: what is still ours goes again, as one plain request.
    if (answer === null) return { ended: [], next: [newPiece(lane, everyoneIn(piece))] };
    const verdict = classifyBulkAnswer(entries, answer);
    metrics.writerRequests.inc({ lane, code: codeOf(verdict) });
    if (verdict.kind === 'retry' || verdict.kind === 'refused') {
      const nowMs = Date.now();
      const waitMs = gate.failed(verdict, piece.attempt, nowMs);
      // Refused or limited: not for what is in the piece.
      if (waitMs === null) return { ended: [], next: [piece] };
      return { ended: [], next: afterFailure(piece, nowMs + waitMs, !gate.paused) };
    }
    gate.answered();
    return verdict.kind === 'split' ? afterSplit(piece, verdict, requestId) : afterAnswer(piece, verdict, requestId);
  }

  /** What is still ours of a piece: as it is, or as one plain request of those that are left. */
  private withoutLost(piece: Piece): Piece[] {
    const everyone = everyoneIn(piece);
    const ours = everyone.filter(({ holding }) => !holding.lost);
    if (ours.length === everyone.length) return [piece];
    for (const entry of everyone) if (entry.holding.lost) this.unlock(entry);
    return ours.length > 0 ? [newPiece(piece.lane, ours)] : [];
  }

  /** Of what is sent again, without those whose newer state waits already. A search keeps its sets: it reasons about them. */
  private withoutSuperseded(piece: Piece): Piece {
    if (piece.search !== null) return piece;
    const isSuperseded = ({ update, version }: Entry) => {
      const newer = this.parts.waiting.of(update.recordId);
      return newer !== undefined && !isOlder(newer.version, version);
    };
    const superseded = piece.entries.filter(isSuperseded);
    if (superseded.length === 0) return piece;
    this.end(superseded.map((entry) => ({ entry, ending: { kind: 'superseded', reason: 'writer.newer_update' } })));
    return { ...piece, entries: piece.entries.filter((entry) => !superseded.includes(entry)) };
  }

  private end(ended: readonly EndedEntry[]): void {
    this.track(this.book(ended));
  }

  /** The keys stay locked until the endings are durable: what comes after for a record sees the version written. */
  private async book(ended: readonly EndedEntry[]): Promise<void> {
    if (ended.length === 0) return;
    await this.parts.ledger.settle(ended);
    for (const { entry } of ended) this.unlock(entry);
    this.pump();
  }

  private lock(entry: Entry): void {
    for (const key of entry.keys) this.locked.add(key);
    this.lockedUsers += 1;
  }

  private unlock(entry: Entry): void {
    for (const key of entry.keys) this.locked.delete(key);
    this.lockedUsers -= 1;
  }

  private track(task: Promise<void>): void {
    const tracked = task
      .catch((error: unknown) => this.parts.health.fail(error))
      .finally(() => this.tasks.delete(tracked));
    this.tasks.add(tracked);
  }

  private wakeIn(ms: number): void {
    this.sleep();
    this.timer = setTimeout(() => this.pump(), ms);
  }

  private sleep(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private show(): void {
    for (const lane of lanes) this.parts.metrics.writerWaiting.set({ lane }, this.parts.waiting.load(lane).users);
  }
}

async function dryRun({ entries }: Piece): Promise<Consequence> {
  await nextTurn(); // the line is long, and nothing else waits
  return {
    ended: entries.map((entry) => ({ entry, ending: { kind: 'skipped', reason: 'writer.dry_run' } })),
    next: [],
  };
}

function codeOf(verdict: BulkVerdict): string {
  if (verdict.kind !== 'answered') return verdict.code;
  return verdict.users.every(({ kind }) => kind === 'written') ? 'ok' : 'partial';
}
