import {
  backfillStart,
  deadLettersContinue,
  deadLettersRedrive,
  recordTypeOfId,
  type BackfillStart,
  type Command,
  type DeadLettersRedrive,
  type FanOut,
  type Hole,
  type LetterSelection,
} from '@libs/contracts';
import type { z } from 'zod';

/** What a job reads: the rows of one object, a list of record ids, or the records of dead letters. */
export type JobPlan =
  | {
      readonly kind: 'object';
      readonly object: string;
      readonly where?: string;
      readonly sinceMs?: number;
      readonly hole?: Hole;
      readonly fanOut?: FanOut;
    }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'redrive'; readonly selection: LetterSelection };

/** What a command asks for: a job, or that a safety stop lets go on, which those do who are stopped. */
export type Plan = JobPlan | { readonly kind: 'continue'; readonly minutes: number };

export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly reason: string };

/** How each command is planned that is answered here. */
const planners: Readonly<Record<string, (data: unknown, mappedObjects: readonly string[]) => Planned>> = {
  'backfill.start': (data, mapped) => checked(backfillStart, data, (start) => planStart(start, mapped)),
  'dead-letters.redrive': (data) => checked(deadLettersRedrive, data, planRedrive),
  'dead-letters.continue': (data) =>
    checked(deadLettersContinue, data, ({ minutes }) => ({ ok: true, plan: { kind: 'continue', minutes } })),
};

/** At most this many ids are named in a refusal. */
const NAMED_IDS = 5;

/**
 * Checks a command as far as that goes without asking the org.
 * Shape: a plan, or one sentence that says what is wrong and what to do.
 */
export function planCommand({ type, data }: Command, mappedObjects: readonly string[]): Planned {
  const planner = Object.hasOwn(planners, type) ? planners[type] : undefined;
  return planner === undefined
    ? refuse(`unknown command type "${type}"; known: ${Object.keys(planners).join(', ')}`)
    : planner(data, mappedObjects);
}

/** Plans data that fit their schema; else the refusal names every problem. */
function checked<T>(schema: z.ZodType<T>, data: unknown, plan: (fitting: T) => Planned): Planned {
  const parsed = schema.safeParse(data);
  if (parsed.success) return plan(parsed.data);
  return refuse(
    parsed.error.issues
      .map((issue) => `data${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.message}`)
      .join('; '),
  );
}

function planRedrive({ codes, objects, ids, from, to }: DeadLettersRedrive): Planned {
  const [fromMs, toMs] = [from, to].map((time) => (time === undefined ? undefined : Date.parse(time)));
  return { ok: true, plan: { kind: 'redrive', selection: { codes, objects, ids, fromMs, toMs } } };
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
