import { z } from 'zod';
import { dataSettings, eventLogSettings, serviceSettings } from '@libs/config';

export const batcherSettings = z.object({
  ...serviceSettings(3002).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  BATCHER_WINDOW_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(3_600_000)
    .default(60_000)
    .describe('Length of a real-time window, aligned to the clock: the longest a change waits in it. Milliseconds.'),
  BATCHER_MAX_WINDOW_RECORDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(100_000)
    .default(10_000)
    .describe('Distinct records at which a window of either lane closes early.'),
});
export type BatcherSettings = z.infer<typeof batcherSettings>;
