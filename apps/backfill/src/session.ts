import {
  isRetryable,
  topics,
  type Command,
  type Cursor,
  type RecordChange,
  recordTypeOfId,
  type Status,
  SyncError,
} from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { InvalidConditionError, parseCondition, SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import type { Health, Logger, Metrics } from '@libs/observability';
import { ExponentialBackoff, handleWhen, retry, type IPolicy } from 'cockatiel';
import { Ledger } from './core/ledger.js';
import { planJob, type JobPlan } from './core/plan-job.js';
import { forgetOldJobs, jobOf, loadJobs, saveJob, summary, type Job } from './jobs.js';
import { countRows, readPage, type Page } from './pages.js';
import { waitForRoom } from './room.js';

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

/** What of a plan is part of the job's durable state. */
function scopeOf(plan: JobPlan): Pick<Cursor, 'object' | 'where' | 'sinceMs' | 'hole' | 'fanOut' | 'ids'> {
  if (plan.kind === 'ids') return { ids: [...plan.ids] };
  const { object, where, sinceMs, hole, fanOut } = plan;
  return { object, where, sinceMs, hole, fanOut };
}

/** What a job is about, for a person: lists of ids as their lengths. */
function inWords({ ids, fanOut, ...rest }: ReturnType<typeof scopeOf>): Record<string, unknown> {
  return {
    ...rest,
    ...(ids !== undefined && { ids: ids.length }),
    ...(fanOut !== undefined && { fanOut: { from: fanOut.from, through: fanOut.through, records: fanOut.ids.length } }),
  };
}

type Checked =
  | { readonly ok: true; readonly plan: JobPlan; readonly total: number }
  | { readonly ok: false; readonly reason: string };

function sourceOf({ hole, fanOut }: Cursor): RecordChange['source'] {
  if (hole !== undefined) return 'catch-up';
  return fanOut === undefined ? 'backfill' : 'fan-out';
}

/** The state of a job that has read all: its lists are not needed any more, and it is kept for as long as the topic is. */
function withoutIds({ ids: _read, fanOut, ...cursor }: Cursor): Cursor {
  return { ...cursor, ...(fanOut !== undefined && { fanOut: { ...fanOut, ids: [] } }) };
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
    const planned = planJob(command, this.parts.mappedObjects());
    if (!planned.ok)
      return {
        type: 'rejected',
        known: !planned.reason.startsWith('unknown command'),
        data: { reason: planned.reason },
      };
    const checked = await this.check(planned.plan);
    if (!checked.ok) return { type: 'rejected', known: true, data: { reason: checked.reason } };
    const { plan, total } = checked;
    const job: Job = { cursor: await this.newCursor(command.id, plan, total), ledger: new Ledger() };
    await saveJob(this.parts.log, job);
    this.jobs.set(command.id, job);
    return { type: 'accepted', known: true, data: { ...inWords(scopeOf(plan)), total } };
  }

  /** Has the condition parsed and the org asked, which knows its fields best. A failure of the world is thrown, and tried again. */
  private async check(plan: JobPlan): Promise<Checked> {
    if (plan.kind === 'ids') return { ok: true, plan, total: plan.ids.length };
    try {
      const where = plan.where === undefined ? undefined : parseCondition(plan.object, plan.where);
      const checked = where === undefined ? plan : { ...plan, where };
      return { ok: true, plan: checked, total: await countRows(this.parts.salesforce, checked, this.signal) };
    } catch (error) {
      if (error instanceof InvalidConditionError) return { ok: false, reason: `data.where: ${error.message}` };
      if (error instanceof SalesforceQueryError)
        return { ok: false, reason: `Salesforce refuses it: ${error.message}` };
      throw error;
    }
  }

  private async newCursor(jobId: string, plan: JobPlan, total: number): Promise<Cursor> {
    const outcomes = await this.parts.log.offsets(topics.outcomes);
    return {
      jobId,
      state: 'running',
      ...scopeOf(plan),
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

  /** Jobs that are not at their end: catch-ups before fan-outs, those before ordinary ones, which are no news; the oldest first. */
  private running(): Job[] {
    const rank = ({ cursor }: Job) => (cursor.hole !== undefined ? 0 : cursor.fanOut !== undefined ? 1 : 2);
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
      const position = { ...job.cursor, after: page.after, queried: page.queried };
      // The next page is fetched while this one is published.
      if (!page.last) next = this.page(position);
      next.catch(() => undefined); // told by the await above in the next round
      await this.publish(job, page);
      job.cursor = page.last ? withoutIds({ ...position, readingDone: true }) : position;
      await this.untilItWorks.execute(() => saveJob(this.parts.log, job), this.signal);
      await this.report(job);
      if (page.last || this.nextToRead() !== job) return;
    }
  }

  private page(position: Cursor): Promise<Page> {
    return this.untilItWorks.execute(() => readPage(this.parts.salesforce, position, this.signal), this.signal);
  }

  private async publish(job: Job, page: Page): Promise<void> {
    const { log, metrics } = this.parts;
    if (page.ids.length === 0) return;
    const published = () => this.running().map(({ ledger }) => ledger.ranges);
    await this.untilItWorks.execute(() => waitForRoom(log, published, page.ids.length, this.signal), this.signal);
    const messages = page.ids.map((recordId) => ({
      topic: topics.changes,
      key: recordId,
      value: this.change(job, recordId),
    }));
    const positions = await this.untilItWorks.execute(() => log.append(messages), this.signal);
    job.ledger.publish(positions);
    for (const [object, rows] of Map.groupBy(messages, (message) => message.value.recordType))
      metrics.backfillRows.inc({ object }, rows.length);
  }

  private change({ cursor }: Job, recordId: string): RecordChange {
    return {
      recordType: cursor.object ?? recordTypeOfId(recordId) ?? 'Unknown',
      recordId,
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
