import { z } from 'zod';
import { fanOut, hole } from './commands.js';
import { recordId, recordType } from './messages.js';

/** Offsets a job has published in one partition, as inclusive ranges in order. */
export const offsetRanges = z.array(z.tuple([z.number().int(), z.number().int()]));

/** State of a backfill job, enough to go on after any crash. Topic `sync.cursors.v1`, key = job id. */
export const cursor = z.object({
  jobId: z.string(),
  state: z.enum(['running', 'completed', 'failed']),
  object: recordType.optional(),
  where: z.string().optional(),
  /** Rows changed at or after this, by SystemModstamp; absent: all rows, by CreatedDate. Epoch milliseconds. */
  sinceMs: z.number().int().optional(),
  /** Given: the job is the catch-up of this hole. */
  hole: hole.optional(),
  /** Given: the job is a fan-out. Its ids are kept until everything is read. */
  fanOut: fanOut.extend({ ids: z.array(recordId) }).optional(),
  ids: z.array(z.string()).optional(),
  /** Given: the job is a redrive. Which dead letters it takes, and how far `sync.dead-letters.v1` is read. */
  redrive: z
    .object({
      codes: z.array(z.string()).optional(),
      objects: z.array(recordType).optional(),
      ids: z.array(recordId).optional(),
      fromMs: z.number().int().optional(),
      toMs: z.number().int().optional(),
      /** Where the topic ended when the job was accepted, by partition: letters of later are none of its. */
      until: z.record(z.string(), z.number().int()),
      /** First offset behind the last durable page, by partition; a partition without one is not begun. */
      at: z.record(z.string(), z.number().int()),
      /** Letters that it would take, but that name no record. */
      noRecord: z.number().int(),
    })
    .optional(),
  /** Read so far: rows of complete, durable pages. */
  queried: z.number().int(),
  total: z.number().int().optional(),
  /** Keyset position after the last durable page; absent before the first, and for an id list, whose position is `queried`. */
  after: z.object({ atMs: z.number().int(), id: z.string() }).optional(),
  readingDone: z.boolean(),
  /** What is durable in `salesforce.changes.v1`, by partition. */
  published: z.record(z.string(), offsetRanges),
  /** Where `sync.outcomes.v1` stood when the job began, by partition. */
  outcomesFrom: z.record(z.string(), z.number().int()),
  startedAt: z.number().int(),
  reason: z.string().optional(),
});
export type Cursor = z.infer<typeof cursor>;
