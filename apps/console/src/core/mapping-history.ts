import { mappingApplied, mappingRefused, type Status } from '@libs/contracts';
import { z } from 'zod';
import { isAboutMappings } from './mappings.js';

/** The version of an object's mapping that is in force. Times: epoch milliseconds. */
export interface InForce {
  readonly version: string;
  /** When it was first heard of. */
  readonly sinceMs: number;
  /** Did it come into force then? Else it may have been in force for longer: the log does not go back further. */
  readonly certain: boolean;
}

/** A backfill of every record of an object. Epoch milliseconds. */
export interface WholeBackfill {
  readonly id: string;
  readonly startedMs: number;
}

/** Which mappings are in force, and which objects were backfilled as a whole; both by the status topic. */
export interface MappingHistory {
  /** By object. */
  readonly versions: ReadonlyMap<string, InForce>;
  /** Backfills under way, by id; bounded. */
  readonly running: ReadonlyMap<string, WholeBackfill & { readonly object: string }>;
  /** Of each object the completed one that was started last. */
  readonly completed: ReadonlyMap<string, WholeBackfill>;
  /** Was the topic read from its first message on? */
  readonly complete: boolean;
}

export const noMappingHistory: MappingHistory = {
  versions: new Map(),
  running: new Map(),
  completed: new Map(),
  complete: true,
};

/** Most backfills under way that are kept; past it the oldest is forgotten. */
const MAX_RUNNING = 200;

/** What the backfill service says it accepted. One that is about a part of the object is not of interest, nor is a repeat. */
const accepted = z.object({
  object: z.string(),
  where: z.undefined().optional(),
  sinceMs: z.undefined().optional(),
  hole: z.undefined().optional(),
  fanOut: z.undefined().optional(),
});

/** Older messages were not read, or are gone. */
export function withoutBeginning(before: MappingHistory): MappingHistory {
  return { ...before, complete: false };
}

/** Takes a message in. Input: in log order. */
export function addToMappingHistory(before: MappingHistory, status: Status): MappingHistory {
  return isAboutMappings(status) ? addVersions(before, status) : addBackfill(before, status);
}

function addVersions(before: MappingHistory, { type, data, time }: Status): MappingHistory {
  const told = type === 'mapping-applied' ? mappingApplied.safeParse(data) : mappingRefused.safeParse(data);
  if ((type !== 'mapping-applied' && type !== 'mapping-refused') || !told.success) return before;
  const changed = 'changed' in told.data && told.data.cause !== 'start' ? told.data.changed : [];
  const versions = Object.entries(told.data.versions).map(([object, version]) => {
    const known = before.versions.get(object);
    if (known?.version === version) return [object, known] as const;
    const certain = known !== undefined || before.complete || changed.includes(object);
    return [object, { version, sinceMs: time, certain }] as const;
  });
  return { ...before, versions: new Map(versions) };
}

function addBackfill(before: MappingHistory, { id, type, data, time }: Status): MappingHistory {
  const known = before.running.get(id);
  if (type === 'accepted' && known === undefined) {
    const { data: whole } = accepted.safeParse(data);
    if (whole === undefined) return before;
    const running = new Map(before.running).set(id, { id, object: whole.object, startedMs: time });
    const [oldest] = running.keys();
    if (running.size > MAX_RUNNING && oldest !== undefined) running.delete(oldest);
    return { ...before, running };
  }
  if ((type !== 'completed' && type !== 'failed') || known === undefined) return before;
  const running = new Map(before.running);
  running.delete(id);
  const { object, startedMs } = known;
  const last = before.completed.get(object);
  if (type === 'failed' || (last !== undefined && last.startedMs > startedMs)) return { ...before, running };
  return { ...before, running, completed: new Map(before.completed).set(object, { id, startedMs }) };
}
