import { z } from 'zod';
import {
  dataSettings,
  flag,
  eventLogSettings,
  fanOutSettings,
  mappingSettings,
  salesforceSettings,
  serviceSettings,
  streamingSettings,
} from '@libs/config';

export const cdcListenerSettings = z.object({
  ...serviceSettings(3001).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  ...salesforceSettings.shape,
  ...streamingSettings.shape,
  ...mappingSettings.shape,
  ...fanOutSettings.shape,
  LISTENER_FILTER_UNMAPPED: flag(true).describe(
    'Drop updates whose changed fields touch no mapped field; they are counted at the listener. false: every change goes through.',
  ),
  LISTENER_IGNORE_OWN_CHANGES: flag(false).describe(
    'Drop changes made by the integration user itself: for when this integration also writes to Salesforce.',
  ),
  LISTENER_POLL_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(3_600_000)
    .default(60_000)
    .describe(
      'How often Salesforce is asked for changes while its allowance of delivered events is used up. Milliseconds.',
    ),
});
export type CdcListenerSettings = z.infer<typeof cdcListenerSettings>;
