import { z } from 'zod';
import { recordId, recordType } from './messages.js';

/** Target of the backfill commands: their key on `sync.commands.v1`. */
export const BACKFILL_TARGET = 'backfill';

/** Most ids one `backfill.start` may list: keeps the command under the broker's message limit of 1 MB. */
export const MAX_BACKFILL_IDS = 20_000;

/** Why changes may have been missed. */
export const holeReasons = [
  'replay-expired',
  'cursor-lost',
  'overflow',
  'wildcard',
  'unreadable',
  'silent',
  'allowance',
  'org-changed',
  'transport-changed',
] as const;

/** A stretch of an object's changes that the listener may have missed. Its catch-up is a backfill with the same id. */
export const hole = z.strictObject({
  reason: z.enum(holeReasons),
  /** First and last moment that may be missing; no `toMs`: up to the moment the catch-up reads. Epoch milliseconds. */
  fromMs: z.number().int().nonnegative(),
  toMs: z.number().int().nonnegative().optional(),
});
export type Hole = z.infer<typeof hole>;

/** Most records whose dependents one job reads: their ids fit into one query. Source: facts/salesforce.md §4.3. */
export const MAX_FAN_OUT_IDS = 400;

/** Why a job reads records that did not change themselves: they show others that did. */
export const fanOut = z.strictObject({
  /** What changed, and which of it. */
  from: recordType,
  ids: z.array(recordId).min(1).max(MAX_FAN_OUT_IDS),
  /** The lookup to them, from the object that is read: `AccountId`, or through parents `Account.OwnerId`. */
  through: z.string().regex(/^[A-Za-z]\w*(\.[A-Za-z]\w*){0,5}$/, 'not the path of a field'),
});
export type FanOut = z.infer<typeof fanOut>;

/** Data of `backfill.start`: one object with an optional SOQL condition, or a list of record ids of any mapped types. */
export const backfillStart = z
  .strictObject({
    object: recordType.optional(),
    /** The condition of a WHERE clause, without the word WHERE. */
    where: z.string().min(1).max(4_000).optional(),
    /** Only rows whose SystemModstamp is at or after this. ISO 8601 with a zone. */
    since: z.iso.datetime({ offset: true }).optional(),
    ids: z.array(recordId).min(1).max(MAX_BACKFILL_IDS).optional(),
    /** Makes it the catch-up of a hole: deleted rows are read too, and ordinary jobs wait for it. */
    hole: hole.optional(),
    /** Makes it a fan-out: only rows whose lookup leads to these records. Fan-outs go before ordinary jobs. */
    fanOut: fanOut.optional(),
  })
  .refine((data) => (data.object === undefined) !== (data.ids === undefined), 'give either object or ids')
  .refine((data) => data.where === undefined || data.object !== undefined, 'where needs object')
  .refine((data) => data.since === undefined || data.object !== undefined, 'since needs object')
  .refine((data) => data.fanOut === undefined || data.object !== undefined, 'fanOut needs object')
  .refine((data) => data.hole === undefined || data.since !== undefined, 'hole needs since');
export type BackfillStart = z.infer<typeof backfillStart>;

/** How a backfill stands: the data of its messages on `sync.status.v1`. Counts are of records. */
export const backfillProgress = z.object({
  /** Rows read from Salesforce or ids given. */
  queried: z.number().int(),
  /** Changes durable in `salesforce.changes.v1`. */
  enqueued: z.number().int(),
  written: z.number().int(),
  superseded: z.number().int(),
  filtered: z.number().int(),
  skipped: z.number().int(),
  expanded: z.number().int(),
  dead: z.number().int(),
  /** What the query says in total; unknown until its first page. */
  total: z.number().int().optional(),
  /** Skipped and dead by reason. */
  reasons: z.record(z.string(), z.number().int()),
  elapsedMs: z.number().int(),
});
export type BackfillProgress = z.infer<typeof backfillProgress>;

/** Target of the mapping commands: their key on `sync.commands.v1`. */
export const MAPPING_TARGET = 'mapping';

/** Target of the commands about dead letters. The backfill service answers them: a redrive is a job like any other. */
export const DEAD_LETTERS_TARGET = 'dead-letters';

/**
 * Data of `dead-letters.redrive`: which dead letters, by all of what is given; at least one of it. Their records are fetched and
 * mapped again and go the normal way, each once however many letters it has; its progress is that of a backfill.
 */
export const deadLettersRedrive = z
  .strictObject({
    /** Error codes, e.g. `iterable.field_type_mismatch`. */
    codes: z.array(z.string().min(1).max(100)).min(1).max(100).optional(),
    objects: z.array(recordType).min(1).max(100).optional(),
    /** Record ids. */
    ids: z.array(recordId).min(1).max(MAX_BACKFILL_IDS).optional(),
    /** Only letters written at or after this, and before that. ISO 8601 with a zone. */
    from: z.iso.datetime({ offset: true }).optional(),
    to: z.iso.datetime({ offset: true }).optional(),
  })
  .refine(
    (data) => Object.values(data).some((value) => value !== undefined),
    'say which: codes, objects, ids, from or to',
  )
  .refine(
    ({ from, to }) => from === undefined || to === undefined || Date.parse(from) < Date.parse(to),
    'from must be before to',
  );
export type DeadLettersRedrive = z.infer<typeof deadLettersRedrive>;

/**
 * Data of `dead-letters.continue`: what a safety stop holds back goes on, and becomes dead letters where it must. The stop is off
 * for so long, in both lanes. Every mapper and writer takes the command from the topic; the answer says that it was given on.
 */
export const deadLettersContinue = z.strictObject({
  minutes: z.number().int().min(1).max(1_440).default(10),
});
export type DeadLettersContinue = z.infer<typeof deadLettersContinue>;

/** Every target, in the order in which they came. */
export const commandTargets = [BACKFILL_TARGET, MAPPING_TARGET, DEAD_LETTERS_TARGET] as const;
export type CommandTarget = (typeof commandTargets)[number];

/** Who is to carry out a command, by the first part of its type; `null`: nobody does. */
export function targetOfCommand(type: string): CommandTarget | null {
  return commandTargets.find((target) => type.startsWith(`${target}.`)) ?? null;
}

/** Data of `mapping.reload`: none. The mapper that takes the command looks at its files at once, and answers; every other instance sees an edit by itself. */
export const mappingReload = z.strictObject({});

/** The mappings that a service works by: the data of `mapping-applied` on `sync.status.v1`. */
export const mappingApplied = z.object({
  /** Version of each object's mapping in force. */
  versions: z.record(recordType, z.string()),
  /** Objects whose version changed since the mappings before; all of them at a start. */
  changed: z.array(recordType),
  /** Was it a start, an edit of the files, or the command? */
  cause: z.enum(['start', 'edit', 'command']),
});
export type MappingApplied = z.infer<typeof mappingApplied>;

/** Files that cannot be used: the data of `mapping-refused`. The versions stay in force. */
export const mappingRefused = z.object({
  versions: z.record(recordType, z.string()),
  /** One line a mistake: `Lead.yaml:4:3: …`. */
  mistakes: z.array(z.string()).max(100),
  cause: z.enum(['edit', 'command']),
});
export type MappingRefused = z.infer<typeof mappingRefused>;
