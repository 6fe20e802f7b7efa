import { z } from 'zod';
import { dataSettings, eventLogSettings, mappingSettings, salesforceSettings, serviceSettings } from '@libs/config';

export const backfillSettings = z.object({
  ...serviceSettings(3005).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  ...salesforceSettings.shape,
  ...mappingSettings.shape,
});
export type BackfillSettings = z.infer<typeof backfillSettings>;
