import type { z } from 'zod';
import {
  command,
  deadLetter,
  identity,
  outcome,
  profileSchema,
  recordBatch,
  recordChange,
  status,
  stages,
  userMessage,
  type Lane,
  type Stage,
} from './messages.js';
import { cursor } from './cursors.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A topic as contract: what it carries and how long. The only place where topics are spelled. */
export interface Topic<T = unknown> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** CloudEvents type of its messages. */
  readonly type: string;
  /** What the key is, for the docs. */
  readonly key: string;
  readonly about: string;
  readonly policy: { readonly cleanup: 'delete'; readonly retentionMs: number } | { readonly cleanup: 'compact' };
  /** `scaled`: KAFKA_PARTITIONS. A number: fixed, whatever the setting. */
  readonly partitions: 'scaled' | number;
}

function topic<T>(definition: Topic<T>): Topic<T> {
  return definition;
}

/** Singleton roles: each owns the partition of `sync.leases.v1` with its index (design.md §4). */
export const leaseRoles = ['cdc-listener'] as const;
export type LeaseRole = (typeof leaseRoles)[number];

const batches = (lane: Lane, about: string) =>
  topic({
    name: `sync.batches.${lane}.v1`,
    schema: recordBatch,
    type: 'sync.record-batch',
    key: 'source partition',
    about,
    policy: { cleanup: 'delete', retentionMs: 7 * DAY_MS },
    partitions: 'scaled',
  });

const updates = (lane: Lane, about: string) =>
  topic({
    name: `iterable.updates.${lane}.v1`,
    schema: userMessage,
    type: 'sync.user-update',
    key: 'id of the record that owns the profile',
    about,
    policy: { cleanup: 'delete', retentionMs: 7 * DAY_MS },
    partitions: 'scaled',
  });

export const topics = {
  changes: topic({
    name: 'salesforce.changes.v1',
    schema: recordChange,
    type: 'sync.record-change',
    key: 'record id',
    about: 'One message for each record that changed: type and id, no data.',
    policy: { cleanup: 'delete', retentionMs: 7 * DAY_MS },
    partitions: 'scaled',
  }),
  realtimeBatches: batches('realtime', 'Closed windows of real-time changes.'),
  backfillBatches: batches('backfill', 'Closed windows of backfilled records.'),
  realtimeUpdates: updates('realtime', 'Mapped users of real-time changes, conversions and removals.'),
  backfillUpdates: updates('backfill', 'Mapped users of backfilled records, conversions and removals.'),
  outcomes: topic({
    name: 'sync.outcomes.v1',
    schema: outcome,
    type: 'sync.outcome',
    key: 'record id',
    about: 'What became of each change.',
    policy: { cleanup: 'delete', retentionMs: 7 * DAY_MS },
    partitions: 'scaled',
  }),
  deadLetters: topic({
    name: 'sync.dead-letters.v1',
    schema: deadLetter,
    type: 'sync.dead-letter',
    key: 'record id, else topic and offset of the unreadable message',
    about: 'References to what could not be processed, with stage and code.',
    policy: { cleanup: 'delete', retentionMs: 30 * DAY_MS },
    partitions: 'scaled',
  }),
  commands: topic({
    name: 'sync.commands.v1',
    schema: command,
    type: 'sync.command',
    key: 'target',
    about: 'The admin topic: what the sync is told to do.',
    policy: { cleanup: 'delete', retentionMs: 30 * DAY_MS },
    partitions: 1,
  }),
  status: topic({
    name: 'sync.status.v1',
    schema: status,
    type: 'sync.status',
    key: 'command or job id',
    about: 'Answers to commands, progress of jobs.',
    policy: { cleanup: 'delete', retentionMs: 30 * DAY_MS },
    partitions: 1,
  }),
  cursors: topic({
    name: 'sync.cursors.v1',
    schema: cursor,
    type: 'sync.cursor',
    key: 'job id',
    about: 'State and position of each job.',
    policy: { cleanup: 'compact' },
    partitions: 1,
  }),
  identities: topic({
    name: 'sync.identities.v1',
    schema: identity,
    type: 'sync.identity',
    key: 'record id',
    about: 'What the writer knows of each record: profile, claim to an address, version.',
    policy: { cleanup: 'compact' },
    partitions: 'scaled',
  }),
  schemas: topic({
    name: 'sync.schemas.v1',
    schema: profileSchema,
    type: 'sync.profile-schema',
    key: 'schema id, made of the content',
    about: 'The types that mappings mean their profile fields to have.',
    policy: { cleanup: 'compact' },
    partitions: 1,
  }),
  leases: topic({
    name: 'sync.leases.v1',
    schema: command,
    type: 'sync.lease',
    key: '–',
    about: 'Carries nothing: its group assignment is the lease of a singleton, its commit metadata the cursor.',
    policy: { cleanup: 'delete', retentionMs: 7 * DAY_MS },
    partitions: leaseRoles.length,
  }),
} as const satisfies Record<string, Topic<never> | Topic>;

/** Every topic, in the order of the table above. */
export const allTopics: readonly Topic[] = Object.values(topics) as readonly Topic[];

/** The two lanes' topics side by side. */
export const batchTopics: Readonly<Record<Lane, typeof topics.realtimeBatches>> = {
  realtime: topics.realtimeBatches,
  backfill: topics.backfillBatches,
};
export const updateTopics: Readonly<Record<Lane, typeof topics.realtimeUpdates>> = {
  realtime: topics.realtimeUpdates,
  backfill: topics.backfillUpdates,
};

/** Lane of a batches or updates topic; `null` for any other. */
export function laneOfTopic(name: string): Lane | null {
  if (name === topics.realtimeBatches.name || name === topics.realtimeUpdates.name) return 'realtime';
  if (name === topics.backfillBatches.name || name === topics.backfillUpdates.name) return 'backfill';
  return null;
}

/** Consumer group of an app. */
export function groupOf(app: string): string {
  return `sync.${app}`;
}

/** The stage at which an app's own dead letters are made, by its consumer group: `sync.iterable-writer` is `writer`. */
export function stageOfGroup(group: string): Stage {
  return stages.find((stage) => group.endsWith(stage)) ?? 'decode';
}
