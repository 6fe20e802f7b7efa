import type { Lane, NewFieldPolicy, UserMessage } from '@libs/contracts';
import type { Batch, Claim, EventLog } from '@libs/event-log';
import {
  classifyReadAnswer,
  deadReasons,
  EndpointPace,
  MAX_REQUEST_BYTES,
  parseProfile,
  ProfileCalls,
  RateLimiter,
  Subscriptions,
  UnusableAnswerError,
  type IterableApi,
} from '@libs/iterable';
import type { Health, Logger, Metrics } from '@libs/observability';
import { SafetyStop, type SafetyStopOptions } from '@libs/service';
import type { Policy } from './core/decision.js';
import { CallTrouble } from './call-trouble.js';
import type { Look } from './courses.js';
import { Deferred } from './deferred.js';
import { Dispatcher, endingsOf } from './dispatcher.js';
import { toEntry, type Encode, type Entry } from './entry.js';
import { FieldBook } from './fields/field-book.js';
import { Gate } from './gate.js';
import { Holding } from './holding.js';
import { Identities } from './identities.js';
import type { IdentityStore } from './identity-store.js';
import { Ledger, type EndedEntry } from './ledger.js';
import { WaitingUsers } from './waiting-users.js';

/** After a takeover nothing is sent for so long: the last second of the one before has passed by then. Milliseconds. */
const TAKEOVER_HOLD_MS = 1_000;
/** Longest wait for requests on their way at a stop; inside the service's own deadline. Milliseconds. */
const FINISH_MS = 15_000;
/** Most that waits in a lane; past it reading waits (Invariant 5). */
const LANE_ROOM = { users: 10_000, bytes: 32_000_000 };

export interface WriterOptions {
  readonly policy: Policy;
  readonly requestsPerSecond: number;
  readonly usersPerRequest: number;
  readonly dryRun: boolean;
  readonly newFields: NewFieldPolicy;
  readonly seedFieldTypes: boolean;
  /** Milliseconds. */
  readonly sessionTimeoutMs: number;
  readonly deadLetterStop: SafetyStopOptions;
}

export interface WriterParts {
  readonly log: EventLog;
  readonly client: IterableApi;
  readonly store: IdentityStore;
  /** Of everything but bulk updates. Default: a new one. */
  readonly pace?: EndpointPace;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
}

/**
 * The one writer, or its standby: whoever owns the partitions is active. Takes updates, lets the dispatcher send them, and
 * moves the positions when their endings are durable. A claim that is lost takes its updates along: the new owner reads them again.
 */
export class Writer {
  private readonly waiting = new WaitingUsers(LANE_ROOM);
  private readonly holdings = new Map<string, Holding>();
  private readonly gate: Gate;
  private readonly identities: Identities;
  private readonly ledger: Ledger;
  private readonly dispatcher: Dispatcher;
  private readonly deferred: Deferred;
  private readonly fields: FieldBook;
  private readonly stop: SafetyStop;
  private readonly heldUp = new Set<() => void>();
  private readonly encode: Encode;
  private readonly limits: { readonly maxUsers: number; readonly maxBytes: number };
  private claims: readonly Claim[] = [];
  private activation: AbortController | null = null;
  private stopping = false;
  private readonly stoppedTaking = new AbortController();

  constructor(
    private readonly parts: WriterParts,
    private readonly options: WriterOptions,
  ) {
    const { log, client, store, metrics, pace = new EndpointPace() } = parts;
    this.limits = { maxUsers: options.usersPerRequest, maxBytes: MAX_REQUEST_BYTES };
    this.gate = new Gate(new RateLimiter(options.requestsPerSecond), { ...parts, cutOff: () => this.isCutOff() });
    this.identities = new Identities(store, log, parts);
    this.ledger = new Ledger(log, this.identities, parts);
    this.deferred = new Deferred(log, this.identities, parts);
    const calls = new ProfileCalls(client, pace);
    this.fields = new FieldBook(
      { ...parts, pace, calls, gate: this.gate },
      {
        projectType: options.policy.projectType,
        newFields: options.newFields,
        seed: options.seedFieldTypes && !options.dryRun,
        settleMs: options.policy.settleMs,
      },
    );
    this.stop = new SafetyStop({ ...parts, stage: 'writer' }, options.deadLetterStop);
    this.stop.onContinue(() => this.wentOn());
    this.encode = (dataFields, schema) => this.fields.encode(dataFields, schema);
    this.dispatcher = new Dispatcher(
      {
        ...parts,
        client,
        calls,
        fields: this.fields,
        stop: this.stop,
        subscriptions: new Subscriptions(client, pace),
        look: lookWith(client, pace),
        trouble: new CallTrouble(parts),
        gate: this.gate,
        waiting: this.waiting,
        identities: this.identities,
        ledger: this.ledger,
      },
      {
        ...this.limits,
        policy: options.policy,
        dryRun: options.dryRun,
        requestsPerSecond: options.requestsPerSecond,
      },
    );
    metrics.writerActive.set(0);
    metrics.writerPaused.set(0);
    metrics.writerCeiling.set(options.requestsPerSecond * options.usersPerRequest);
  }

  /** Begins as a standby. */
  start(): void {
    this.stop.start();
    this.identities.standBy();
  }

  /** A generation began with these claims; all of them are ours, or none is. */
  assigned(claims: readonly Claim[]): void {
    for (const claim of claims) {
      if (!this.claims.includes(claim)) claim.signal.addEventListener('abort', () => this.lost(), { once: true });
    }
    this.claims = claims;
    if (this.live().length === 0) this.standDown();
    else if (this.activation === null && !this.stopping) void this.activate();
  }

  /** Takes a run of updates. Resolves when there was room for them, not when they are written (Invariant 5). */
  async take(batch: Batch<UserMessage>, lane: Lane): Promise<void> {
    const holding = this.hold(batch);
    await this.prepare(batch);
    const ended: EndedEntry[] = [];
    for (const record of batch.records) {
      // Again and again: takers of other partitions are let on at the same time.
      while (!this.waiting.hasRoom(lane) && !holding.lost) {
        this.dispatcher.pump();
        await this.waiting.room(lane, batch.claim.signal);
      }
      if (holding.lost || this.stopping) break;
      const entry = toEntry(record, { holding, lane, nowMs: Date.now(), encode: this.encode });
      holding.took(record.offset);
      const refusal = this.refusalOf(entry);
      const superseded = refusal === null ? this.waiting.add(entry) : null;
      if (refusal !== null) ended.push({ entry, decision: null, course: null, ending: refusal });
      if (superseded !== null) ended.push({ entry: superseded, decision: null, course: null, ending: newerUpdate });
    }
    if (!holding.lost && !this.stopping) holding.passed(batch.nextOffset);
    this.dispatcher.pump();
    if (ended.length === 0 || !(await this.mayEnd(ended, batch.claim, lane))) return;
    this.stop.note(lane, endingsOf(ended));
    await this.ledger.settle(ended);
  }

  /** Takes no more; what is being taken returns at once, the rest of it unread. */
  stopTaking(): void {
    this.stopping = true;
    this.stoppedTaking.abort();
    this.waiting.giveUpRoom();
  }

  /** After {@link stopTaking}: finishes the requests on their way and commits. What only waited is read again by the next owner. */
  async finish(): Promise<void> {
    this.deferred.stop();
    this.dispatcher.close();
    await this.dispatcher.finish(FINISH_MS);
    this.fields.stop();
    await Promise.all([...this.holdings.values()].map((holding) => holding.flush()));
    this.activation?.abort();
    await this.stop.close();
    this.identities.close();
  }

  /** Without a heartbeat for so long the partitions may be another's. */
  private isCutOff(): boolean {
    return this.live().some((claim) => claim.heartbeatAgeMs() >= this.options.sessionTimeoutMs);
  }

  private live(): Claim[] {
    return this.claims.filter(({ signal }) => !signal.aborted);
  }

  private async activate(): Promise<void> {
    const activation = new AbortController();
    this.activation = activation;
    this.parts.metrics.writerActive.set(1);
    this.gate.holdFor(TAKEOVER_HOLD_MS);
    this.stop.restart();
    this.fields.start();
    await this.identities.catchUp(activation.signal);
    if (activation.signal.aborted) return;
    this.parts.logger.info('this writer is the active one');
    this.dispatcher.open();
    this.deferred.start();
  }

  private lost(): void {
    this.dispatcher.dropLost();
    if (this.live().length === 0) this.standDown();
  }

  private standDown(): void {
    this.deferred.stop();
    this.fields.stop();
    this.dispatcher.close();
    if (this.activation === null) return;
    this.activation.abort();
    this.activation = null;
    this.parts.metrics.writerActive.set(0);
    this.parts.logger.info('this writer stands by');
    this.identities.standBy();
  }

  /** When too many would become dead letters, their lane stands still until somebody has said otherwise. `false`: they are another's by then. */
  private async mayEnd(ended: readonly EndedEntry[], { signal }: Claim, lane: Lane): Promise<boolean> {
    while (this.stop.holdBack(lane, endingsOf(ended)) && !signal.aborted && !this.stopping) {
      await this.goesOn(AbortSignal.any([signal, this.stoppedTaking.signal]));
    }
    return !this.stopping && !signal.aborted;
  }

  private goesOn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.heldUp.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Fields get their types before their first values. Broken off when the partition is lost, or at a stop. */
  private async prepare({ records, claim }: Batch<UserMessage>): Promise<void> {
    const signal = AbortSignal.any([claim.signal, this.stoppedTaking.signal]);
    try {
      await this.fields.prepare(
        records.map(({ value }) => value),
        signal,
      );
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  private wentOn(): void {
    for (const resolve of this.heldUp) resolve();
    this.heldUp.clear();
    this.dispatcher.pump();
  }

  private hold({ claim, records, nextOffset }: Batch<UserMessage>): Holding {
    const key = `${claim.topic}:${claim.partition}`;
    const known = this.holdings.get(key);
    if (known?.claim === claim) return known;
    const holding = new Holding(claim, records[0]?.offset ?? nextOffset, this.parts);
    this.holdings.set(key, holding);
    return holding;
  }

  /** A message that never can be sent. */
  private refusalOf({ message, bytes }: Entry): EndedEntry['ending'] | null {
    if (message.kind !== 'update' || message.belongsTo !== undefined) return null;
    const known = this.options.policy.projectType === 'email' ? typeof message.email === 'string' : message.userId;
    if (known === undefined || known === false || known === '') return missingIdentifier;
    return bytes > this.limits.maxBytes ? tooLarge : null;
  }
}

function lookWith(client: IterableApi, pace: EndpointPace): Look {
  return async (email, signal) => {
    const answer = await pace.call('users/get', () => client.getUser({ email }, signal), signal);
    const verdict = classifyReadAnswer(answer);
    if (verdict.kind !== 'read' || answer instanceof Error) return verdict as Exclude<typeof verdict, { kind: 'read' }>;
    try {
      return { kind: 'found', profile: parseProfile(answer) };
    } catch (error) {
      if (error instanceof UnusableAnswerError) return { kind: 'retry', code: 'iterable.unreadable_answer' };
      throw error;
    }
  };
}

const newerUpdate = { kind: 'superseded', reason: 'writer.newer_update' } as const;
const tooLarge = {
  kind: 'dead',
  code: 'iterable.user_too_large',
  message: deadReasons['iterable.user_too_large'],
} as const;
const missingIdentifier = {
  kind: 'dead',
  code: 'writer.missing_identifier',
  message: 'The update has no identifier that this type of Iterable project knows users by: see ITERABLE_PROJECT_TYPE.',
} as const;
