import type { MappingPlanAnswer, PlanCost, PlannedObject, PlanState } from './plan-answers.js';
import type { InForce, MappingHistory, WholeBackfill } from './mapping-history.js';

/** What becomes of an object, without what it costs. */
export type PlannedVersion = Omit<PlannedObject, 'cost' | 'costUnknown'>;

/** Objects whose records are persons: backfilled before what may be written on their profiles (docs/fan-out.md). */
const PERSONS: readonly string[] = ['Lead', 'Contact'];

/** States in which a backfill is due, now or once the file ships: its cost is worth knowing. */
const COSTLY: ReadonlySet<PlanState> = new Set(['needed', 'unknown', 'not-in-force']);

export function isCostly({ state }: Pick<PlannedObject, 'state'>): boolean {
  return COSTLY.has(state);
}

/** `2026-11-24 12:00 UTC`. */
function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/**
 * Which objects need a backfill of all their records, because profiles hold what another version of their mapping made.
 *
 * `local`: the versions of mapping files that are to be shipped; `null`: only what is in force is looked at.
 * Output: persons first, then by name.
 */
export function planMappings(
  history: MappingHistory,
  local: Readonly<Record<string, string>> | null,
): readonly PlannedVersion[] {
  const objects = new Set([...history.versions.keys(), ...Object.keys(local ?? {})]);
  const rank = (object: string) => (PERSONS.includes(object) ? 0 : 1);
  return [...objects]
    .toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .map((object) => planObject(object, history, local));
}

function planObject(
  object: string,
  history: MappingHistory,
  local: Readonly<Record<string, string>> | null,
): PlannedVersion {
  const inForce = history.versions.get(object);
  const last = history.completed.get(object);
  const shipping = local === null ? inForce?.version : local[object];
  const found = verdict(object, inForce, shipping, history);
  return {
    object,
    ...found,
    ...(inForce !== undefined && { inForce: { version: inForce.version, since: inForce.sinceMs } }),
    ...(local !== null && shipping !== undefined && { file: { version: shipping } }),
    ...(last !== undefined && { lastBackfill: { id: last.id, startedAt: last.startedMs } }),
  };
}

function verdict(
  object: string,
  inForce: InForce | undefined,
  shipping: string | undefined,
  history: MappingHistory,
): Pick<PlannedObject, 'state' | 'reason'> {
  if (inForce === undefined) {
    return { state: 'not-in-force', reason: 'its mapping is not in force yet; it needs a backfill once it is' };
  }
  if (shipping === undefined) {
    return { state: 'removed', reason: 'no file here maps it: without one its profiles keep what they have' };
  }
  if (shipping !== inForce.version) {
    return { state: 'not-in-force', reason: 'the file here is not what is in force; it needs a backfill once it is' };
  }
  const last = history.completed.get(object);
  if (last !== undefined && isSince(inForce, last)) {
    return { state: 'done', reason: `backfilled with this version, started ${moment(last.startedMs)}` };
  }
  const running = [...history.running.values()].find((one) => one.object === object && isSince(inForce, one));
  if (running !== undefined) {
    return {
      state: 'running',
      reason: `it runs with this version since ${moment(running.startedMs)}`,
    };
  }
  if (!inForce.certain) {
    return {
      state: 'unknown',
      reason: `the log does not say since when this version is in force (before ${moment(inForce.sinceMs)}), nor of a backfill since`,
    };
  }
  const changed = `this version is in force since ${moment(inForce.sinceMs)}`;
  if (last === undefined) return { state: 'needed', reason: `${changed}, and no backfill of all records came after` };
  return {
    state: 'needed',
    reason: `${changed}; the last backfill of all records was started before, ${moment(last.startedMs)}`,
  };
}

function isSince({ sinceMs }: InForce, { startedMs }: WholeBackfill): boolean {
  return startedMs >= sinceMs;
}

/** What a backfill costs at the least. */
export interface Ceilings {
  readonly usersPerRequest: number;
  readonly requestsPerSecond: number;
  /** Ids read in one page, and records fetched in one query. */
  readonly idsPerPage: number;
  readonly recordsPerQuery: number;
}

/** The cost of a backfill of so many records: pages of ids and rows of Salesforce, requests to Iterable and their time. */
export function costOf(records: number, ceilings: Ceilings): PlanCost {
  const { usersPerRequest, requestsPerSecond, idsPerPage, recordsPerQuery } = ceilings;
  const pages = Math.floor(records / idsPerPage) + 1; // a full page is followed by another one
  const requests = Math.ceil(records / usersPerRequest);
  return {
    records,
    salesforceCalls: 1 + pages + Math.ceil(records / recordsPerQuery), // the count first
    iterableRequests: requests,
    seconds: Math.ceil(requests / requestsPerSecond),
  };
}

/** The objects that can be backfilled now: while persons are due or under way, only they. */
export function startable({ objects }: Pick<MappingPlanAnswer, 'objects'>): {
  readonly now: readonly string[];
  readonly later: readonly string[];
} {
  const needed = objects.filter(({ state }) => state === 'needed').map(({ object }) => object);
  const persons = needed.filter((object) => PERSONS.includes(object));
  const busy = objects.some(({ object, state }) => PERSONS.includes(object) && state === 'running');
  if (persons.length === 0 && !busy) return { now: needed, later: [] };
  return { now: persons, later: needed.filter((object) => !PERSONS.includes(object)) };
}
