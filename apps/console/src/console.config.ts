import {
  dataSettings,
  eventLogSettings,
  fanOutSettings,
  iterableSettings,
  mappingSettings,
  salesforceSettings,
  serviceSettings,
} from '@libs/config';
import { z } from 'zod';

/** Bearer token of the console: what a header can carry, long enough not to be guessed. */
export const consoleToken = z
  .string()
  .regex(/^[\x21-\x7e]{16,200}$/, 'must be 16 to 200 characters without blanks')
  .optional()
  .describe(
    'Bearer token of the console and the CLI. Unset: made at the first start, printed, and kept in DATA_DIR/console-token. Secret.',
  );

/** Not needed to start: without them only what asks the org or the project about mappings is refused. */
const optional = <T extends z.ZodType>(setting: T) => setting.optional().describe(setting.description ?? '');

export const consoleSettings = z.object({
  ...serviceSettings(3000).shape,
  ...eventLogSettings.shape,
  ...dataSettings.shape,
  ...mappingSettings.shape,
  ...salesforceSettings.shape,
  SALESFORCE_LOGIN_URL: optional(salesforceSettings.shape.SALESFORCE_LOGIN_URL),
  SALESFORCE_CLIENT_ID: optional(salesforceSettings.shape.SALESFORCE_CLIENT_ID),
  ITERABLE_BASE_URL: iterableSettings.shape.ITERABLE_BASE_URL,
  ITERABLE_API_KEY: optional(iterableSettings.shape.ITERABLE_API_KEY),
  ITERABLE_PROJECT_TYPE: iterableSettings.shape.ITERABLE_PROJECT_TYPE,
  ITERABLE_REQUESTS_PER_SECOND: iterableSettings.shape.ITERABLE_REQUESTS_PER_SECOND,
  ITERABLE_USERS_PER_REQUEST: iterableSettings.shape.ITERABLE_USERS_PER_REQUEST,
  ON_DELETE: iterableSettings.shape.ON_DELETE,
  ...fanOutSettings.shape,
  CONSOLE_TOKEN: consoleToken,
  CONSOLE_SERVICES: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().regex(/^[a-z-]+=https?:\/\/\S+$/, 'must be name=http://host:port,name=…')))
    .transform(
      (pairs) => new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])),
    )
    .optional()
    .describe(
      'Where the console asks services for their health, e.g. cdc-listener=http://cdc-listener:3001,batcher=http://batcher:3002. Unset: it shows their lag only.',
    ),
  CONSOLE_CATCHING_UP_AFTER_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .max(86_400_000)
    .default(150_000)
    .describe(
      'When the oldest waiting change is older, the headline says "Catching up". Two windows and a half. Milliseconds.',
    ),
});
export type ConsoleSettings = z.infer<typeof consoleSettings>;
