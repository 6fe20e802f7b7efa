import { isRetryable } from '@libs/contracts';
import type { EventLog, Position } from '@libs/event-log';
import { backoffMs } from '@libs/iterable';
import type { Health, Logger, Metrics } from '@libs/observability';
import type { Decision, Row } from './core/decision.js';
import { isIdentity, reasonOf, toIdentityMessage, toReport, type Ending, type ReportMessage } from './core/report.js';
import type { Course } from './course.js';
import type { Entry } from './entry.js';
import type { Appended, Identities } from './identities.js';

const RETRY = { firstMs: 500, maxMs: 10_000 };
const CHECK = 'outcomes';

export interface EndedEntry {
  readonly entry: Entry;
  /** `null`: it never came to one, and changes nothing of what is known. */
  readonly decision: Decision | null;
  /** The course that it is a step of; `null`: it is the whole. */
  readonly course: Course | null;
  readonly ending: Ending;
}

/** The books: makes endings durable, and only then lets the positions pass them. */
export class Ledger {
  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly identities: Pick<Identities, 'wrote' | 'intended'>,
    private readonly parts: { readonly health: Health; readonly logger: Logger; readonly metrics: Metrics },
  ) {}

  /**
   * Resolves when the endings are durable, or the partitions are no longer ours. An outage of the log is waited out.
   * What is known follows Iterable's answer, never comes before it: a crash between the two only repeats the call (Invariant 2).
   */
  async settle(ended: readonly EndedEntry[]): Promise<void> {
    const nowMs = Date.now();
    const report = (ours: readonly EndedEntry[]) =>
      toReport(
        ours.map(({ entry, decision, course, ending }) => ({
          ...entry,
          decision,
          ending,
          reached: course?.reached ?? false,
        })),
        nowMs,
      );
    await this.insist(ended, (ours) => report(ours).first);
    await this.insist(
      ended,
      (ours) => report(ours).last,
      (ours) => this.book(ours, nowMs),
    );
  }

  /** Writes down which profiles are about to be written, before they are. Resolves as `settle` does. */
  async intend(rows: ReadonlyArray<{ readonly entry: Entry; readonly row: Row }>): Promise<void> {
    const nowMs = Date.now();
    await this.insist(
      rows,
      (ours) => ours.map(({ row }) => toIdentityMessage(row, nowMs)),
      () => {},
      (appended) => this.identities.intended(appended),
    );
  }

  /** Appends until it succeeds, for those whose partitions are still ours by then. */
  private async insist<T extends { readonly entry: Entry }>(
    all: readonly T[],
    messagesOf: (ours: readonly T[]) => readonly ReportMessage[],
    then: (ours: readonly T[]) => void = () => {},
    remember = (appended: readonly Appended[]) => this.identities.wrote(appended),
  ): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const ours = all.filter(({ entry }) => !entry.holding.lost);
      const messages = messagesOf(ours);
      try {
        if (messages.length > 0) remember(identitiesIn(messages, await this.log.append(messages)));
        this.parts.health.set(CHECK, true);
        then(ours);
        return;
      } catch (error) {
        if (!isRetryable(error)) throw error;
        this.parts.health.set(CHECK, false, 'the log does not take outcomes: trying again');
        this.parts.logger.warn({ err: error }, 'cannot append outcomes, will try again');
        const waitMs = backoffMs(attempt, Math.random(), RETRY);
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  private book(ours: readonly EndedEntry[], nowMs: number): void {
    for (const one of ours) {
      // Invariant 1: outcome, dead letter and identities are durable, now the position may pass the message.
      one.entry.holding.done(one.entry.offset);
      this.count(one, nowMs);
    }
  }

  private count({ entry: { message, lane }, decision, ending }: EndedEntry, nowMs: number): void {
    const { metrics } = this.parts;
    const { recordType: object, offsets, commitTimestamp } = message;
    const outcome = ending.kind;
    metrics.outcomes.inc({ object, lane, outcome, reason: reasonOf(ending) ?? '' }, offsets.length);
    metrics.writerUsers.inc({ object, lane, outcome });
    for (const { recordType } of decision?.redrives ?? []) metrics.writerRedrives.inc({ object: recordType });
    if (decision?.outranked === true) metrics.writerOutranked.inc({ object });
    if (ending.kind === 'dead') metrics.deadLetters.inc({ stage: 'writer', code: ending.code });
    if (ending.kind === 'written')
      metrics.endToEndSeconds.observe({ object, lane }, Math.max(0, nowMs - commitTimestamp) / 1000);
  }
}

function identitiesIn(messages: readonly ReportMessage[], positions: readonly Position[]): Appended[] {
  return messages.flatMap((message, index): Appended[] => {
    const position = positions[index];
    return isIdentity(message) && position !== undefined ? [{ message, position }] : [];
  });
}
