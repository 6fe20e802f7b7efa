import {
  backfillStart,
  recordTypeOfId,
  type BackfillStart,
  type Command,
  type FanOut,
  type Hole,
} from '@libs/contracts';

/** What a job reads: the rows of one object, or a list of record ids. */
export type JobPlan =
  | {
      readonly kind: 'object';
      readonly object: string;
      readonly where?: string;
      readonly sinceMs?: number;
      readonly hole?: Hole;
      readonly fanOut?: FanOut;
    }
  | { readonly kind: 'ids'; readonly ids: readonly string[] };

export type Planned = { readonly ok: true; readonly plan: JobPlan } | { readonly ok: false; readonly reason: string };

/** Commands that this service carries out. */
export const commandTypes = ['backfill.start'] as const;

/** At most this many ids are named in a refusal. */
const NAMED_IDS = 5;

/**
 * Checks a command as far as that goes without asking the org.
 * Shape: a plan, or one sentence that says what is wrong and what to do.
 */
export function planJob(command: Command, mappedObjects: readonly string[]): Planned {
  if (!(commandTypes as readonly string[]).includes(command.type)) {
    return refuse(`unknown command type "${command.type}"; known: ${commandTypes.join(', ')}`);
  }
  const parsed = backfillStart.safeParse(command.data);
  if (!parsed.success) {
    return refuse(
      parsed.error.issues
        .map((issue) => `data${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.message}`)
        .join('; '),
    );
  }
  return planStart(parsed.data, mappedObjects);
}

function planStart(start: BackfillStart, mappedObjects: readonly string[]): Planned {
  const { object, where, ids, since, hole, fanOut } = start;
  const mapped = `mapped objects: ${mappedObjects.join(', ') || 'none'}`;
  if (object !== undefined) {
    // A hole may be in a parent that a mapping only reads; who is to follow a parent is known to the mapper, whose mapping is newer
    if (hole === undefined && fanOut === undefined && !mappedObjects.includes(object))
      return refuse(`data.object: ${object} has no mapping file; ${mapped}`);
    const sinceMs = since === undefined ? undefined : Date.parse(since);
    return { ok: true, plan: { kind: 'object', object, where, sinceMs, hole, fanOut } };
  }
  const distinct = [...new Set(ids)];
  const strangers = distinct.filter((id) => !mappedObjects.includes(recordTypeOfId(id) ?? ''));
  if (strangers.length > 0) {
    const named = strangers.slice(0, NAMED_IDS).join(', ');
    return refuse(
      `data.ids: ${strangers.length} of ${distinct.length} are of no mapped object, e.g. ${named}; ${mapped}`,
    );
  }
  return { ok: true, plan: { kind: 'ids', ids: distinct } };
}

function refuse(reason: string): Planned {
  return { ok: false, reason };
}
