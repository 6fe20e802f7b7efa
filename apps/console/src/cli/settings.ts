import { dataSettings, eventLogSettings, iterableSettings, mappingSettings } from '@libs/config';
import { z } from 'zod';
import { consoleToken } from '../console.config.js';

/** Where verbs that look at mapping files find them. */
export const mappingFileSettings = mappingSettings;

/** How the CLI finds the console. */
export const cliSettings = z.object({
  SYNC_URL: z
    .url({ protocol: /^https?$/ })
    .default('http://127.0.0.1:3000')
    .describe('Where the CLI finds the console.'),
  CONSOLE_TOKEN: consoleToken,
  ...dataSettings.shape,
  ...mappingFileSettings.shape,
});
export type CliSettings = z.infer<typeof cliSettings>;

/** What `sync topics apply` needs: it talks to the brokers, not to the console. */
export const topicsSettings = z.object({ ...eventLogSettings.shape, ...dataSettings.shape });

/** What is needed to map here, without a console. */
export const offlineSettings = z.object({
  ...mappingFileSettings.shape,
  ITERABLE_PROJECT_TYPE: iterableSettings.shape.ITERABLE_PROJECT_TYPE,
});
