import {
  backfillProgress,
  backfillStart,
  deadLettersRedrive,
  type BackfillStart,
  type Command,
  type DeadLettersRedrive,
  type Status,
} from '@libs/contracts';
import { z } from 'zod';
import { finalStates, type Job } from './answers.js';

/** Backfill jobs by command id, in the order in which they were first heard of. */
export type Jobs = ReadonlyMap<string, Job>;
export const noJobs: Jobs = new Map();

/** Most jobs kept; past it the oldest that has ended is forgotten, else the oldest. */
export const MAX_JOBS = 200;

function put(jobs: Jobs, job: Job): Jobs {
  const next = new Map(jobs).set(job.id, job);
  if (next.size > MAX_JOBS) {
    const ended = [...next.values()].find(({ id, state }) => finalStates.has(state) && id !== job.id);
    next.delete(ended?.id ?? next.keys().next().value ?? '');
  }
  return next;
}

const unknownJob = (id: string, timeMs: number): Job => ({
  id,
  state: 'sent',
  updatedAt: timeMs,
  ratePerSecond: null,
  etaMs: null,
});

const targetOf = ({ object, where, since, ids, hole, fanOut }: BackfillStart) => ({
  object,
  where,
  since,
  idCount: ids?.length,
  catchUp: hole?.reason,
  ...(fanOut !== undefined && { fanOut: { from: fanOut.from, records: fanOut.ids.length } }),
});

const lettersOf = ({ codes, objects, ids, from, to }: DeadLettersRedrive) => ({
  redrive: { codes, objects, idCount: ids?.length, from, to },
});

/** The commands that make jobs: what a job was asked for, by their data. */
const askedFor: Readonly<Record<string, (data: unknown) => Partial<Job>>> = {
  'backfill.start': (data) => {
    const asked = backfillStart.safeParse(data);
    return asked.success ? targetOf(asked.data) : {};
  },
  'dead-letters.redrive': (data) => {
    const asked = deadLettersRedrive.safeParse(data);
    return asked.success ? lettersOf(asked.data) : { redrive: {} };
  },
};

/** A command was sent: what a job was asked for. Commands that make no job, and repeats of an id, change nothing. */
export function addCommand(jobs: Jobs, { id, type, data, by }: Command, timeMs: number): Jobs {
  const known = jobs.get(id);
  const asked = Object.hasOwn(askedFor, type) ? askedFor[type] : undefined;
  if (asked === undefined || known?.requestedAt !== undefined) return jobs;
  return put(jobs, { ...(known ?? unknownJob(id, timeMs)), ...asked(data), by, requestedAt: timeMs });
}

/** Records of a job that have ended, however. */
export function doneOf(progress: Job['progress']): number {
  const { written = 0, superseded = 0, filtered = 0, skipped = 0, expanded = 0, dead = 0 } = progress ?? {};
  return written + superseded + filtered + skipped + expanded + dead;
}

function pace(progress: Job['progress'], running: boolean): Pick<Job, 'ratePerSecond' | 'etaMs'> {
  const done = doneOf(progress);
  const elapsedMs = progress?.elapsedMs ?? 0;
  if (done === 0 || elapsedMs <= 0) return { ratePerSecond: null, etaMs: null };
  const ratePerSecond = (done * 1_000) / elapsedMs;
  const left = progress?.total === undefined ? null : Math.max(0, progress.total - done);
  return { ratePerSecond, etaMs: running && left !== null ? Math.round((left * 1_000) / ratePerSecond) : null };
}

/** Who runs the jobs: answers of others are about something else. */
const JOBS_RUN_BY = 'backfill';
/** Answered by the same, but no job. */
const CONTINUE = 'dead-letters.continue';

/** States by the types of status that are about jobs; those about holes and mappings are not here. */
const stateOf: Partial<Record<Status['type'], Job['state']>> = {
  accepted: 'accepted',
  rejected: 'rejected',
  progress: 'running',
  completed: 'completed',
  failed: 'failed',
};

const isoTime = (timeMs: number | undefined) => (timeMs === undefined ? undefined : new Date(timeMs).toISOString());

/** What the backfill service says beside its counts: what was asked for, why not, and how it ended in one sentence. */
const said = z.object({
  object: z.string().optional().catch(undefined),
  where: z.string().optional().catch(undefined),
  ids: z.number().int().optional().catch(undefined),
  fanOut: z.object({ from: z.string(), records: z.number().int() }).optional().catch(undefined),
  redrive: z
    .object({
      codes: z.array(z.string()).optional(),
      objects: z.array(z.string()).optional(),
      ids: z.number().int().optional(),
      fromMs: z.number().optional(),
      toMs: z.number().optional(),
    })
    .transform(({ codes, objects, ids: idCount, fromMs, toMs }) => ({
      codes,
      objects,
      idCount,
      from: isoTime(fromMs),
      to: isoTime(toMs),
    }))
    .optional()
    .catch(undefined),
  reason: z.string().optional().catch(undefined),
  summary: z.string().optional().catch(undefined),
});

/**
 * An answer or a report about a job. Input: in log order. A job that has ended stays so: a later `rejected` is the answer to
 * a repeat of its command, a later `progress` a redelivery.
 */
export function addStatus(jobs: Jobs, { id, type, data, time, by }: Status): Jobs {
  const state = stateOf[type];
  if (state === undefined || by !== JOBS_RUN_BY || data['command'] === CONTINUE) return jobs;
  const known = jobs.get(id);
  if (known !== undefined && finalStates.has(known.state)) return jobs;
  if (type === 'rejected' && known?.state === 'running') return jobs;
  if (type === 'accepted' && known?.state === 'running') return jobs;
  const told = backfillProgress.partial().safeParse(data);
  const progress =
    told.success && Object.keys(told.data).length > 0 ? { ...known?.progress, ...told.data } : known?.progress;
  const { object, where, ids, fanOut, redrive, reason, summary } = said.parse(data);
  return put(jobs, {
    ...(known ?? unknownJob(id, time)),
    state,
    updatedAt: time,
    object: known?.object ?? object,
    where: known?.where ?? where,
    idCount: known?.idCount ?? ids,
    fanOut: known?.fanOut ?? fanOut,
    redrive: known?.redrive ?? redrive,
    reason: reason ?? known?.reason,
    summary: summary ?? known?.summary,
    progress,
    ...pace(progress, state === 'running'),
  });
}

/** Newest first. */
export function listJobs(jobs: Jobs): Job[] {
  return [...jobs.values()].toSorted((a, b) => (b.requestedAt ?? b.updatedAt) - (a.requestedAt ?? a.updatedAt));
}
