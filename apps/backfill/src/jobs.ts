import { topics, type BackfillProgress, type Cursor } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { Ledger } from './core/ledger.js';

/** A job as this instance knows it. */
export interface Job {
  cursor: Cursor;
  readonly ledger: Ledger;
}

/** How long an ended job is kept: by then its command is gone from `sync.commands.v1`, and cannot be delivered again. Milliseconds. */
const FORGET_AFTER_MS = 30 * 24 * 3_600_000;

/** Reads the state of every job from the compacted topic: the newest of each wins. */
export async function loadJobs(log: EventLog, signal: AbortSignal): Promise<Map<string, Job>> {
  const cursors = new Map<string, Cursor>();
  for await (const records of log.read(topics.cursors, { untilEnd: true, signal })) {
    for (const record of records) {
      const decoded = decode(topics.cursors, record.value);
      if (decoded.ok) cursors.set(record.key, decoded.value);
      else if (record.value === null) cursors.delete(record.key);
    }
  }
  return new Map([...cursors].map(([id, cursor]) => [id, jobOf(cursor)]));
}

/** A job by its state. Of one that has ended only the state matters: its ranges and counts are not kept in memory. */
export function jobOf(cursor: Cursor): Job {
  if (cursor.state === 'running') return { cursor, ledger: new Ledger(cursor.published) };
  return { cursor: { ...cursor, published: {}, outcomesFrom: {} }, ledger: new Ledger() };
}

/** Drops jobs that ended long ago from the topic and the map: there is one for each large fan-out. */
export async function forgetOldJobs(log: EventLog, jobs: Map<string, Job>, nowMs: number): Promise<void> {
  const old = [...jobs.values()].filter(
    ({ cursor }) => cursor.state !== 'running' && cursor.startedAt + FORGET_AFTER_MS < nowMs,
  );
  await log.append(old.map(({ cursor }) => ({ topic: topics.cursors, key: cursor.jobId, value: null })));
  for (const { cursor } of old) jobs.delete(cursor.jobId);
}

/** Makes a job's state durable. */
export async function saveJob(log: EventLog, job: Job): Promise<void> {
  await log.append([
    { topic: topics.cursors, key: job.cursor.jobId, value: { ...job.cursor, published: toCursorRanges(job) } },
  ]);
}

function toCursorRanges(job: Job): Cursor['published'] {
  return Object.fromEntries(
    Object.entries(job.ledger.ranges).map(([partition, ranges]) => [partition, ranges.map(([from, to]) => [from, to])]),
  );
}

/** The one sentence that a person reads. */
export function summary(progress: BackfillProgress): string {
  const { written, skipped, dead, superseded, filtered, expanded } = progress;
  const rest = [
    [superseded, 'superseded'],
    [filtered, 'filtered'],
    [expanded, 'expanded'],
  ] as const;
  const named = rest.filter(([count]) => count > 0).map(([count, what]) => `, ${count} ${what}`);
  const noRecord = progress.reasons['backfill.no_record'] ?? 0;
  if (noRecord > 0) named.push(`, ${noRecord} dead letter${noRecord === 1 ? ' names' : 's name'} no record`);
  return `completed, ${written} written, ${skipped} skipped, ${dead} dead${named.join('')}`;
}
