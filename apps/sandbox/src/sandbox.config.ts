import { iterableSettings, serviceSettings } from '@libs/config';
import { z } from 'zod';
import { iterableSwitchChanges } from './iterable/index.js';

const port = (usual: number) => z.coerce.number().int().min(0).max(65_535).default(usual);
/** A million records fit; more is a slip of the keyboard. */
const records = z.coerce.number().int().min(0).max(2_000_000);

/** A JSON object of switches, checked against the table of switches. */
const switches = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON object, e.g. {"mismatchMode":"per-user"}' });
      return z.NEVER;
    }
  })
  .pipe(iterableSwitchChanges);

/** The sandbox's doors and what stands behind them at the start. */
export const sandboxSettings = z.object({
  HTTP_HOST: serviceSettings(4030).shape.HTTP_HOST,
  ITERABLE_PROJECT_TYPE: iterableSettings.shape.ITERABLE_PROJECT_TYPE,
  SANDBOX_SALESFORCE_PORT: port(4010).describe('Port of the simulated Salesforce org. 0 takes a free one.'),
  SANDBOX_PUBSUB_PORT: port(4011).describe(
    'Port of the Pub/Sub API (gRPC) of the simulated Salesforce org. 0 takes a free one.',
  ),
  SANDBOX_PUBSUB_CERTIFICATE: z
    .string()
    .startsWith('-----BEGIN CERTIFICATE', 'must be a PEM text')
    .optional()
    .describe(
      'Certificate (PEM) that the Pub/Sub API serves TLS with, together with SANDBOX_PUBSUB_KEY. Unset: plain text.',
    ),
  SANDBOX_PUBSUB_KEY: z
    .string()
    .startsWith('-----BEGIN', 'must be a PEM text')
    .optional()
    .describe('Private key (PEM) of SANDBOX_PUBSUB_CERTIFICATE. Secret.'),
  SANDBOX_ITERABLE_PORT: port(4020).describe('Port of the simulated Iterable project. 0 takes a free one.'),
  SANDBOX_ADMIN_PORT: port(4030).describe(
    'Port of the sandbox admin API: faults, clock, seed, requests received. 0 takes a free one.',
  ),
  SANDBOX_LEADS: records.default(0).describe('Leads that the simulated org holds at the start.'),
  SANDBOX_CONTACTS: records.default(0).describe('Contacts that the simulated org holds at the start.'),
  SANDBOX_ACCOUNTS: records.default(0).describe('Accounts that the simulated org holds at the start.'),
  SANDBOX_SEED: z.coerce
    .number()
    .int()
    .min(0)
    .max(4_294_967_295)
    .default(1)
    .describe('Seed of everything random in the sandbox: the same seed gives the same records.'),
  SANDBOX_CHANGES_PER_SECOND: z.coerce
    .number()
    .min(0)
    .max(200)
    .default(0)
    .describe('Records that the simulated org changes by itself, a second; 0: none.'),
  SANDBOX_DELIVERED_EVENTS_PER_DAY: z.coerce
    .number()
    .int()
    .min(0)
    .max(1_000_000_000)
    .default(50_000)
    .describe(
      'Change events that the simulated org delivers in a rolling day, to all subscribers together; 25000 in an Enterprise org. 0: no limit.',
    ),
  SANDBOX_STREAM_SPEED: z.coerce
    .number()
    .min(1)
    .max(10_000)
    .default(1)
    .describe(
      'How many times faster the stream timeouts of the simulated org run: CometD 110 s and 40 s, Pub/Sub 270 s and 60 s.',
    ),
  SANDBOX_ITERABLE_SWITCHES: switches
    .optional()
    .describe('How the simulated Iterable behaves where the real one is not documented: a JSON object of switches.'),
});
export type SandboxSettings = z.infer<typeof sandboxSettings>;
