import { z } from 'zod';
import { consoleSettings } from '../../console/src/console.config.js';
import { services } from './services.js';

/** Every setting of every service, once. Ports other than the console's are not opened: all answer on one. */
export const standaloneSettings = z.object({
  // First: it can do without settings that the others cannot do without.
  ...consoleSettings.shape,
  ...Object.assign({}, ...services.map(({ settings }) => settings.shape)),
  HTTP_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(3000)
    .describe('Port of the console, of /metrics and of /health/*. 0 takes a free one.'),
} as z.ZodRawShape);
