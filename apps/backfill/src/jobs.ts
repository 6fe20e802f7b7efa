import { topics, type BackfillProgress, type Cursor } from '@libs/contracts';
import { decode, type EventLog } from '@libs/event-log';
import { Ledger } from './core/ledger.js';

/** A job as this instance knows it. */
export interface Job {
  cursor: Cursor;
  readonly ledger: Ledger;
}

/** Reads the state of every job from the compacted topic: the newest of each wins. */
export async function loadJobs(log: EventLog, signal: AbortSignal): Promise<Map<string, Job>> {
  const jobs = new Map<string, Job>();
  for await (const records of log.read(topics.cursors, { untilEnd: true, signal })) {
    for (const record of records) {
      const decoded = decode(topics.cursors, record.value);
      if (decoded.ok) jobs.set(record.key, { cursor: decoded.value, ledger: new Ledger(decoded.value.published) });
    }
  }
  return jobs;
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
  return `completed, ${written} written, ${skipped} skipped, ${dead} dead${named.join('')}`;
}
