import { channelsOf, customChannels } from './cometd/channels.js';
import { CometdServer } from './cometd/cometd-server.js';
import type { ChangeEvent, ChangeType } from './events/change-event.js';
import { disturbed } from './events/disturbed.js';
import { EventLog } from './events/event-log.js';
import { defaultTransactionLimits } from './events/transaction-changes.js';
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
  type CustomChannel,
  type SalesforceSandboxOptions,
  type SandboxLimits,
} from './options.js';
import type { Org } from './org.js';
import { PubSubServer } from './pubsub/pubsub-server.js';
import { seededRandom } from './random.js';
import { authorOf, namedObject, recordsApi, type By, type RecordsApi } from './records-api.js';
import { usageMetricObject } from './rest/usage-metrics.js';
import { Schema } from './schema/schema.js';
import { standardObjects } from './schema/standard-objects.js';
import type { ObjectSchema } from './schema/types.js';
import { seedPeople } from './seed/people.js';
import { seedRecords, type SeedCounts } from './seed/seed.js';
import { startTraffic, type Traffic, type TrafficOptions } from './seed/traffic.js';
import { QueryEngine } from './soql/query-engine.js';
import { RecordStore } from './store/record-store.js';
import type { StoredRecord } from './store/values.js';
import { convertLead, type ConvertedLead, type LeadConversion } from './writes/convert-lead.js';
import { massChange, storm, type MassChange, type Storm } from './writes/mass-changes.js';
import { mergeRecords } from './writes/merge-records.js';
import { readInput, type InputRecord } from './writes/read-input.js';
import { Writer } from './writes/writer.js';

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
  /** Default: the integration user. */
  readonly commitUser?: string;
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
  /** Converts a lead, in one transaction. Throws what Salesforce would answer. */
  convertLead(asked: LeadConversion, by?: By): ConvertedLead;
  /** Merges up to two other records into one, in one transaction; `values` are what the winner takes over. */
  merge(object: string, winner: string, losers: readonly string[], values?: InputRecord, by?: By): void;
  /** Changes many records in one transaction. Answers how many. */
  massChange(asked: MassChange, by?: By): number;
  /** Makes many events soon after one another. Resolves when they are in the log. */
  storm(asked: Storm, by?: By): Promise<{ events: number; records: number }>;
  /** Appends one event; answers its replay id. */
  emit(event: EmittedEvent): number;
  /** Adds a custom channel or changes what it carries; running subscriptions keep what they had. Answers its full name. */
  defineChannel(channel: CustomChannel): string;
  /** Changes limits of the org from now on. */
  setLimits(limits: Partial<Pick<SandboxLimits, 'deliveredEventsPerDay' | 'apiRequestsPerDay'>>): void;
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

/** Objects with Change Data Capture switched on: five, as many as an org may select without the add-on. Source: §3.7. */
const SELECTED = ['Lead', 'Contact', 'Account', 'Opportunity', 'User'];

/** Makes a simulated org; it has users and queues, and no records until {@link SalesforceSandbox.seed}. */
export function createSalesforceSandbox(options: SalesforceSandboxOptions): SalesforceSandbox {
  const { clock } = options;
  const now = () => clock.now();
  const random = seededRandom(options.seed ?? 1);
  const timing = { ...defaultTiming, ...options.timing };
  const limits: SandboxLimits = { ...defaultLimits, ...options.limits };
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
  const selected = options.selectedEntities ?? [...SELECTED, ...custom];
  const channels = channelsOf(objects, selected, options.channels ?? defaultChannels);
  const isPublished = ({ entity }: ChangeEvent) => channels.values().some((entities) => entities.includes(entity));
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
    writer: new Writer(store, now, (made) => events.append(disturbed(made.filter(isPublished), options.faults)), {
      ...defaultTransactionLimits,
      ...options.transactions,
    }),
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
  const works = new Set<Promise<unknown>>();
  let seeding: Promise<void> = Promise.resolve();
  let closing: Promise<void> | null = null;
  const close = async () => {
    stopping.abort();
    for (const traffic of traffics) traffic.stop();
    await Promise.allSettled([seeding, ...works]);
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
    convertLead: (asked, by) =>
      org.writer.transaction(authorOf(org, by), (transaction) => convertLead(transaction, asked)),
    merge(name, winner, losers, values = {}, by) {
      const object = namedObject(org, name);
      const read = readInput(schema, object, values, 'update');
      org.writer.transaction(authorOf(org, by), (transaction) =>
        mergeRecords(transaction, object, winner, losers, read),
      );
    },
    massChange: (asked, by) => massChange(org, namedObject(org, asked.object), asked, authorOf(org, by)),
    storm(asked, by) {
      const work = storm(org, namedObject(org, asked.object), asked, authorOf(org, by), stopping.signal);
      works.add(work);
      return work.finally(() => works.delete(work));
    },
    emit: (event) => emit(org, event),
    defineChannel(channel) {
      const [[name, entities] = ['', []]] = customChannels(objects, [channel]);
      channels.set(name, entities);
      return name;
    },
    setLimits: (changed) => void Object.assign(limits, changed),
    setFieldVisible: (object, field, visible) => schema.setVisible(object, field, visible),
    registerJwtKey: (pem) => org.tokens.registerKey(pem),
    revokeTokens: () => sessions.revokeAll(),
    dropCometdClients: () => cometd.dropAll(),
    dropPubSubStreams: () => pubsub?.dropAll() ?? 0,
    stats: () => statsOf(org, cometd, pubsub),
  };
}

/** The standard objects, with those of the same name replaced and custom ones added; and what the org tells of itself. */
function mergeObjects(own: readonly ObjectSchema[]): ObjectSchema[] {
  const kept = standardObjects.filter((one) => !own.some((other) => other.name === one.name));
  return [...kept, ...own, usageMetricObject];
}

function emit(org: Org, event: EmittedEvent): number {
  namedObject(org, event.entity);
  const { userId } = authorOf(org, { userId: event.commitUser });
  const commit = org.writer.commit({ userId, changeOrigin: event.changeOrigin ?? '' });
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
