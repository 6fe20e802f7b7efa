import { batchTopics, lanes, topics, updateTopics, type Lane } from '@libs/contracts';
import type { EventLog } from '@libs/event-log';
import type { Ends } from '../core/positions.js';
import { commitsOf, endsOf } from '../position-poller.js';
import type { LanePositions } from './core/place.js';
import type { Positions } from './core/ledger.js';

/** Where each topic of a change's way ends. */
export interface AllEnds {
  readonly changes: Ends;
  readonly batches: Readonly<Record<Lane, Ends>>;
  readonly updates: Readonly<Record<Lane, Ends>>;
  readonly outcomes: Ends;
}

type Log = Pick<EventLog, 'offsets' | 'committed'>;

async function byLane<T>(make: (lane: Lane) => Promise<T>): Promise<Record<Lane, T>> {
  const made = await Promise.all(lanes.map(async (lane) => [lane, await make(lane)] as const));
  return Object.fromEntries(made) as Record<Lane, T>;
}

/** Asks for the committed positions of batcher, mapper and writer. */
export async function takePositions(log: Log): Promise<Positions> {
  const [changes, batches, updates] = await Promise.all([
    commitsOf(log, 'batcher', topics.changes),
    byLane((lane) => commitsOf(log, 'mapper', batchTopics[lane])),
    byLane((lane) => commitsOf(log, 'iterable-writer', updateTopics[lane])),
  ]);
  return { changes, batches, updates };
}

/** Asks for the ends; those of the changes last, so that no outcome below its end is of a change beyond its own. */
export async function takeEnds(log: Log): Promise<AllEnds> {
  const [batches, updates, outcomes] = await Promise.all([
    byLane((lane) => endsOf(log, batchTopics[lane])),
    byLane((lane) => endsOf(log, updateTopics[lane])),
    endsOf(log, topics.outcomes),
  ]);
  return { batches, updates, outcomes, changes: await endsOf(log, topics.changes) };
}

/** By partition, the position or the first offset that the log still has, whichever is later. */
function notBelowStart(positions: ReadonlyMap<number, number>, ends: Ends): Map<number, number> {
  return new Map(
    [...ends].map(([partition, { earliest }]) => [partition, Math.max(positions.get(partition) ?? 0, earliest)]),
  );
}

function lanesNotBelowStart(positions: LanePositions, ends: Readonly<Record<Lane, Ends>>): LanePositions {
  return {
    realtime: notBelowStart(positions.realtime, ends.realtime),
    backfill: notBelowStart(positions.backfill, ends.backfill),
  };
}

/** What each stage has still before it: what retention took away cannot arrive any more. */
export function withinLog({ changes, batches, updates }: Positions, ends: AllEnds): Positions {
  return {
    changes: notBelowStart(changes, ends.changes),
    batches: lanesNotBelowStart(batches, ends.batches),
    updates: lanesNotBelowStart(updates, ends.updates),
  };
}
