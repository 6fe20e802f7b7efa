import { groupOf, topics, updateTopics, type Topic } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { SandboxProcess } from '../../support/sandbox.js';
import { waitFor } from '../../support/wait.js';
import type { Change } from './changes.js';

/** What Iterable allows, and the settings' defaults. Source: facts/iterable.md §1.2. */
export const allowance = { requestsPerSecond: 5, usersPerRequest: 1_000 } as const;
/** Shorter than the minute that is usual: how long a change waits in its window is no matter of the writer. Milliseconds. */
export const WINDOW_MS = 1_000;
/** Of a backfill that is to outlast a time: more than can be written in it. */
export const MORE = 1.2;
export const DEADLINE_MS = 30 * 60_000;
/** Of the sandbox: a million records and a million profiles are more than Node takes by itself. */
export const SANDBOX_MEMORY = { NODE_OPTIONS: '--max-old-space-size=12288' } as const;

export type Doors = Pick<SandboxProcess, 'admin' | 'query' | 'updateRecord' | 'settings'>;

/** What is measured: some services at work between a simulated org and a simulated project. */
export interface Scene {
  readonly log: EventLog;
  readonly sandbox: Pick<Doors, 'admin'>;
  /** Of every process but this one, by name. */
  pids(): Readonly<Record<string, number>>;
  /** Where the writer shows its metrics. */
  writerUrl(): string;
  /**
   * Lets a backfill wait that keeps the writer busy for so many seconds; `'all'`: the whole one. Returns when work began to wait, epoch
   * milliseconds, and how many users it brings Iterable that the project did not have.
   */
  begin(seconds: number | 'all'): Promise<{ readonly atMs: number; readonly newUsers: number }>;
  /** Does any of it wait? */
  isWaiting(): Promise<boolean>;
  /** No more of it comes. Resolves when nothing waits any more. */
  end(): Promise<void>;
  /** Makes a change of a record that none has changed before. */
  change(): Promise<Change>;
  close(): Promise<void>;
}

/** Messages that a group has not committed. */
export async function lagOf(log: EventLog, app: string, topic: Topic): Promise<number> {
  const committed = await log.committed(groupOf(app), topic);
  return (await log.offsets(topic)).reduce(
    (sum, { partition, earliest, next }) =>
      sum + next - (committed.find((one) => one.partition === partition)?.offset ?? earliest),
    0,
  );
}

/** Resolves when the writer has nothing to do. */
export async function writerIsDone(log: EventLog): Promise<void> {
  await waitFor(
    'the writer to be done',
    async () => (await lagOf(log, 'iterable-writer', updateTopics.realtime)) + (await backfillLag(log)) === 0,
    DEADLINE_MS,
    500,
  );
}

export function backfillLag(log: EventLog): Promise<number> {
  return lagOf(log, 'iterable-writer', updateTopics.backfill);
}

/** Resolves when no service has anything to do. */
export async function allAreDone(log: EventLog): Promise<void> {
  const read = [
    ['batcher', topics.changes],
    ['mapper', topics.realtimeBatches],
    ['mapper', topics.backfillBatches],
    ['iterable-writer', topics.realtimeUpdates],
    ['iterable-writer', topics.backfillUpdates],
  ] as const;
  await waitFor(
    'all to be done',
    async () => (await Promise.all(read.map(([app, topic]) => lagOf(log, app, topic)))).every((lag) => lag === 0),
    DEADLINE_MS,
    500,
  );
}

export async function usersIn(sandbox: Pick<Doors, 'admin'>): Promise<number> {
  const { iterable } = await sandbox.admin<{ iterable: { users: number } }>('GET', '/stats');
  return iterable.users;
}
