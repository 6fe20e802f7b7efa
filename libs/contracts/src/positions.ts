import { z } from 'zod';

/**
 * What the batcher stores with each commit on `salesforce.changes.v1`, as commit metadata. The committed offset itself waits
 * for the open real-time window; a backfill must not, so it is told how far its own lane has come.
 */
const batcherProgress = z.object({
  /** Every backfill-lane change below this offset of the partition is in a durable batch. */
  backfillEmittedTo: z.number().int().nonnegative(),
});
export type BatcherProgress = z.infer<typeof batcherProgress>;

export function encodeBatcherProgress(progress: BatcherProgress): string {
  return JSON.stringify(progress);
}

/** `null` when there is none or it is not ours: then the committed offset is all that is known. */
export function decodeBatcherProgress(metadata: string | null): BatcherProgress | null {
  if (metadata === null || metadata === '') return null;
  try {
    return batcherProgress.parse(JSON.parse(metadata));
  } catch {
    return null; // another tool committed for this group: not an error, only less precise
  }
}
