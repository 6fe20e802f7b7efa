import { setTimeout as wait } from 'node:timers/promises';
import { isRetryable, SyncError, topics } from '@libs/contracts';
import { decode, type EventLog, type LogRecord, type Position, type ReadOptions } from '@libs/event-log';
import type { Health, Logger } from '@libs/observability';
import type { Known } from './core/claims.js';
import type { IdentityView } from './core/decision.js';
import type { IdentityMessage } from './core/report.js';
import type { IdentityEntry, IdentityStore } from './identity-store.js';

/** Between tries while the log cannot be reached. Milliseconds. */
const RETRY_MS = 1_000;
/** A reading that says nothing for so long is given up and begun anew: a takeover must not hang on one connection. Milliseconds. */
const SILENCE_MS = 10_000;
const CHECK = 'identities';

/** A message of the topic, and where it stands. */
export interface Appended {
  readonly message: IdentityMessage;
  readonly position: Position;
}

/** The reading said nothing for too long. */
class SilentReadError extends SyncError {
  readonly code = 'event-log.unavailable';
  readonly retryable = true;
}

/**
 * What is known of each record, from this writer or one before it: a local copy of `sync.identities.v1`.
 * A standby follows the topic all the time, so that a takeover has little left to read. Readings may overlap, and one may
 * end late: taking a message twice, or out of turn, changes nothing.
 */
export class Identities {
  private readonly closing = new AbortController();
  private following: AbortController | null = null;
  private readonly intents: Appended[] = [];

  constructor(
    private readonly store: IdentityStore,
    private readonly log: Pick<EventLog, 'read' | 'offsets'>,
    private readonly parts: { readonly health: Health; readonly logger: Logger },
  ) {}

  /** What is known of records now. */
  get view(): IdentityView {
    return this.store;
  }

  /** Some of those to be forgotten when Iterable's daily limit allows. */
  dueToForget(most: number): readonly Known[] {
    return this.store.dueToForget(most);
  }

  /** Standing by: reads along. */
  standBy(): void {
    if (this.following !== null || this.closing.signal.aborted) return;
    const following = new AbortController();
    this.following = following;
    const signal = AbortSignal.any([following.signal, this.closing.signal]);
    void this.insist(() => this.readOn({ signal }), signal);
  }

  /**
   * Becoming active: resolves when everything that was in the topic at the call is in here, or `signal` aborts. An outage of
   * the log is waited out.
   */
  async catchUp(signal: AbortSignal): Promise<void> {
    this.following?.abort();
    this.following = null;
    this.add(this.intents.splice(0));
    const either = AbortSignal.any([signal, this.closing.signal]);
    await this.insist(() => this.readToEnd(either), either);
  }

  /**
   * Takes intents that were just appended. They are kept together with what becomes of them, in one write: their records are locked
   * until then, and a crash reads them again from the topic.
   */
  intended(appended: readonly Appended[]): void {
    this.intents.push(...appended);
  }

  /** Takes the identities that were just appended, at their positions. */
  wrote(appended: readonly Appended[]): void {
    if (appended.length > 0) this.add([...this.intents.splice(0), ...appended]);
  }

  private add(appended: readonly Appended[]): void {
    if (appended.length === 0) return;
    const complete = this.store.add(
      appended.map(({ message, position }) => ({
        recordId: message.key,
        identity: message.value,
        partition: position.partition,
        offset: position.offset,
      })),
    );
    // A writer that lost its claims appended something between: read it, too.
    if (!complete) void this.catchUp(this.closing.signal);
  }

  /** What a reading still brings is left to the next process. */
  close(): void {
    this.closing.abort();
    this.store.close();
  }

  private async readToEnd(signal: AbortSignal): Promise<void> {
    const attempt = new AbortController();
    const silence = new Promise<never>((_, reject) => {
      attempt.signal.addEventListener('abort', () => reject(attempt.signal.reason as Error), { once: true });
    });
    const giveUp = () => attempt.abort(new SilentReadError(`reading ${topics.identities.name}: nothing came`));
    const watch = setTimeout(giveUp, SILENCE_MS);
    const read = async () => {
      await this.forgetIfTopicIsNew();
      const options = { signal: AbortSignal.any([signal, attempt.signal]), untilEnd: true };
      await this.readOn(options, () => watch.refresh());
    };
    try {
      await Promise.race([read(), silence]);
    } finally {
      clearTimeout(watch);
    }
  }

  private async readOn(options: ReadOptions, onRecords = () => {}): Promise<void> {
    for await (const records of this.log.read(topics.identities, { ...options, from: this.store.positions() })) {
      if (options.signal?.aborted === true) return;
      this.store.follow(records.map((record) => this.toEntry(record)));
      onRecords();
    }
  }

  /** Runs until it succeeds or is told to stop. A bug stops the process. */
  private async insist(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await work();
        this.parts.health.set(CHECK, true);
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!isRetryable(error)) {
          this.parts.health.fail(error);
          return;
        }
        this.parts.health.set(CHECK, false, `${topics.identities.name} cannot be read: trying again`);
        this.parts.logger.warn({ err: error }, 'cannot read the identities, will try again');
        await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Positions beyond the end: the topic was made anew, and nothing in here is of it. */
  private async forgetIfTopicIsNew(): Promise<void> {
    const positions = this.store.positions();
    const ends = await this.log.offsets(topics.identities);
    if (ends.every(({ partition, next }) => (positions[partition] ?? 0) <= next)) return;
    this.parts.logger.warn('the identities topic is shorter than the local copy: reading it from the start');
    this.store.clear();
  }

  private toEntry(record: LogRecord): IdentityEntry {
    const { key: recordId, value, partition, offset } = record;
    if (value === null) return { recordId, identity: null, partition, offset };
    const decoded = decode(topics.identities, value);
    if (decoded.ok) return { recordId, identity: decoded.value, partition, offset };
    this.parts.logger.error({ partition, offset, reason: decoded.reason }, 'an identity is unreadable and ignored');
    return { recordId, identity: 'unreadable', partition, offset };
  }
}
