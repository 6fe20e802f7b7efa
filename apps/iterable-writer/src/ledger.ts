import { isRetryable } from '@libs/contracts';
import type { EventLog, Position } from '@libs/event-log';
import { backoffMs } from '@libs/iterable';
import type { Health, Logger, Metrics } from '@libs/observability';
import { isIdentity, reasonOf, toReport, type Ending, type ReportMessage } from './core/report.js';
import type { Entry } from './entry.js';
import type { Identities } from './identities.js';

const RETRY = { firstMs: 500, maxMs: 10_000 };
const CHECK = 'outcomes';

export interface EndedEntry {
  readonly entry: Entry;
  readonly ending: Ending;
}

/** The books: makes endings durable, and only then lets the positions pass them. */
export class Ledger {
  constructor(
    private readonly log: Pick<EventLog, 'append'>,
    private readonly identities: Pick<Identities, 'wrote'>,
    private readonly parts: { readonly health: Health; readonly logger: Logger; readonly metrics: Metrics },
  ) {}

  /**
   * Resolves when the endings are durable, or the partitions are no longer ours. An outage of the log is waited out.
   * The identity follows Iterable's answer, never comes before it: a crash between the two only repeats the write (Invariant 2).
   */
  async settle(ended: readonly EndedEntry[]): Promise<void> {
    const nowMs = Date.now();
    for (let attempt = 0; ; attempt += 1) {
      const ours = ended.filter(({ entry }) => !entry.holding.lost);
      if (ours.length === 0) return;
      const report = toReport(
        ours.map(({ entry, ending }) => ({ ...entry, ending })),
        nowMs,
      );
      try {
        this.book(ours, report, await this.log.append(report), nowMs);
        this.parts.health.set(CHECK, true);
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

  private book(
    ours: readonly EndedEntry[],
    report: readonly ReportMessage[],
    positions: readonly Position[],
    nowMs: number,
  ): void {
    const written = report.flatMap((message, index) => {
      const position = positions[index];
      return isIdentity(message) && position !== undefined ? [{ message, position }] : [];
    });
    if (written.length > 0) this.identities.wrote(written);
    for (const one of ours) {
      // Invariant 1: outcome, dead letter and identity are durable, now the position may pass the update.
      one.entry.holding.done(one.entry.offset);
      this.count(one, nowMs);
    }
  }

  private count({ entry: { update, lane }, ending }: EndedEntry, nowMs: number): void {
    const { metrics } = this.parts;
    const { recordType: object, offsets, commitTimestamp } = update;
    const outcome = ending.kind;
    metrics.outcomes.inc({ object, lane, outcome, reason: reasonOf(ending) ?? '' }, offsets.length);
    metrics.writerUsers.inc({ object, lane, outcome });
    if (ending.kind === 'dead') metrics.deadLetters.inc({ stage: 'writer', code: ending.code });
    if (ending.kind === 'written')
      metrics.endToEndSeconds.observe({ object, lane }, Math.max(0, nowMs - commitTimestamp) / 1000);
  }
}
