import { channelsOf } from './cometd/channels.js';
import { CometdServer } from './cometd/cometd-server.js';
import { UnknownNameError } from './errors.js';
import type { ChangeEvent, ChangeType } from './events/change-event.js';
import { EventLog } from './events/event-log.js';
import { DailyCount } from './http/api-usage.js';
import { FrontDoor } from './http/front-door.js';
import { recordIdOf } from './ids.js';
import { Sessions } from './oauth/sessions.js';
import { TokenEndpoint } from './oauth/token-endpoint.js';
import {
  defaultChannels,
  defaultCredentials,
  defaultLimits,
  defaultTiming,
  type SalesforceSandboxOptions,
} from './options.js';
import type { Org } from './org.js';
import { seededRandom } from './random.js';
import { Schema } from './schema/schema.js';
import { standardObjects } from './schema/standard-objects.js';
import type { ObjectSchema } from './schema/types.js';
import { seedPeople } from './seed/people.js';
import { seedRecords, type SeedCounts } from './seed/seed.js';
import { startTraffic, type Traffic, type TrafficOptions } from './seed/traffic.js';
import { PubSubServer } from './pubsub/pubsub-server.js';
import { QueryEngine } from './soql/query-engine.js';
import { RecordStore } from './store/record-store.js';
import type { StoredRecord } from './store/values.js';
import { Writer, type Author } from './writes/writer.js';
import type { InputRecord } from './writes/read-input.js';

/** An event put into the log by hand: a gap, an overflow, or any other. */
export interface EmittedEvent {
  readonly entity: string;
  readonly changeType: ChangeType;
  /** 18-character ids, a wildcard such as `001*`, or the empty id of an overflow. */
  readonly recordIds: readonly string[];
  /** Default: now, on the sandbox's clock. Epoch milliseconds. */
  readonly commitTimestamp?: number;
  readonly changedFields?: readonly string[];
  readonly body?: StoredRecord;
  readonly changeOrigin?: string;
}

/** Writes through the same way as REST, without HTTP. Objects are named as in the API. Throws what REST would answer. */
export interface RecordsApi {
  /** In transactions of at most 200. Answers the ids, in order. */
  create(object: string, inputs: readonly InputRecord[], client?: string): string[];
  update(object: string, inputs: ReadonlyArray<InputRecord & { Id: string }>, client?: string): void;
  remove(object: string, ids: readonly string[], client?: string): void;
  undelete(object: string, ids: readonly string[], client?: string): void;
  /** Hard delete: the rows are gone and no event tells. Answers how many there were. */
  purge(object: string, ids: readonly string[]): number;
  /** The stored record (datetimes as epoch milliseconds, booleans as 0 or 1), deleted or not. */
  get(object: string, id: string): StoredRecord | null;
}

/** A simulated Salesforce org behind an HTTP port and, if asked for, a gRPC port. */
export interface SalesforceSandbox {
  /** Opens the HTTP port. */
  listen(): Promise<{ url: string }>;
  /** Opens the port of the Pub/Sub API. Answers `host:port`. Throws when the options give none. */
  listenPubSub(): Promise<string>;
  close(): Promise<void>;
  /** Adds records that were there before: no change events. */
  seed(counts: SeedCounts): Promise<void>;
  /** Changes a few records a second from now on, until stopped. */
  startTraffic(options: TrafficOptions): Traffic;
  readonly records: RecordsApi;
  /** Appends one event; answers its replay id. */
  emit(event: EmittedEvent): number;
  /** Hides (`false`) or shows a field: field-level security of the integration user. */
  setFieldVisible(object: string, field: string, visible: boolean): void;
  /** Registers a public key (PEM) for JWT bearer assertions. */
  registerJwtKey(pem: string): void;
  /** Ends every session. Answers how many. */
  revokeTokens(): number;
  /** Forgets every CometD client, as a server that goes away. Answers how many. */
  dropCometdClients(): number;
  /** Cuts every connection of the Pub/Sub API. Answers how many subscriptions there were. */
  dropPubSubStreams(): number;
  stats(): SalesforceStats;
}

/** Figures for `GET /stats`. */
export type SalesforceStats = ReturnType<typeof statsOf>;

/** 15-character org ids have prefix 00D. */
const ORGANIZATION_ID = recordIdOf('00D', 1);

/** Most records in one transaction of the write API, as in REST collections. */
const TRANSACTION = 200;

/** Makes a simulated org; it has users and queues, and no records until {@link SalesforceSandbox.seed}. */
export function createSalesforceSandbox(options: SalesforceSandboxOptions): SalesforceSandbox {
  const { clock } = options;
  const now = () => clock.now();
  const random = seededRandom(options.seed ?? 1);
  const timing = { ...defaultTiming, ...options.timing };
  const limits = { ...defaultLimits, ...options.limits };
  const credentials = { ...defaultCredentials, ...options.credentials };
  const objects = mergeObjects(options.objects ?? []);
  const schema = new Schema(objects, now);
  const store = new RecordStore(schema);
  const identity = {
    organizationId: ORGANIZATION_ID,
    userId: seedPeople(store, now()),
    username: credentials.username,
  };
  const events = new EventLog(now, timing.eventRetentionMs, random);
  const sessions = new Sessions(ORGANIZATION_ID, now, timing.sessionIdleMs);
  const custom = objects.filter((one) => one.custom).map((one) => one.name);
  const selected = options.selectedEntities ?? ['Lead', 'Contact', 'Account', 'User', ...custom];
  const channels = channelsOf(objects, selected, options.channels ?? defaultChannels);
  const published = new Set([...channels.values()].flat());
  const org: Org = {
    now,
    onClockJump: (listener) => void clock.onJump(listener),
    random,
    faults: options.faults,
    timing,
    limits,
    identity,
    schema,
    store,
    queries: new QueryEngine(store, now, { open: limits.openCursors, idleMs: timing.locatorIdleMs }),
    writer: new Writer(store, now, (made) => events.append(made.filter((one) => published.has(one.entity)))),
    events,
    sessions,
    tokens: new TokenEndpoint(credentials, identity, sessions),
    apiRequests: new DailyCount(now),
    deliveredEvents: new DailyCount(now),
    channels,
    cometdClients: () => cometd.size,
  };
  const cometd = new CometdServer(org);
  const pubsub = options.pubsub === undefined ? null : new PubSubServer(org, options.pubsub);
  const door = new FrontDoor(org, cometd);
  const traffics = new Set<Traffic>();
  const stopping = new AbortController();
  let seeding: Promise<void> = Promise.resolve();
  let closing: Promise<void> | null = null;
  const close = async () => {
    stopping.abort();
    for (const traffic of traffics) traffic.stop();
    await seeding;
    cometd.close();
    await pubsub?.close();
    await door.close();
    store.close();
    events.close();
  };

  return {
    listen: () => door.listen(options.port, options.host),
    async listenPubSub() {
      if (pubsub === null) throw new Error('the options of the org open no Pub/Sub API');
      return pubsub.listen(options.host);
    },
    close: () => (closing ??= close()),
    seed(counts) {
      // One at a time: each suspends the indexes of what it fills.
      const seeded = seeding.then(() => seedRecords(store, counts, now(), stopping.signal));
      seeding = seeded.catch(() => {});
      return seeded;
    },
    startTraffic(asked) {
      const traffic = startTraffic(org, seededRandom(asked.seed ?? options.seed ?? 1), asked);
      traffics.add(traffic);
      return traffic;
    },
    records: recordsApi(org),
    emit: (event) => emit(org, event),
    setFieldVisible: (object, field, visible) => schema.setVisible(object, field, visible),
    registerJwtKey: (pem) => org.tokens.registerKey(pem),
    revokeTokens: () => sessions.revokeAll(),
    dropCometdClients: () => cometd.dropAll(),
    dropPubSubStreams: () => pubsub?.dropAll() ?? 0,
    stats: () => statsOf(org, cometd, pubsub),
  };
}

/** The standard objects, with those of the same name replaced and custom ones added. */
function mergeObjects(own: readonly ObjectSchema[]): ObjectSchema[] {
  const kept = standardObjects.filter((one) => !own.some((other) => other.name === one.name));
  return [...kept, ...own];
}

function recordsApi(org: Org): RecordsApi {
  const named = (name: string) => {
    const object = org.schema.object(name);
    if (object === null) throw new UnknownNameError(`the org has no object ${name}`);
    return object;
  };
  const author = (client?: string): Author => ({
    userId: org.identity.userId,
    changeOrigin: client === undefined ? '' : `com/salesforce/api/rest/68.0;client=${client}`,
  });
  const inTransactions = <T>(list: readonly T[], write: (part: readonly T[]) => string[]): string[] => {
    const ids: string[] = [];
    for (let at = 0; at < list.length; at += TRANSACTION) ids.push(...write(list.slice(at, at + TRANSACTION)));
    return ids;
  };
  const all = (requests: Parameters<Writer['many']>[0], client?: string): string[] =>
    inTransactions(requests, (part) =>
      org.writer.many(part, author(client), false).map((one) => {
        if ('error' in one) throw one.error;
        return one.id;
      }),
    );
  return {
    create: (name, inputs, client) => {
      const object = named(name);
      return all(
        inputs.map((input) => ({ kind: 'create', object, input })),
        client,
      );
    },
    update: (name, inputs, client) => {
      const object = named(name);
      all(
        inputs.map((input) => ({ kind: 'update', object, id: input.Id, input })),
        client,
      );
    },
    remove: (name, ids, client) => {
      const object = named(name);
      all(
        ids.map((id) => ({ kind: 'delete', object, id })),
        client,
      );
    },
    undelete: (name, ids, client) => {
      const object = named(name);
      all(
        ids.map((id) => ({ kind: 'undelete', object, id })),
        client,
      );
    },
    purge: (name, ids) => org.store.purge(named(name), ids),
    get: (name, id) => org.store.get(named(name), id),
  };
}

function emit(org: Org, event: EmittedEvent): number {
  if (org.schema.object(event.entity) === null) throw new UnknownNameError(`the org has no object ${event.entity}`);
  const commit = org.writer.commit({ userId: org.identity.userId, changeOrigin: event.changeOrigin ?? '' });
  const full: ChangeEvent = {
    ...commit,
    commitTimestamp: event.commitTimestamp ?? commit.commitTimestamp,
    sequenceNumber: 1,
    entity: event.entity,
    changeType: event.changeType,
    recordIds: event.recordIds,
    changedFields: event.changedFields ?? [],
    nulledFields: [],
    body: event.body ?? {},
  };
  return org.events.append([full])[0] ?? org.events.tip;
}

function statsOf(org: Org, cometd: CometdServer, pubsub: PubSubServer | null) {
  return {
    records: Object.fromEntries(org.schema.all().map((one) => [one.name, org.store.count(one)])),
    events: org.events.stats(),
    cometd: cometd.stats(),
    pubsub: pubsub?.stats() ?? null,
    sessions: org.sessions.live,
    apiRequests: org.apiRequests.used,
    deliveredEvents: org.deliveredEvents.used,
    openCursors: org.queries.openCursors,
  };
}
