import { batchTopics, lanes, outcome, topics, updateTopics, type Lane } from '@libs/contracts';
import { decode, type EventLog, type LogRecord } from '@libs/event-log';
import type { Health, Metrics } from '@libs/observability';
import { z } from 'zod';
import type { AccountingAnswer } from '../core/accounting-answers.js';
import { pause } from '../pause.js';
import { untilDone, type LogWatch } from '../topic-reader.js';
import { findBeginning } from './beginning.js';
import { Ledger, type Account, type Positions } from './core/ledger.js';
import { GapFinder } from './gap-finder.js';
import { showAccount, toAnswer, warningOf } from './show-account.js';
import { TopicCursor } from './topic-cursor.js';
import { takeEnds, takePositions, withinLog, type AllEnds } from './topic-ends.js';

/** Between two accounts. Milliseconds. */
const EVERY_MS = 10_000;

/** Updates hold profiles: of them only this is looked at. */
const coverage = z.object({ offsets: outcome.shape.offsets });

export interface AccountantParts {
  readonly log: Pick<EventLog, 'read' | 'offsets' | 'committed'>;
  readonly metrics: Pick<
    Metrics,
    'accountingGap' | 'accountingInFlight' | 'accountingChanges' | 'accountingSince' | 'accountingTime'
  >;
  readonly health: Pick<Health, 'set' | 'warn'>;
}

/** A book and how far each topic is read into it. */
interface Books {
  readonly ledger: Ledger;
  readonly sinceMs: number;
  readonly changes: TopicCursor;
  readonly outcomes: TopicCursor;
  readonly batches: Readonly<Record<Lane, TopicCursor>>;
  readonly updates: Readonly<Record<Lane, TopicCursor>>;
}

/**
 * Keeps the account of Invariant 4 from the topics alone, so that it does not share a mistake with the services that it is about: what
 * counts is said at {@link Ledger}. Reads changes and outcomes once, and of batches and updates only what is not done when a change is
 * looked for. A gap is a warning when it is there in two accounts, one after the other.
 */
export class Accountant {
  private readonly finder: GapFinder;
  private books: Books | null = null;
  private hadGap = false;

  constructor(
    private readonly parts: AccountantParts,
    private readonly onAccount: (answer: AccountingAnswer) => void,
  ) {
    this.finder = new GapFinder(parts.log);
  }

  /** Makes an account every ten seconds until `signal` aborts. Errors: those that are no failure of the world. */
  async run(watch: LogWatch, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await untilDone(() => this.evaluate(signal), watch, signal);
      await pause(EVERY_MS, signal);
    }
  }

  /** Makes one account. Nothing is told when `signal` aborts meanwhile. Errors: those of the log; the next one goes on from where it was. */
  async evaluate(signal: AbortSignal): Promise<void> {
    const { log, metrics, health } = this.parts;
    // First how far the stages have come, then the ends: see Ledger.
    const taken = await takePositions(log);
    const ends = await takeEnds(log);
    const books = await this.booksFor(ends, signal);
    if (books === null) return;
    const account = await this.account(books, withinLog(taken, ends), ends, signal);
    const gaps = await this.finder.find(account.gaps, ends.changes, signal);
    if (signal.aborted) return;
    const isConfirmed = account.gap > 0 && this.hadGap;
    this.hadGap = account.gap > 0;
    const answer = toAnswer(account, { gaps, isConfirmed, timeMs: Date.now(), sinceMs: books.sinceMs });
    showAccount(metrics, answer);
    if (isConfirmed) health.warn('accounting', warningOf(answer));
    else health.set('accounting', true);
    this.onAccount(answer);
  }

  /** The books; new ones when a topic lost what was not read yet, or began anew: then what was counted says nothing any more. */
  private async booksFor(ends: AllEnds, signal: AbortSignal): Promise<Books | null> {
    const { books } = this;
    if (books !== null && !books.changes.isCutOff(ends.changes) && !books.outcomes.isCutOff(ends.outcomes))
      return books;
    this.books = null;
    const { log } = this.parts;
    const { changes, outcomes, sinceMs } = await findBeginning(log, ends, Date.now(), signal);
    if (signal.aborted) return null;
    const nowhere = new Map<number, number>();
    const cursors = (byLane: typeof batchTopics | typeof updateTopics) => ({
      realtime: new TopicCursor(log, byLane.realtime, nowhere),
      backfill: new TopicCursor(log, byLane.backfill, nowhere),
    });
    this.books = {
      ledger: new Ledger(changes),
      sinceMs,
      changes: new TopicCursor(log, topics.changes, changes),
      outcomes: new TopicCursor(log, topics.outcomes, outcomes),
      batches: cursors(batchTopics),
      updates: cursors(updateTopics),
    };
    return this.books;
  }

  private async account(
    { ledger, changes, outcomes, batches, updates }: Books,
    positions: Positions,
    ends: AllEnds,
    signal: AbortSignal,
  ): Promise<Account> {
    await changes.readTo(ends.changes, (records) => takeChanges(ledger, records), signal);
    await outcomes.readTo(ends.outcomes, (records) => takeOutcomes(ledger, records), signal);
    ledger.forgetUnknown();
    let account = ledger.judge(positions);
    for (const lane of lanes) {
      batches[lane].moveTo(positions.batches[lane]);
      if (account.gap === 0) continue;
      await batches[lane].readTo(ends.batches[lane], (records) => takeBatches(ledger, lane, records), signal);
      account = ledger.judge(positions);
    }
    for (const lane of lanes) {
      updates[lane].moveTo(positions.updates[lane]);
      if (account.gap === 0) continue;
      await updates[lane].readTo(ends.updates[lane], (records) => takeUpdates(ledger, lane, records), signal);
      account = ledger.judge(positions);
    }
    return account;
  }
}

function takeChanges(ledger: Ledger, records: readonly LogRecord[]): void {
  for (const { partition, offset, value } of records) {
    const change = decode(topics.changes, value);
    ledger.change(partition, offset, change.ok ? change.value : null);
  }
}

/** An unreadable outcome, batch or update says nothing of any change: its changes stay without one. */
function takeOutcomes(ledger: Ledger, records: readonly LogRecord[]): void {
  for (const { value } of records) {
    const ended = decode(topics.outcomes, value);
    if (ended.ok) ledger.outcome(ended.value.offsets, ended.value.kind);
  }
}

function takeBatches(ledger: Ledger, lane: Lane, records: readonly LogRecord[]): void {
  for (const { partition, offset, value } of records) {
    const batch = decode(batchTopics[lane], value);
    if (!batch.ok) continue;
    for (const { offsets } of batch.value.entries) ledger.covered('batched', offsets, { lane, partition, offset });
  }
}

function takeUpdates(ledger: Ledger, lane: Lane, records: readonly LogRecord[]): void {
  const topic = { ...updateTopics[lane], schema: coverage };
  for (const { partition, offset, value } of records) {
    const update = decode(topic, value);
    if (update.ok) ledger.covered('updated', update.value.offsets, { lane, partition, offset });
  }
}
