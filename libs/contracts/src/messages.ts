import { z } from 'zod';
import { toRecordId } from './record-id.js';

/** An 18-character record id with a right checksum. */
export const recordId = z
  .string()
  .refine((text) => text.length === 18 && toRecordId(text) === text, 'not an 18-character Salesforce record id');

/** API name of a Salesforce object, e.g. `Lead`, `Invoice__c`. */
export const recordType = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'not the API name of an object');

/** Name of one change: its place in `salesforce.changes.v1`, written `partition:offset`. */
export const changeOffset = z.string().regex(/^\d+:\d+$/, 'not written partition:offset');

/** Milliseconds since the epoch. */
const epochMs = z.number().int().nonnegative();

export const lanes = ['realtime', 'backfill'] as const;
export const lane = z.enum(lanes);
export type Lane = z.infer<typeof lane>;

export const changeTypes = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'SNAPSHOT',
] as const;
/** Why a record is looked at: what a change event said, or `SNAPSHOT` for a row that a backfill read. A hint only: the fetched row is the truth. */
export const changeType = z.enum(changeTypes);
export type ChangeType = z.infer<typeof changeType>;

export const changeSources = ['cdc', 'backfill', 'catch-up', 'fan-out', 'redrive'] as const;
/** Who found a change. `fan-out`: a record that this one shows has changed, not the record itself. */
export const changeSource = z.enum(changeSources);
export type ChangeSource = z.infer<typeof changeSource>;

/** One record's change: a reference, no data (design.md §1). Topic `salesforce.changes.v1`, key = record id. */
export const recordChange = z.object({
  recordType,
  recordId,
  changeType,
  source: changeSource,
  lane,
  /** When Salesforce committed it; for a backfill, when its page was read. Epoch milliseconds (whole seconds in events). */
  commitTimestamp: epochMs,
  jobId: z.string().optional(),
  /** Salesforce's key of the transaction that made the change. */
  transactionKey: z.string().optional(),
});
export type RecordChange = z.infer<typeof recordChange>;

/** A record's place in a batch: the changes of one window collapsed to one entry. */
export const batchEntry = z.object({
  recordId,
  /** That of the newest change. */
  changeType,
  /** Every change that this entry stands for, in log order. Never empty. */
  offsets: z.array(changeOffset).min(1),
  /** The backfill jobs among them, distinct. */
  jobIds: z.array(z.string()),
  /** Who found them, distinct; absent in batches of earlier releases. */
  sources: z.array(changeSource).optional(),
  oldestCommitTimestamp: epochMs,
  newestCommitTimestamp: epochMs,
});
export type BatchEntry = z.infer<typeof batchEntry>;

/** Distinct records of one object type from one window and one source partition. Topics `sync.batches.*`. */
export const recordBatch = z.object({
  batchId: z.string().min(1),
  recordType,
  entries: z.array(batchEntry).min(1),
  windowStart: epochMs,
  windowEnd: epochMs,
});
export type RecordBatch = z.infer<typeof recordBatch>;

/** How new a mapped state is: first by `modstampMs`, then by `fetchedAtMs` (invariant 3). */
export const version = z.object({
  /** Greatest SystemModstamp of the record and its mapped parents. Epoch milliseconds, whole seconds. */
  modstampMs: epochMs,
  /** Start of the fetch that read it. Epoch milliseconds. */
  fetchedAtMs: epochMs,
});
export type Version = z.infer<typeof version>;

/** What every message about changes carries along, so that each change can be accounted for (invariant 4). */
const covers = {
  recordType,
  recordId,
  offsets: z.array(changeOffset).min(1),
  jobIds: z.array(z.string()),
  /** Oldest commit among the covered changes: latency counts from here. Epoch milliseconds. */
  commitTimestamp: epochMs,
};

/** What a person said no to, in Iterable's terms. Only ever unsubscribed: no message of ours subscribes anyone. */
export const optOut = z.object({
  /** Everything sent by email for marketing: the project's email channels of type Marketing. */
  allMarketing: z.boolean(),
  channelIds: z.array(z.number().int().positive()),
  messageTypeIds: z.array(z.number().int().positive()),
});
export type OptOut = z.infer<typeof optOut>;

export const fieldTypes = ['string', 'long', 'double', 'boolean', 'date', 'object'] as const;
/** What Iterable calls the type of a profile field. */
export const fieldType = z.enum(fieldTypes);
export type FieldType = z.infer<typeof fieldType>;

/**
 * The types that a mapping means its profile fields to have. Iterable fixes a field's type by its first value, for ever, and no value
 * shows what is meant: `1000` may be the first amount of a currency. Topic `sync.schemas.v1`, key = schema id: made of the content,
 * so that it is the same whoever publishes it. Durable before the first update that names it.
 */
export const profileSchema = z.object({
  object: recordType,
  /** Of the mapping that it was made from; several versions may have one schema, then it is any of them. */
  mappingVersion: z.string(),
  /** By path in the profile, as Iterable names its fields: `Name.First`. Only targets whose type is known. */
  fields: z.record(
    z.string(),
    z.object({
      type: fieldType,
      /** The mapping says `type`: a value is never converted to another, whatever the project's field is. */
      pinned: z.boolean().optional(),
    }),
  ),
});
export type ProfileSchema = z.infer<typeof profileSchema>;

/** One mapped user: the state of one record. Topics `iterable.updates.*`, key = id of the record that owns the profile. */
export const userUpdate = z.object({
  kind: z.literal('update'),
  ...covers,
  version,
  /** The address that the record claims, as Iterable stores it; `null`: the mapping has one, but the record none that is usable. */
  email: z.string().nullable().optional(),
  userId: z.string().optional(),
  dataFields: z.record(z.string(), z.unknown()),
  /** Id of the profile schema that says what types the fields are meant to have; absent: nothing is known of them. */
  schema: z.string().optional(),
  /** Are nested objects replaced whole, instead of merged? */
  replaceNested: z.boolean().optional(),
  /** When the record was created: of several records with one address the newer has it, other things equal. Epoch milliseconds. */
  createdMs: epochMs.optional(),
  /** What the person said no to; absent: nothing. */
  optOut: optOut.optional(),
  /** The Lead or Contact on whose profile this is written, for a record that is no person itself. Such a record claims no address. */
  belongsTo: recordId.optional(),
});
export type UserUpdate = z.infer<typeof userUpdate>;

/** A Lead was converted: its profile goes on as that of the Contact. Same topics and key. */
export const userRename = z.object({
  kind: z.literal('rename'),
  ...covers,
  version,
  /** The Contact. */
  toRecordId: recordId,
  /** What the mapping writes to say that the record is deleted, should the Contact be; absent when it maps no `IsDeleted`. */
  flagFields: z.record(z.string(), z.unknown()).optional(),
});
export type UserRename = z.infer<typeof userRename>;

/** A record is a user no more: it gives up its claim to an address. Same topics and key. */
export const userRemoval = z.object({
  kind: z.literal('removal'),
  ...covers,
  version,
  /** Deleted or merged in Salesforce, so that `ON_DELETE` says what becomes of the profile; else the profile stays as it is. */
  gone: z.boolean(),
  /** Outcome when nothing is written. */
  outcome: z.enum(['skipped', 'filtered']),
  /** Why: `salesforce.deleted`, `salesforce.merged`, `mapping.filtered`, `mapping.no_email`, … */
  reason: z.string(),
  /** The record that it was merged into: what that one is now is looked at first. */
  mergedInto: recordId.optional(),
  /** What the mapping writes to say that the record is deleted; absent when it maps no `IsDeleted`. */
  flagFields: z.record(z.string(), z.unknown()).optional(),
  /** For a record that is no person itself: whose profile it was written on. */
  belongsTo: recordId.optional(),
});
export type UserRemoval = z.infer<typeof userRemoval>;

/** What the writer is told of one record. */
export const userMessage = z.discriminatedUnion('kind', [userUpdate, userRename, userRemoval]);
export type UserMessage = z.infer<typeof userMessage>;

export const outcomeKinds = ['written', 'superseded', 'filtered', 'skipped', 'expanded', 'dead'] as const;
/** How a change ends. `written`: in Iterable. `superseded`: a newer state was written. `filtered`: nothing mapped changed.
 * `skipped`: on purpose, with a reason. `expanded`: became changes of other records. `dead`: kept as a dead letter. */
export const outcomeKind = z.enum(outcomeKinds);
export type OutcomeKind = z.infer<typeof outcomeKind>;

/** What became of the changes of one record. Topic `sync.outcomes.v1`, key = record id. No personal datum. */
export const outcome = z.object({
  recordType: recordType.optional(),
  recordId: recordId.optional(),
  offsets: z.array(changeOffset).min(1),
  jobIds: z.array(z.string()),
  lane,
  kind: outcomeKind,
  /** Why, for every kind but `written`: `<owner>.<reason>`, a bounded set. */
  reason: z.string().optional(),
  /** The Iterable request that carried it. */
  requestId: z.string().optional(),
  commitTimestamp: epochMs.optional(),
  time: epochMs,
});
export type Outcome = z.infer<typeof outcome>;

export const stages = ['listener', 'batcher', 'mapper', 'writer', 'backfill', 'console', 'decode'] as const;
/** Where a dead letter was made. `decode`: the message itself was unreadable. */
export const stage = z.enum(stages);
export type Stage = z.infer<typeof stage>;

/** A change or message that could not be processed: a reference to fetch it again, never its content. Topic `sync.dead-letters.v1`. */
export const deadLetter = z.object({
  recordType: recordType.optional(),
  recordId: recordId.optional(),
  offsets: z.array(changeOffset),
  jobIds: z.array(z.string()),
  lane: lane.optional(),
  stage,
  /** `<owner>.<reason>`, never renamed. */
  code: z.string(),
  /** For a person; without values of the record. */
  message: z.string(),
  /** Where the message stood that could not be processed. */
  origin: z.object({ topic: z.string(), partition: z.number().int(), offset: z.number().int() }).optional(),
  attempts: z.number().int().positive(),
  firstTime: epochMs,
  lastTime: epochMs,
});
export type DeadLetter = z.infer<typeof deadLetter>;

/** A command on the admin topic `sync.commands.v1`, key = target. `data` is checked by the target, so that a refusal can be answered. */
export const command = z.object({
  id: z.string().min(1).max(200),
  type: z.string().min(1).max(100),
  data: z.record(z.string(), z.unknown()).default({}),
  /** Who sent it. */
  by: z.string().max(200).optional(),
});
export type Command = z.infer<typeof command>;

export const statusTypes = [
  'accepted',
  'rejected',
  'progress',
  'completed',
  'failed',
  'hole-opened',
  'hole-closed',
  'mapping-applied',
  'mapping-refused',
] as const;
/** An answer or a progress report. Topic `sync.status.v1`, key = command or job id. */
export const status = z.object({
  id: z.string(),
  type: z.enum(statusTypes),
  data: z.record(z.string(), z.unknown()),
  time: epochMs,
  /** The service that answers. */
  by: z.string(),
});
export type Status = z.infer<typeof status>;

/** The last call to Iterable about a profile: calls to different endpoints must be apart (facts: Iterable, users/bulkUpdate). */
export const lastCall = z.object({ endpoint: z.enum(['bulk', 'single', 'forget']), atMs: epochMs });
export type LastCall = z.infer<typeof lastCall>;

/**
 * What the writer knows of a record: the profile that holds its data, its claim to an address, and its version. Topic
 * `sync.identities.v1`, compacted, key = record id. Claims decide who has an address, so they are kept of every record seen.
 */
export const identity = z.object({
  recordType,
  /** Identifiers of the profile that holds the record's data; none: no profile does. */
  email: z.string().optional(),
  userId: z.string().optional(),
  version,
  /**
   * Other profiles that may hold its data: each is written down before the first request there, so that nothing is forgotten by
   * a crash. Emails or user ids, by the project's type.
   */
  intents: z.array(z.string()).optional(),
  /** The address that the record claims. */
  claim: z.object({ email: z.string(), createdMs: epochMs, optOut: optOut.optional() }).optional(),
  /** Of a record whose user id is a mapped one: it may be another's, too. Epoch milliseconds. */
  createdMs: epochMs.optional(),
  /** Deleted, merged, filtered, without an address, or converted: it claims nothing. Default: `live`. */
  state: z.enum(['live', 'withdrawn', 'gone', 'converted']).optional(),
  /** The Contact that a converted Lead became. */
  convertedTo: recordId.optional(),
  /** The opt-out that was written for its profile, as it was asked for. */
  optOut: optOut.optional(),
  lastCall: lastCall.optional(),
  /** `forgotten`: this writer had the person forgotten. `due`: it will, when Iterable's daily limit allows. */
  forgotten: z.enum(['forgotten', 'due']).optional(),
});
export type Identity = z.infer<typeof identity>;

/**
 * A state that was fetched so much later is not older, whatever the stamps say: a mapping that no longer reads a parent gives a lower
 * stamp to a state that is newer all the same. Larger than clocks of two services differ. Milliseconds.
 */
export const FETCHED_LATER_MS = 5 * 60_000;

/** Is `a` older than `b`? Equal versions are not older: a redelivery may be written again (invariant 2). */
export function isOlder(a: Version, b: Version): boolean {
  if (Math.abs(a.fetchedAtMs - b.fetchedAtMs) > FETCHED_LATER_MS) return a.fetchedAtMs < b.fetchedAtMs;
  if (a.modstampMs !== b.modstampMs) return a.modstampMs < b.modstampMs;
  return a.fetchedAtMs < b.fetchedAtMs;
}
