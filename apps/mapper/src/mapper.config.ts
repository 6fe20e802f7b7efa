import { z } from 'zod';
import {
  dataSettings,
  deadLetterSettings,
  eventLogSettings,
  fanOutSettings,
  iterableSettings,
  mappingSettings,
  salesforceSettings,
  serviceSettings,
} from '@libs/config';

export const mapperSettings = z.object({
  ...serviceSettings(3003).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  ...salesforceSettings.shape,
  ...mappingSettings.shape,
  ...fanOutSettings.shape,
  ...deadLetterSettings.shape,
  ITERABLE_PROJECT_TYPE: iterableSettings.shape.ITERABLE_PROJECT_TYPE,
});
export type MapperSettings = z.infer<typeof mapperSettings>;
