import { z } from 'zod';
import { recordId, recordType } from './messages.js';

/** Target of the backfill commands: their key on `sync.commands.v1`. */
export const BACKFILL_TARGET = 'backfill';

/** Most ids one `backfill.start` may list: keeps the command under the broker's message limit of 1 MB. */
export const MAX_BACKFILL_IDS = 20_000;

/** Data of `backfill.start`: one object with an optional SOQL condition, or a list of record ids of any mapped types. */
export const backfillStart = z
  .strictObject({
    object: recordType.optional(),
    /** The condition of a WHERE clause, without the word WHERE. */
    where: z.string().min(1).max(4_000).optional(),
    ids: z.array(recordId).min(1).max(MAX_BACKFILL_IDS).optional(),
  })
  .refine((data) => (data.object === undefined) !== (data.ids === undefined), 'give either object or ids')
  .refine((data) => data.where === undefined || data.object !== undefined, 'where needs object');
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
