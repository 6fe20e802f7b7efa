import { z } from 'zod';
import { dataSettings, deadLetterSettings, eventLogSettings, iterableSettings, serviceSettings } from '@libs/config';

export const iterableWriterSettings = z.object({
  ...serviceSettings(3004).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  ...iterableSettings.shape,
  ...deadLetterSettings.shape,
});
export type IterableWriterSettings = z.infer<typeof iterableWriterSettings>;
