import { SettingsError } from '@libs/config';
import { fromSchemas } from './admin/fault-catalog.js';
import { createAdminApp, listenAdmin } from './admin/admin-server.js';
import type { SeedRequest } from './admin/admin-schemas.js';
import { SandboxClock } from './clock.js';
import { Faults } from './faults.js';
import { createIterableSandbox, iterableFaultKinds, type IterableSandbox } from './iterable/index.js';
import {
  createSalesforceSandbox,
  streamTiming,
  registrationObject,
  salesforceAdminRoutes,
  salesforceFaultKinds,
  type PubSubDoor,
  type SalesforceSandbox,
} from './salesforce/index.js';
import { seededRandom } from './salesforce/random.js';
import type { SandboxSettings } from './sandbox.config.js';

/** A running sandbox: both systems and the admin API, on real ports. */
export interface Sandbox {
  readonly urls: {
    readonly salesforce: string;
    /** `host:port` of the Pub/Sub API. */
    readonly pubsub: string;
    readonly iterable: string;
    readonly admin: string;
  };
  readonly clock: SandboxClock;
  readonly faults: Faults;
  readonly salesforce: SalesforceSandbox;
  readonly iterable: IterableSandbox;
  /** Adds records to the org; resolves, with what was asked for, when they are there. */
  seed(request: SeedRequest): Promise<Required<SeedRequest>>;
  /** Lets the org change records by itself, `changesPerSecond` of them; the result stops it. */
  startTraffic(changesPerSecond: number): () => void;
  close(): Promise<void>;
}

/** A port that another process has: said in words, with the setting that moves it. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** The door of the Pub/Sub API. Errors: `SettingsError` when only one of certificate and key is given. */
function pubSubDoor(settings: SandboxSettings): PubSubDoor {
  const { SANDBOX_PUBSUB_CERTIFICATE: certificate, SANDBOX_PUBSUB_KEY: key } = settings;
  const port = settings.SANDBOX_PUBSUB_PORT;
  if (certificate === undefined && key === undefined) return { port };
  if (certificate !== undefined && key !== undefined) return { port, tls: { certificate, key } };
  const missing = key === undefined ? 'SANDBOX_PUBSUB_KEY' : 'SANDBOX_PUBSUB_CERTIFICATE';
  throw new SettingsError('sandbox', [`${missing}: is required: TLS needs a certificate and its key`]);
}

async function open<T>(variable: string, port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new PortTakenError(`port ${port} is taken by another process; choose another with ${variable}`, {
      cause: error,
    });
  }
}

/**
 * Starts the simulated org, the simulated project and the admin API, then makes the first records and starts the traffic
 * that the settings ask for. Resolves when all doors are open and all records are there.
 * Errors: {@link PortTakenError}.
 */
export async function createSandbox(settings: SandboxSettings): Promise<Sandbox> {
  const host = settings.HTTP_HOST;
  const clock = new SandboxClock();
  const random = seededRandom(settings.SANDBOX_SEED);
  const faults = new Faults(random);
  const salesforce = createSalesforceSandbox({
    port: settings.SANDBOX_SALESFORCE_PORT,
    pubsub: pubSubDoor(settings),
    host,
    clock,
    faults,
    seed: settings.SANDBOX_SEED,
    objects: [registrationObject],
    timing: streamTiming(settings.SANDBOX_STREAM_SPEED),
    limits: { deliveredEventsPerDay: settings.SANDBOX_DELIVERED_EVENTS_PER_DAY || null },
  });
  const iterable = createIterableSandbox({
    port: settings.SANDBOX_ITERABLE_PORT,
    host,
    clock,
    faults,
    random,
    projectType: settings.ITERABLE_PROJECT_TYPE,
    switches: settings.SANDBOX_ITERABLE_SWITCHES,
  });
  const closers: Array<() => Promise<void>> = [];
  let ready = false;

  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((one) => one()));
  };
  const seed = async (request: SeedRequest): Promise<Required<SeedRequest>> => {
    const counts = { ...request, seed: request.seed ?? settings.SANDBOX_SEED };
    await salesforce.seed(counts);
    return counts;
  };
  const startTraffic = (changesPerSecond: number): (() => void) => {
    const traffic = salesforce.startTraffic({ perSecond: changesPerSecond });
    return () => traffic.stop();
  };

  try {
    const { url: salesforceUrl } = await open('SANDBOX_SALESFORCE_PORT', settings.SANDBOX_SALESFORCE_PORT, () =>
      salesforce.listen(),
    );
    closers.push(() => salesforce.close());
    const pubsub = await open('SANDBOX_PUBSUB_PORT', settings.SANDBOX_PUBSUB_PORT, () => salesforce.listenPubSub());
    const { url: iterableUrl } = await open('SANDBOX_ITERABLE_PORT', settings.SANDBOX_ITERABLE_PORT, () =>
      iterable.listen(),
    );
    closers.push(() => iterable.close());
    const app = createAdminApp({
      clock,
      faults,
      catalog: [...fromSchemas('salesforce', salesforceFaultKinds), ...fromSchemas('iterable', iterableFaultKinds)],
      iterable,
      seed,
      salesforceStats: () => salesforce.stats(),
      salesforceRoutes: salesforceAdminRoutes(salesforce),
      isReady: () => ready,
    });
    const admin = await open('SANDBOX_ADMIN_PORT', settings.SANDBOX_ADMIN_PORT, () =>
      listenAdmin(app, settings.SANDBOX_ADMIN_PORT, host),
    );
    closers.push(() => admin.close());
    const { SANDBOX_LEADS: leads, SANDBOX_CONTACTS: contacts, SANDBOX_ACCOUNTS: accounts } = settings;
    if (leads + contacts + accounts > 0) await seed({ leads, contacts, accounts });
    if (settings.SANDBOX_CHANGES_PER_SECOND > 0) startTraffic(settings.SANDBOX_CHANGES_PER_SECOND);
    ready = true;
    const urls = { salesforce: salesforceUrl, pubsub, iterable: iterableUrl, admin: admin.url };
    return { urls, clock, faults, salesforce, iterable, seed, startTraffic, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What a person is told at the start. */
export function doors(sandbox: Pick<Sandbox, 'urls'>, projectType: string): string {
  return [
    'The sandbox is open. Client id, client secret, username, password and API key are all: sandbox',
    `  Salesforce  ${sandbox.urls.salesforce}   SALESFORCE_LOGIN_URL`,
    `  Pub/Sub API ${sandbox.urls.pubsub}   SALESFORCE_PUBSUB_ENDPOINT`,
    `  Iterable    ${sandbox.urls.iterable}   ITERABLE_BASE_URL (project type: ${projectType})`,
    `  Admin       ${sandbox.urls.admin}   GET /stats, POST /faults, POST /seed, GET /iterable/requests`,
    '',
  ].join('\n');
}
