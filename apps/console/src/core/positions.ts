import { batchTopics, groupOf, topics, updateTopics } from '@libs/contracts';
import { unseen, type SeenOffsets } from './seen-offsets.js';

/** Where a topic's partitions stand: first offset kept and next to be written, by partition. */
export type Ends = ReadonlyMap<number, { readonly earliest: number; readonly next: number }>;
/** Committed offsets by partition; a partition without a commit is left out. */
export type Commits = ReadonlyMap<number, number>;

/** Everything's position at one time. Keys: topic names, and `group|topic`. */
export interface Sample {
  readonly timeMs: number;
  readonly ends: ReadonlyMap<string, Ends>;
  readonly commits: ReadonlyMap<string, Commits>;
}

/** Samples over the last minutes, and when each offset of `salesforce.changes.v1` was first seen to exist. */
export interface History {
  readonly samples: readonly Sample[];
  readonly arrivals: ReadonlyMap<number, ReadonlyArray<{ readonly timeMs: number; readonly next: number }>>;
}
export const noHistory: History = { samples: [], arrivals: new Map() };

/** The stages that read topics, with what they read. The batcher commits once a window, so rates need more than that. */
export const readers = [
  { app: 'batcher', reads: [topics.changes] },
  { app: 'mapper', reads: Object.values(batchTopics) },
  { app: 'iterable-writer', reads: Object.values(updateTopics) },
] as const;
export type Reader = (typeof readers)[number];

/** How long samples are kept: longer than two windows of a minute. Milliseconds. */
export const KEEP_MS = 150_000;
const RATE_MS = 60_000;
const ARRIVAL_SPACING_MS = 5_000;
const MAX_ARRIVALS = 720;

export const commitKey = (app: string, topic: string) => `${groupOf(app)}|${topic}`;

/** Adds a sample. Input: in time order. */
export function addSample(history: History, sample: Sample): History {
  const arrivals = new Map(history.arrivals);
  for (const [partition, { next }] of sample.ends.get(topics.changes.name) ?? []) {
    const known = arrivals.get(partition) ?? [];
    const last = known.at(-1);
    if (last !== undefined && (last.next === next || sample.timeMs - last.timeMs < ARRIVAL_SPACING_MS)) continue;
    arrivals.set(partition, [...known, { timeMs: sample.timeMs, next }].slice(-MAX_ARRIVALS));
  }
  const samples = [...history.samples.filter(({ timeMs }) => timeMs >= sample.timeMs - KEEP_MS), sample];
  return { samples, arrivals };
}

/** Messages of a topic that an app has not committed. */
export function lagOf(sample: Sample, app: string, topic: string): number {
  const commits = sample.commits.get(commitKey(app, topic));
  let lag = 0;
  for (const [partition, { earliest, next }] of sample.ends.get(topic) ?? []) {
    lag += Math.max(0, next - Math.max(commits?.get(partition) ?? earliest, earliest));
  }
  return lag;
}

function sumOf(counts: Iterable<number>): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

/** All that was ever appended to a topic, as far as offsets tell. */
const appended = (sample: Sample, topic: string) =>
  sumOf([...(sample.ends.get(topic) ?? new Map())].map(([, { next }]) => next));

/** All that an app ever committed of what it reads. */
const taken = (sample: Sample, { app, reads }: Reader) =>
  sumOf(reads.flatMap(({ name }) => [...(sample.commits.get(commitKey(app, name))?.values() ?? [])]));

const waiting = (sample: Sample, { app, reads }: Reader) => sumOf(reads.map(({ name }) => lagOf(sample, app, name)));

/** Growth a second of a total over the last minute; `null` while there are no two samples. */
function rate({ samples }: History, total: (sample: Sample) => number): number | null {
  const last = samples.at(-1);
  const first = samples.find(({ timeMs }) => last !== undefined && timeMs >= last.timeMs - RATE_MS);
  if (first === undefined || last === undefined || first.timeMs === last.timeMs) return null;
  return Math.max(0, ((total(last) - total(first)) * 1_000) / (last.timeMs - first.timeMs));
}

/** Changes appended a second. */
export function arrivalRate(history: History): number | null {
  return rate(history, (sample) => appended(sample, topics.changes.name));
}

/** What a reader takes a second, what waits for it, and whether it takes nothing although something waited all the time. */
export function readerState(history: History, reader: Reader) {
  const first = history.samples[0];
  const last = history.samples.at(-1);
  if (first === undefined || last === undefined) return { ratePerSecond: null, waiting: null, stalled: false };
  const stalled =
    last.timeMs - first.timeMs >= KEEP_MS * 0.8 &&
    history.samples.every((sample) => waiting(sample, reader) > 0) &&
    taken(last, reader) === taken(first, reader);
  return { ratePerSecond: rate(history, (sample) => taken(sample, reader)), waiting: waiting(last, reader), stalled };
}

/**
 * Changes without an outcome (invariant 4's "in flight"): what `seen` does not hold between `floors` (by partition; what
 * was before is not known and not counted) and the end of the topic. At least what waits for the writer. The batcher's lag is
 * no measure: its commits wait for the open window, its work does not.
 */
export function waitingChanges(
  history: History,
  seen: SeenOffsets,
  floors: ReadonlyMap<number, number>,
): { readonly changes: number; readonly oldestMs: number | null } {
  const last = history.samples.at(-1);
  if (last === undefined) return { changes: 0, oldestMs: null };
  let changes = 0;
  let oldestMs: number | null = null;
  for (const [partition, { earliest, next }] of last.ends.get(topics.changes.name) ?? []) {
    const missing = unseen(seen, String(partition), Math.max(floors.get(partition) ?? earliest, earliest), next);
    if (missing === null) continue;
    changes += missing.count;
    const arrival = history.arrivals.get(partition)?.find((entry) => entry.next > missing.first);
    oldestMs = Math.max(oldestMs ?? 0, arrival === undefined ? 0 : last.timeMs - arrival.timeMs);
  }
  const [, , writer] = readers;
  return { changes: Math.max(changes, waiting(last, writer)), oldestMs };
}
