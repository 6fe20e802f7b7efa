import { errorCodes, type Lane, type Outcome, type OutcomeKind } from '@libs/contracts';
import type { FlowAnswer, ObjectFlow } from './answers.js';
import { binOf, percentile, type LatencyBins } from './latency.js';
import { markSeen, nothingSeen, placeOfChange, type SeenOffsets } from './seen-offsets.js';

/** Counts are kept in slots of this length. Milliseconds. */
const SLOT_MS = 10_000;
const MINUTE_MS = 60_000;
/** How long counts are kept. Minutes. */
export const KEEP_MINUTES = 120;
const KEEP_SLOTS = (KEEP_MINUTES * MINUTE_MS) / SLOT_MS;
/** Most series of one slot; what is past it is counted under {@link OTHER}. Keeps memory bounded whatever arrives. */
const MAX_SERIES = 500;
const OTHER = 'other';
const MOST_REASONS = 50;

/** One series of counts. */
interface Series {
  readonly object: string;
  readonly lane: Lane;
  readonly kind: OutcomeKind;
  readonly reason: string | undefined;
  readonly count: number;
  readonly latency: LatencyBins;
}
type Slot = ReadonlyMap<string, Series>;

/** What became of changes, counted over time. */
export interface Flow {
  readonly slots: ReadonlyMap<number, Slot>;
  readonly seen: SeenOffsets;
  /** Newest commit of a written real-time change, by object: a backfilled row has no commit of its own. Epoch milliseconds. */
  readonly newestSynced: ReadonlyMap<string, number>;
}

export const emptyFlow: Flow = { slots: new Map(), seen: nothingSeen, newestSynced: new Map() };

const keyOf = (object: string, lane: Lane, kind: OutcomeKind, reason: string | undefined) =>
  `${object}|${lane}|${kind}|${reason ?? ''}`;

/** Adds `count` changes with `outcome` to a slot, which it changes. */
function tally(slot: Map<string, Series>, outcome: Outcome, changes: number): void {
  const { lane, kind, commitTimestamp, time } = outcome;
  let object = outcome.recordType ?? OTHER;
  let reason = kind === 'written' ? undefined : outcome.reason;
  if (slot.size >= MAX_SERIES && !slot.has(keyOf(object, lane, kind, reason))) {
    object = OTHER;
    reason = undefined;
  }
  const key = keyOf(object, lane, kind, reason);
  const series = slot.get(key) ?? { object, lane, kind, reason, count: 0, latency: new Map<number, number>() };
  const latency = series.latency as Map<number, number>;
  if (kind === 'written' && commitTimestamp !== undefined) {
    const bin = binOf(time - commitTimestamp);
    latency.set(bin, (latency.get(bin) ?? 0) + changes);
  }
  slot.set(key, { ...series, count: series.count + changes, latency });
}

function copySlot(slot: Slot): Map<string, Series> {
  return new Map([...slot].map(([key, series]) => [key, { ...series, latency: new Map(series.latency) }]));
}

/**
 * Counts outcomes. Input: in log order per partition, redeliveries allowed. An outcome counts once for each change that it
 * covers and that had none before (invariant 4); outcomes older than {@link KEEP_MINUTES} only mark their changes as ended.
 */
export function addOutcomes(flow: Flow, outcomes: readonly Outcome[], nowMs: number): Flow {
  const places = outcomes.flatMap((outcome) => outcome.offsets.map(placeOfChange));
  const { seen, fresh } = markSeen(flow.seen, places);
  const oldest = Math.floor(nowMs / SLOT_MS) - KEEP_SLOTS;
  const slots = new Map([...flow.slots].filter(([slot]) => slot > oldest));
  const touched = new Set<number>();
  const newestSynced = new Map(flow.newestSynced);
  let at = 0;
  for (const outcome of outcomes) {
    const changes = fresh.slice(at, (at += outcome.offsets.length)).filter(Boolean).length;
    if (changes === 0) continue;
    const { recordType, commitTimestamp, kind, lane } = outcome;
    if (kind === 'written' && lane === 'realtime' && recordType !== undefined && commitTimestamp !== undefined) {
      const known = newestSynced.get(recordType);
      if (known !== undefined || newestSynced.size < MAX_SERIES) {
        newestSynced.set(recordType, Math.max(known ?? 0, commitTimestamp));
      }
    }
    const slot = Math.floor(outcome.time / SLOT_MS);
    if (slot <= oldest) continue;
    if (!touched.has(slot)) {
      slots.set(slot, copySlot(slots.get(slot) ?? new Map()));
      touched.add(slot);
    }
    tally(slots.get(slot) as Map<string, Series>, outcome, changes);
  }
  return { slots, seen, newestSynced };
}

function* seriesSince(flow: Flow, fromMs: number): Generator<Series> {
  for (const [slot, series] of flow.slots) if (slot * SLOT_MS >= fromMs) yield* series.values();
}

/** The running slot and the five full ones before it. */
const lastMinute = (flow: Flow, nowMs: number) => seriesSince(flow, nowMs - MINUTE_MS);

function add<K>(counts: Map<K, number>, key: K, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

/** Changes of one outcome since a time. */
export function countSince(flow: Flow, kind: OutcomeKind, fromMs: number): number {
  let changes = 0;
  for (const series of seriesSince(flow, fromMs)) if (series.kind === kind) changes += series.count;
  return changes;
}

/** Changes written a second, over the last minute. */
export function writtenPerSecond(flow: Flow, nowMs: number): number {
  let written = 0;
  for (const series of lastMinute(flow, nowMs)) if (series.kind === 'written') written += series.count;
  const coveredMs = nowMs - Math.ceil((nowMs - MINUTE_MS) / SLOT_MS) * SLOT_MS;
  return written / (coveredMs / 1_000);
}

function toObjectFlow(object: string, span: readonly Series[], last: readonly Series[], flow: Flow): ObjectFlow {
  const sum = (all: readonly Series[]) => {
    const counts: Partial<Record<OutcomeKind, number>> = {};
    for (const series of all) counts[series.kind] = (counts[series.kind] ?? 0) + series.count;
    return counts;
  };
  const realtime = span.filter((series) => series.lane === 'realtime').map((series) => series.latency);
  const p50Ms = percentile(realtime, 0.5);
  const p99Ms = percentile(realtime, 0.99);
  return {
    object,
    lastMinute: sum(last),
    total: sum(span),
    newestSynced: flow.newestSynced.get(object) ?? null,
    latency: p50Ms === null || p99Ms === null ? null : { p50Ms, p99Ms },
  };
}

function byObject(all: Iterable<Series>): Map<string, Series[]> {
  return Map.groupBy(all, (series) => series.object);
}

function toMinutes(flow: Flow, fromMs: number, nowMs: number): FlowAnswer['minutes'] {
  const minutes = new Map<number, Map<string, FlowAnswer['minutes'][number]['counts'][number]>>();
  for (let time = fromMs; time <= nowMs; time += MINUTE_MS) minutes.set(time, new Map());
  for (const [slot, series] of flow.slots) {
    const counts = minutes.get(Math.floor((slot * SLOT_MS) / MINUTE_MS) * MINUTE_MS);
    if (counts === undefined) continue;
    for (const { object, lane, kind, count: n } of series.values()) {
      const key = keyOf(object, lane, kind, undefined);
      counts.set(key, { object, lane, outcome: kind, count: (counts.get(key)?.count ?? 0) + n });
    }
  }
  return [...minutes].map(([time, counts]) => ({ time, counts: [...counts.values()] }));
}

function toReasons(span: readonly Series[]): FlowAnswer['reasons'] {
  const counts = new Map<string, number>();
  for (const { object, kind, reason, count: n } of span) {
    if (reason !== undefined) add(counts, JSON.stringify([object, kind, reason]), n);
  }
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MOST_REASONS)
    .map(([key, n]) => {
      const [object, kind, reason] = JSON.parse(key) as [string, OutcomeKind, string];
      return { object, outcome: kind, reason, meaning: errorCodes[reason]?.meaning, count: n };
    });
}

/**
 * The last `minutes` as the API shows them: whole minutes, the running one included.
 * `readFromMs`: outcomes before it were not read; `null` when all that the log keeps was.
 */
export function toFlowAnswer(flow: Flow, minutes: number, nowMs: number, readFromMs: number | null): FlowAnswer {
  const fromMs = (Math.floor(nowMs / MINUTE_MS) - minutes + 1) * MINUTE_MS;
  const span = [...seriesSince(flow, fromMs)];
  const spanBy = byObject(span);
  const lastBy = byObject(lastMinute(flow, nowMs));
  const objects = [...new Set([...spanBy.keys(), ...flow.newestSynced.keys()])].toSorted();
  return {
    time: nowMs,
    since: Math.max(fromMs, readFromMs ?? 0),
    minutes: toMinutes(flow, fromMs, nowMs),
    objects: objects.map((object) => toObjectFlow(object, spanBy.get(object) ?? [], lastBy.get(object) ?? [], flow)),
    reasons: toReasons(span),
  };
}
