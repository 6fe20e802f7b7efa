import {
  isRetryable,
  topics,
  type Command,
  type Cursor,
  type RecordChange,
  type Status,
  SyncError,
} from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import type { SalesforceClient } from '@libs/salesforce';
import type { Health, Logger, Metrics } from '@libs/observability';
import { ExponentialBackoff, handleWhen, retry, type IPolicy } from 'cockatiel';
import { Ledger } from './core/ledger.js';
import { planCommand } from './core/plan-job.js';
import { forgetOldJobs, jobOf, loadJobs, saveJob, summary, type Job } from './jobs.js';
import { LetterPages } from './letter-pages.js';
import { readPage, type Page } from './pages.js';
import { waitForRoom } from './room.js';
import { surveyJob, type Survey } from './survey.js';

/** Shortest time between two progress reports of one job. Milliseconds. */
const REPORT_EVERY_MS = 1_000;

export interface SessionParts {
  readonly log: EventLog;
  readonly salesforce: SalesforceClient;
  /** The objects that are mapped now. */
  readonly mappedObjects: () => readonly string[];
  readonly metrics: Metrics;
  readonly health: Health;
  readonly logger: Logger;
}

function sourceOf({ hole, fanOut, redrive }: Cursor): RecordChange['source'] {
  if (hole !== undefined) return 'catch-up';
  if (redrive !== undefined) return 'redrive';
  return fanOut === undefined ? 'backfill' : 'fan-out';
}

/** The state of a job that has read all: its lists are not needed any more, and it is kept for as long as the topic is. */
function withoutIds({ ids: _read, fanOut, redrive, ...cursor }: Cursor): Cursor {
  return {
    ...cursor,
    ...(fanOut !== undefined && { fanOut: { ...fanOut, ids: [] } }),
    ...(redrive !== undefined && { redrive: { ...redrive, ids: undefined } }),
  };
}

/**
 * The time in which this instance owns the admin topic: it knows every job, reads the pages of one at a time, oldest first,
 * and follows the outcomes of all. Ends when `signal` aborts; whoever is next begins again from what is durable.
 */
export class Session {
  private jobs = new Map<string, Job>();
  private readonly opened: Promise<void>;
  private wakeReader: () => void = () => undefined;
  private readonly lastReport = new Map<string, number>();
  private readonly untilItWorks: IPolicy;
  private readonly letters: LetterPages;

  constructor(
    private readonly parts: SessionParts,
    private readonly signal: AbortSignal,
  ) {
    const policy = retry(
      handleWhen((error) => {
        if (!isRetryable(error)) return false;
        parts.health.set('backfill', false, `waiting: ${(error as SyncError).message}`);
        return true;
      }),
      {
        maxAttempts: Number.POSITIVE_INFINITY,
        backoff: new ExponentialBackoff({ initialDelay: 500, maxDelay: 30_000 }),
      },
    );
    policy.onSuccess(() => parts.health.set('backfill', true));
    this.untilItWorks = policy;
    this.letters = new LetterPages(parts.log);
    this.opened = this.open();
    this.guard(this.opened);
  }

  /** Carries out one command and answers it. Resolves when the answer, and the job if there is one, are durable. */
  async command(command: Command): Promise<void> {
    await this.opened;
    const answer = await this.decide(command);
    this.parts.metrics.commands.inc({ type: answer.known ? command.type : 'unknown', outcome: answer.type });
    await this.tell(command.id, answer.type, answer.data);
    if (answer.type === 'accepted') this.wakeReader();
  }

  private async decide(command: Command): Promise<Pick<Status, 'type' | 'data'> & { readonly known: boolean }> {
    const known = this.jobs.get(command.id);
    // The same command id twice does its work once.
    if (known !== undefined)
      return { type: 'accepted', known: true, data: { duplicate: true, state: known.cursor.state } };
    const planned = planCommand(command, this.parts.mappedObjects());
    if (!planned.ok) {
      const data = { reason: planned.reason, command: command.type };
      return { type: 'rejected', known: !planned.reason.startsWith('unknown command'), data };
    }
    const { plan } = planned;
    // Who is stopped takes it from the topic itself: nothing is to be done here, and doing it twice is harmless.
    if (plan.kind === 'continue')
      return { type: 'accepted', known: true, data: { command: command.type, minutes: plan.minutes } };
    const survey = await surveyJob(plan, this.parts, this.signal);
    if (!survey.ok) return { type: 'rejected', known: true, data: { reason: survey.reason, command: command.type } };
    const job: Job = { cursor: await this.newCursor(command.id, survey), ledger: new Ledger() };
    await saveJob(this.parts.log, job);
    this.jobs.set(command.id, job);
    return { type: 'accepted', known: true, data: { ...survey.words, total: survey.total } };
  }

  private async newCursor(jobId: string, { scope, total }: Extract<Survey, { ok: true }>): Promise<Cursor> {
    const outcomes = await this.parts.log.offsets(topics.outcomes);
    return {
      jobId,
      state: 'running',
      ...scope,
      queried: 0,
      total,
      readingDone: total === 0,
      published: {},
      outcomesFrom: Object.fromEntries(outcomes.map(({ partition, next }) => [partition, next])),
      startedAt: Date.now(),
    };
  }

  private async open(): Promise<void> {
    const { log } = this.parts;
    this.jobs = await this.untilItWorks.execute(() => loadJobs(log, this.signal), this.signal);
    await this.untilItWorks.execute(() => forgetOldJobs(log, this.jobs, Date.now()), this.signal);
    this.guard(this.followOutcomes(await this.outcomesStart()));
    this.guard(this.readJobs());
  }

  /** Jobs that are not at their end: catch-ups before fan-outs and redrives, those before ordinary ones, which are no news; the oldest first. */
  private running(): Job[] {
    const isNews = ({ fanOut, redrive }: Cursor) => fanOut !== undefined || redrive !== undefined;
    const rank = ({ cursor }: Job) => (cursor.hole !== undefined ? 0 : isNews(cursor) ? 1 : 2);
    return [...this.jobs.values()]
      .filter((job) => job.cursor.state === 'running')
      .toSorted((a, b) => rank(a) - rank(b) || a.cursor.startedAt - b.cursor.startedAt);
  }

  private nextToRead(): Job | undefined {
    return this.running().find(({ cursor }) => !cursor.readingDone);
  }

  /** Where the outcomes of the running jobs begin: jobs of later have theirs behind the present end. */
  private async outcomesStart(): Promise<Record<number, number>> {
    const ends = await this.untilItWorks.execute(() => this.parts.log.offsets(topics.outcomes), this.signal);
    const begins = ends.map(({ partition, next }) => {
      const needed = this.running().map(({ cursor }) => cursor.outcomesFrom[partition] ?? next);
      return [partition, Math.min(next, ...needed)] as const;
    });
    return Object.fromEntries(begins);
  }

  private async followOutcomes(from: Record<number, number>): Promise<void> {
    for await (const records of this.parts.log.read(topics.outcomes, { from, signal: this.signal })) {
      const touched = new Set<Job>();
      for (const record of records) {
        const decoded = decode(topics.outcomes, record.value);
        if (!decoded.ok) continue; // whoever consumes outcomes as a group dead-letters it
        for (const jobId of decoded.value.jobIds) {
          const job = this.jobs.get(jobId);
          if (job?.cursor.state !== 'running') continue;
          job.ledger.outcome(decoded.value);
          touched.add(job);
        }
      }
      for (const job of touched) await this.report(job);
    }
  }

  /** Reads one job after another and sleeps when none is left to read. */
  private async readJobs(): Promise<void> {
    while (!this.signal.aborted) {
      const job = this.nextToRead();
      this.parts.metrics.backfillJobs.set(this.running().length);
      if (job === undefined) {
        for (const waiting of this.running()) await this.report(waiting);
        const woken = new Promise<void>((resolve) => (this.wakeReader = resolve));
        this.signal.addEventListener('abort', () => this.wakeReader(), { once: true });
        if (this.nextToRead() === undefined) await woken; // no command came while it reported
        continue;
      }
      await this.readJob(job).catch((error: unknown) => this.failed(job, error));
    }
  }

  /** Reads a job to its end, or until another goes before it. */
  private async readJob(job: Job): Promise<void> {
    let next = this.page(job.cursor);
    while (!this.signal.aborted) {
      const page = await next;
      const position = { ...job.cursor, ...page.position };
      // The next page is fetched while this one is published.
      if (!page.last) next = this.page(position);
      next.catch(() => undefined); // told by the await above in the next round
      await this.publish(job, page);
      job.cursor = page.last ? withoutIds({ ...position, readingDone: true }) : position;
      await this.untilItWorks.execute(() => saveJob(this.parts.log, job), this.signal);
      await this.report(job);
      if (page.last) this.letters.forget();
      if (page.last || this.nextToRead() !== job) return;
    }
  }

  private page(position: Cursor): Promise<Page> {
    const { redrive, queried } = position;
    const read = () =>
      redrive === undefined
        ? readPage(this.parts.salesforce, position, this.signal)
        : this.letters.read(redrive, queried, this.signal);
    return this.untilItWorks.execute(read, this.signal);
  }

  private async publish(job: Job, page: Page): Promise<void> {
    const { log, metrics } = this.parts;
    if (page.records.length === 0) return;
    const published = () => this.running().map(({ ledger }) => ledger.ranges);
    await this.untilItWorks.execute(() => waitForRoom(log, published, page.records.length, this.signal), this.signal);
    this.signal.throwIfAborted(); // there may be no room, and whoever is next publishes this page
    const messages = page.records.map((record) => ({
      topic: topics.changes,
      key: record.recordId,
      value: this.change(job, record),
    }));
    const positions = await this.untilItWorks.execute(() => log.append(messages), this.signal);
    job.ledger.publish(positions);
    for (const [object, rows] of Map.groupBy(messages, (message) => message.value.recordType))
      metrics.backfillRows.inc({ object }, rows.length);
  }

  private change({ cursor }: Job, record: Page['records'][number]): RecordChange {
    return {
      ...record,
      changeType: 'SNAPSHOT',
      source: sourceOf(cursor),
      lane: 'backfill',
      commitTimestamp: Date.now(),
      jobId: cursor.jobId,
    };
  }

  /** Tells how a job stands, at most once a second, and at once when it is complete. */
  private async report(job: Job): Promise<void> {
    const { cursor, ledger } = job;
    if (cursor.state !== 'running') return;
    const now = Date.now();
    const progress = ledger.progress(cursor, now);
    // Invariant 4: complete only when each of its changes has an outcome, not when the reading is.
    if (cursor.readingDone && ledger.isSettled) {
      job.cursor = { ...cursor, state: 'completed' };
      await this.tell(cursor.jobId, 'completed', { ...progress, summary: summary(progress) });
      if (cursor.hole !== undefined)
        await this.tell(cursor.jobId, 'hole-closed', { object: cursor.object, ...cursor.hole });
      await this.untilItWorks.execute(() => saveJob(this.parts.log, job), this.signal);
      this.jobs.set(cursor.jobId, jobOf(job.cursor));
      this.parts.metrics.backfillJobs.set(this.running().length);
      this.parts.logger.info({ jobId: cursor.jobId }, `backfill ${summary(progress)}`);
      return;
    }
    if (now - (this.lastReport.get(cursor.jobId) ?? 0) < REPORT_EVERY_MS) return;
    this.lastReport.set(cursor.jobId, now);
    await this.tell(cursor.jobId, 'progress', progress);
  }

  private async failed(job: Job, error: unknown): Promise<void> {
    if (this.signal.aborted) return;
    if (!(error instanceof SyncError)) throw error;
    job.cursor = { ...job.cursor, state: 'failed', reason: error.code };
    await this.tell(job.cursor.jobId, 'failed', {
      ...job.ledger.progress(job.cursor, Date.now()),
      code: error.code,
      reason: error.message,
    });
    await this.untilItWorks.execute(() => saveJob(this.parts.log, job), this.signal);
    this.jobs.set(job.cursor.jobId, jobOf(job.cursor));
  }

  private async tell(id: string, type: Status['type'], data: Status['data']): Promise<void> {
    const message = { topic: topics.status, key: id, value: { id, type, data, time: Date.now(), by: 'backfill' } };
    await this.untilItWorks.execute(() => this.parts.log.append([message]), this.signal);
  }

  /** A rejection after the end of the session is its end; any other is a bug. */
  private guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.signal.aborted) this.parts.health.fail(error);
    });
  }
}
