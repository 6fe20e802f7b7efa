import { groupOf } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import { commitKey, readers, type Commits, type Ends, type Sample } from './core/positions.js';
import { untilDone, type LogWatch } from './topic-reader.js';
import { pause } from './pause.js';

/** How often positions are asked for. Milliseconds. */
export const POLL_MS = 2_000;

type AnyTopic = Parameters<EventLog['offsets']>[0];

/** Where a topic's partitions begin and end. */
export async function endsOf(log: Pick<EventLog, 'offsets'>, topic: AnyTopic): Promise<Ends> {
  const ends = await log.offsets(topic);
  return new Map(ends.map(({ partition, earliest, next }) => [partition, { earliest, next }]));
}

/** Offsets that an app has committed in a topic, by partition. */
export async function commitsOf(log: Pick<EventLog, 'committed'>, app: string, topic: AnyTopic): Promise<Commits> {
  const committed = await log.committed(groupOf(app), topic);
  return new Map(committed.flatMap(({ partition, offset }) => (offset === null ? [] : [[partition, offset] as const])));
}

/** Asks for all positions once. */
export async function takeSample(log: EventLog): Promise<Sample> {
  const pairs = readers.flatMap(({ app, reads }) => reads.map((topic) => ({ app, topic })));
  const [ends, commits] = await Promise.all([
    Promise.all(pairs.map(async ({ topic }) => [topic.name, await endsOf(log, topic)] as const)),
    Promise.all(
      pairs.map(async ({ app, topic }) => [commitKey(app, topic.name), await commitsOf(log, app, topic)] as const),
    ),
  ]);
  return { timeMs: Date.now(), ends: new Map(ends), commits: new Map(commits) };
}

/** Takes samples until `signal` aborts, one after another. */
export async function pollPositions(
  log: EventLog,
  onSample: (sample: Sample) => void,
  watch: LogWatch,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await untilDone(
      async () => {
        onSample(await takeSample(log));
        watch(true);
      },
      watch,
      signal,
    );
    await pause(POLL_MS, signal);
  }
}
