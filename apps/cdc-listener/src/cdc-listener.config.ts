import { z } from 'zod';
import {
  dataSettings,
  eventLogSettings,
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
});
export type CdcListenerSettings = z.infer<typeof cdcListenerSettings>;
