import type { SandboxClock } from '../clock.js';
import type { Faults } from '../faults.js';
import type { TransactionLimits } from './events/transaction-changes.js';
import type { ObjectSchema } from './schema/types.js';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;

/** Durations, milliseconds. Those of CometD and Pub/Sub run in real time; the others on the sandbox's clock. */
export interface SandboxTiming {
  /** How long a connect without events is held. Source: facts/salesforce.md §1.3. */
  readonly cometdHoldMs: number;
  /** A CometD client that does not connect again for this long after a reply is forgotten. Source: §1.3. */
  readonly cometdReconnectMs: number;
  /** A session ends after this long without use. Source: §3.2. */
  readonly sessionIdleMs: number;
  /** How long change events are kept. Source: §1.9. */
  readonly eventRetentionMs: number;
  /** How long a query locator lives without use. Source: §4.1. */
  readonly locatorIdleMs: number;
  /** A Pub/Sub call with credit and without events gets an empty response after this long; real time. Source: §2.2. */
  readonly pubsubKeepaliveMs: number;
  /** A Pub/Sub call without credit is ended after this long; real time. Source: §2.2. */
  readonly pubsubNoCreditMs: number;
}

export const defaultTiming: SandboxTiming = {
  cometdHoldMs: 110 * SECOND,
  cometdReconnectMs: 40 * SECOND,
  sessionIdleMs: 2 * HOUR,
  eventRetentionMs: 72 * HOUR,
  locatorIdleMs: 48 * HOUR,
  pubsubKeepaliveMs: 270 * SECOND,
  pubsubNoCreditMs: 60 * SECOND,
};

/** The timeouts of both streams, `speed` times faster than the real ones. */
export function streamTiming(speed: number): Partial<SandboxTiming> {
  return {
    cometdHoldMs: defaultTiming.cometdHoldMs / speed,
    cometdReconnectMs: defaultTiming.cometdReconnectMs / speed,
    pubsubKeepaliveMs: defaultTiming.pubsubKeepaliveMs / speed,
    pubsubNoCreditMs: defaultTiming.pubsubNoCreditMs / speed,
  };
}

/** Limits of the org. */
export interface SandboxLimits {
  /** Requests in a rolling 24 h; a full sandbox has five million. Source: §3.6. */
  readonly apiRequestsPerDay: number;
  /** Change events delivered in a rolling 24 h, all subscribers together; null lifts the limit. Source: §3.7. */
  readonly deliveredEventsPerDay: number | null;
  /** CometD clients at once. Source: §3.7. */
  readonly cometdClients: number;
  /** Query cursors open at once; the oldest is dropped. */
  readonly openCursors: number;
  /** Most events in one CometD reply. */
  readonly eventsPerReply: number;
}

export const defaultLimits: SandboxLimits = {
  apiRequestsPerDay: 5_000_000,
  deliveredEventsPerDay: null,
  cometdClients: 2_000,
  openCursors: 10,
  eventsPerReply: 500,
};

/** A custom channel, `/data/<name>`: a name that ends in `__chn` and the objects whose events it carries. Source: §1.4. */
export interface CustomChannel {
  readonly name: string;
  readonly entities: readonly string[];
}

/** The one app registered in the org and its one user. */
export interface SandboxCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly username: string;
  readonly password: string;
  readonly refreshToken: string;
  /** Public keys (PEM, RS256) that JWT bearer assertions of the app may be signed with. More can be registered later. */
  readonly jwtPublicKeys: readonly string[];
}

export const defaultCredentials: SandboxCredentials = {
  clientId: 'sandbox',
  clientSecret: 'sandbox',
  username: 'sandbox',
  password: 'sandbox',
  refreshToken: 'sandbox',
  jwtPublicKeys: [],
};

/** The port of the Pub/Sub API. Plain text unless it has a certificate: PEM texts. */
export interface PubSubDoor {
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls?: { readonly key: string; readonly certificate: string };
}

export interface SalesforceSandboxOptions {
  /** 0 takes a free port. */
  readonly port: number;
  readonly host: string;
  /** Left out: no Pub/Sub API. */
  readonly pubsub?: PubSubDoor;
  readonly clock: SandboxClock;
  readonly faults: Faults;
  /** Seed of everything random: replay id gaps, page sizes, traffic. Default 1. */
  readonly seed?: number;
  readonly timing?: Partial<SandboxTiming>;
  readonly limits?: Partial<SandboxLimits>;
  /** What one transaction may tell; smaller than the real limits for tests. */
  readonly transactions?: Partial<TransactionLimits>;
  readonly credentials?: Partial<SandboxCredentials>;
  /** Custom objects, or standard objects redefined, e.g. with more custom fields. */
  readonly objects?: readonly ObjectSchema[];
  /** Objects with Change Data Capture switched on. Default: Lead, Contact, Account, Opportunity, User and the custom objects. */
  readonly selectedEntities?: readonly string[];
  readonly channels?: readonly CustomChannel[];
}

export const defaultChannels: readonly CustomChannel[] = [
  { name: 'IterableSync__chn', entities: ['Lead', 'Contact', 'Account'] },
];
