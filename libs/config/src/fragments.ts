import { deletePolicies, newFieldPolicies, optOutPolicies, projectTypes } from '@libs/contracts';
import { z } from 'zod';
import { flag } from './load-settings.js';

const milliseconds = (min: number, max = 86_400_000) => z.coerce.number().int().min(min).max(max);
const port = z.coerce.number().int().min(0).max(65_535);
const url = z.url({ protocol: /^https?$/ });

/** Every service: its HTTP doors and its log. */
export const serviceSettings = (httpPort: number) =>
  z.object({
    HTTP_PORT: port.default(httpPort).describe('Port of /metrics, /health/live and /health/ready. 0 takes a free one.'),
    HTTP_HOST: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('Address the HTTP server binds to; 0.0.0.0 in a container.'),
    LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Least severe log line written.'),
  });

/** The event log: Kafka when KAFKA_BROKERS is set, else the embedded log. */
export const eventLogSettings = z.object({
  KAFKA_BROKERS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, 'must be host:port,host:port,…')).min(1))
    .optional()
    .describe('Kafka brokers as host:port, comma separated. Unset: the embedded log, in standalone only.'),
  KAFKA_SSL: flag(false).describe('Use TLS to the brokers.'),
  KAFKA_SASL_MECHANISM: z
    .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
    .optional()
    .describe('SASL mechanism; unset: none.'),
  KAFKA_SASL_USERNAME: z.string().optional().describe('SASL user.'),
  KAFKA_SASL_PASSWORD: z.string().optional().describe('SASL password. Secret.'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9._-]*$/, 'may hold letters, digits, dot, underscore and hyphen')
    .default('')
    .describe('Put before every topic and consumer group, so that several syncs share a cluster.'),
  KAFKA_PARTITIONS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(6)
    .describe(
      'Partitions of the scaled topics. A change needs a drain: stop the listener, let all lag reach 0, recreate.',
    ),
  KAFKA_REPLICATION: z.coerce
    .number()
    .int()
    .min(1)
    .max(15)
    .default(1)
    .describe('Replication factor of created topics; 3 in production.'),
  KAFKA_COMPRESSION: z.enum(['none', 'gzip']).default('gzip').describe('Compression of produced batches.'),
  KAFKA_SESSION_TIMEOUT_MS: milliseconds(1_000, 300_000)
    .default(10_000)
    .describe('After this long without a heartbeat a member is dead and its partitions move. Milliseconds.'),
});

/** Where the embedded log lives. */
export const dataSettings = z.object({
  DATA_DIR: z.string().min(1).default('./data').describe('Directory of the embedded log and other local state.'),
});

/** How to reach the Salesforce org. */
export const salesforceSettings = z.object({
  SALESFORCE_LOGIN_URL: url.describe("OAuth host: the org's My Domain URL, e.g. https://acme.my.salesforce.com."),
  SALESFORCE_AUTH: z
    .enum(['client-credentials', 'jwt', 'refresh-token', 'password'])
    .default('client-credentials')
    .describe('OAuth flow. password is for sandboxes and old orgs only.'),
  SALESFORCE_CLIENT_ID: z.string().min(1).describe('Consumer key of the External Client App.'),
  SALESFORCE_CLIENT_SECRET: z
    .string()
    .optional()
    .describe('Consumer secret: for client-credentials and password. Secret.'),
  SALESFORCE_USERNAME: z.string().optional().describe('Integration user: for jwt and password.'),
  SALESFORCE_PASSWORD: z.string().optional().describe('Password with security token: for password. Secret.'),
  SALESFORCE_PRIVATE_KEY: z.string().optional().describe('PEM private key: for jwt. Secret.'),
  SALESFORCE_REFRESH_TOKEN: z.string().optional().describe('For refresh-token. Secret.'),
  SALESFORCE_API_VERSION: z
    .string()
    .regex(/^\d{2,3}\.0$/, 'must look like 67.0')
    .default('67.0')
    .describe('REST and CometD API version.'),
});

/** Which change events the listener follows. */
export const streamingSettings = z.object({
  SALESFORCE_CHANNELS: z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(
      z
        .array(
          z
            .string()
            .regex(
              /^\/data\/[A-Za-z0-9_]+$/,
              'must be /data/<Name>ChangeEvent, /data/ChangeEvents or /data/<Name>__chn',
            ),
        )
        .min(1),
    )
    .optional()
    .describe('Channels, comma separated. Default: one for each mapped object and each parent that a mapping reads.'),
  SALESFORCE_STREAMING: z
    .enum(['cometd', 'pubsub'])
    .default('cometd')
    .describe(
      'How change events come: cometd (Streaming API) or pubsub (Pub/Sub API). A change of it counts as a lost position.',
    ),
  SALESFORCE_PUBSUB_ENDPOINT: z
    .string()
    .regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'must be host:port')
    .default('api.pubsub.salesforce.com:7443')
    .describe('Pub/Sub API as host:port; api.deu.pubsub.salesforce.com:7443 keeps events in the EU.'),
  SALESFORCE_PUBSUB_INSECURE: flag(false).describe(
    'Plain text to the Pub/Sub API: for the sandbox, never for Salesforce.',
  ),
});

/** How to reach the Iterable project. */
export const iterableSettings = z.object({
  ITERABLE_BASE_URL: url
    .default('https://api.iterable.com')
    .describe('https://api.iterable.com, or https://api.eu.iterable.com.'),
  ITERABLE_API_KEY: z.string().min(1).describe('Server-side API key of the project. Secret.'),
  ITERABLE_PROJECT_TYPE: z
    .enum(projectTypes)
    .default('email')
    .describe("How the project identifies users. Fixed at the project's creation."),
  ITERABLE_REQUESTS_PER_SECOND: z.coerce
    .number()
    .positive()
    .max(100)
    .default(5)
    .describe(
      'Most users/bulkUpdate requests a second. The limit is per project: leave room if other integrations write.',
    ),
  ITERABLE_USERS_PER_REQUEST: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000)
    .default(1_000)
    .describe('Most users in one bulk request.'),
  ITERABLE_SETTLE_SECONDS: z.coerce
    .number()
    .min(0)
    .max(3_600)
    .default(60)
    .describe(
      'Between calls to different endpoints about one user, as Iterable asks for; ten times as long after a forget. Seconds.',
    ),
  ON_DELETE: z
    .enum(deletePolicies)
    .default('ignore')
    .describe(
      'What a record deleted or merged in Salesforce does to its profile, if no other record has it: ignore, flag (sets the targets of IsDeleted), unsubscribe, delete or forget (GDPR; at most 1,000 a day).',
    ),
  ON_OPT_OUT: z
    .enum(optOutPolicies)
    .default('unsubscribe')
    .describe('What an opt-out in Salesforce does: unsubscribe from what the mapping says, or ignore.'),
  ITERABLE_NEW_FIELDS: z
    .enum(newFieldPolicies)
    .default('project')
    .describe(
      'What becomes of a field that the project does not have: project (its own setting decides), create, or drop (Iterable leaves it out, and a warning names it).',
    ),
  ITERABLE_SEED_FIELD_TYPES: flag(true).describe(
    'Before a new field gets its first value, a profile nobody mails gives it the type that the mapping means, and is deleted again: Iterable fixes a type by the first value, for ever.',
  ),
  ITERABLE_DRY_RUN: flag(false).describe('Map, check and count, but write nothing to Iterable.'),
});

/** When so much ends as dead letters that a wrong mapping is likelier than wrong records. */
export const deadLetterSettings = z.object({
  DEAD_LETTER_STOP_PERCENT: z.coerce
    .number()
    .positive()
    .max(100)
    .default(25)
    .describe(
      'Share of dead letters in a window above which reading of that lane stops until somebody acts, so that a wrong mapping does not drain everything into them. 100: never.',
    ),
  DEAD_LETTER_STOP_WINDOW_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_600)
    .default(60)
    .describe('That window. It counts from 100 dead letters on.'),
});

/** The mapping files. */
export const mappingSettings = z.object({
  MAPPINGS_DIR: z
    .string()
    .min(1)
    .default('./mappings')
    .describe('Directory of the mapping files, one a Salesforce object.'),
});

/** Which changes of parents are followed to the records that show them. */
export const fanOutSettings = z.object({
  FAN_OUT_OWNERS: flag(true).describe(
    'Follow changes of Users (names, emails of owners) to the records that show them: needs User in Change Data Capture and View All Users. false: they show with the next change of each record.',
  ),
});

export type ServiceSettings = z.infer<ReturnType<typeof serviceSettings>>;
export type EventLogSettings = z.infer<typeof eventLogSettings>;
export type SalesforceSettings = z.infer<typeof salesforceSettings>;
export type StreamingSettings = z.infer<typeof streamingSettings>;
export type IterableSettings = z.infer<typeof iterableSettings>;
export type MappingSettings = z.infer<typeof mappingSettings>;
