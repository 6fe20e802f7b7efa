import { topics, type DeadLetter, type Identity, type Lane, type Outcome, type RecordChange } from '@libs/contracts';
import type { MessageRef } from './decide.js';
import type { Decision, Row } from './decision.js';

/** How a message ended. */
export type Ending =
  | { readonly kind: 'written'; readonly requestId: string | undefined }
  | { readonly kind: 'superseded'; readonly reason: 'writer.newer_update' | 'writer.stale_version' }
  | { readonly kind: 'skipped' | 'filtered'; readonly reason: string }
  | { readonly kind: 'dead'; readonly code: string; readonly message: string; readonly requestId?: string | undefined };

export interface Ended {
  readonly message: MessageRef;
  /** The lane of the topic that it came by. */
  readonly lane: Lane;
  readonly ending: Ending;
  /** What was decided; `null`: it never came to that, and nothing is known but before. */
  readonly decision: Decision | null;
  /** Was its profile moved or written on the way to a dead end? */
  readonly reached: boolean;
  /** Requests that it was part of; at least 1 for a dead one. */
  readonly attempts: number;
  /** When it was taken in hand. Epoch milliseconds. */
  readonly takenAtMs: number;
}

export interface IdentityMessage {
  readonly topic: typeof topics.identities;
  readonly key: string;
  readonly value: Identity;
}

/** A message to append. */
export type ReportMessage =
  | { readonly topic: typeof topics.outcomes; readonly key: string; readonly value: Outcome }
  | { readonly topic: typeof topics.deadLetters; readonly key: string; readonly value: DeadLetter }
  | { readonly topic: typeof topics.changes; readonly key: string; readonly value: RecordChange }
  | IdentityMessage;

export function isIdentity(message: ReportMessage): message is IdentityMessage {
  return message.topic.name === topics.identities.name;
}

/** What is told of ended messages, in two parts: `first` must be durable before `last`. */
export interface Report {
  readonly first: readonly ReportMessage[];
  readonly last: readonly ReportMessage[];
}

/**
 * What is told of ended messages: an outcome for each (Invariant 4), a dead letter for a dead one, what is known of records from
 * now on, and the records that are to be asked for again. The last come first: once the identities say that a profile has passed to
 * another record, a repeat of the message would not find out again. In input order, keyed by the record. No value of a
 * profile but the identifiers in `sync.identities.v1`.
 */
export function toReport(ended: readonly Ended[], nowMs: number): Report {
  return {
    first: ended.flatMap((one) => [...redrivesOf(one), ...deadLettersOf(one, nowMs)]),
    last: ended.flatMap((one) => [...identitiesOf(one, nowMs), outcomeOf(one, nowMs)]),
  };
}

/** A row as a message. */
export function toIdentityMessage({ recordId, identity, called }: Row, nowMs: number): IdentityMessage {
  const value = called === null ? identity : { ...identity, lastCall: { endpoint: called, atMs: nowMs } };
  return { topic: topics.identities, key: recordId, value };
}

function redrivesOf({ message, lane, decision }: Ended): ReportMessage[] {
  return (decision?.redrives ?? []).map(({ recordType, recordId }) => ({
    topic: topics.changes,
    key: recordId,
    value: {
      recordType,
      recordId,
      changeType: 'SNAPSHOT',
      source: 'redrive',
      lane,
      commitTimestamp: message.commitTimestamp,
    },
  }));
}

function identitiesOf({ message, ending, decision, reached }: Ended, nowMs: number): ReportMessage[] {
  if (decision === null) return [];
  const rows = ending.kind === 'dead' ? rowsOfDeadEnd(message, decision, reached) : decision.rows;
  return [...rows, ...decision.heirs].map((row) => toIdentityMessage(row, nowMs));
}

/**
 * Iterable does not take the user, or not all that was to be done. Its claim stands, so that who owns the address stays a matter
 * of the records alone. An opt-out or a forgetting was not brought to its end, so the next time it is tried again. `reached`: its
 * profile is where it was to be; else its data is where it was before.
 */
function rowsOfDeadEnd({ recordId }: MessageRef, { rows, before }: Decision, reached: boolean): Row[] {
  const own = rows.flatMap((row): Row[] => {
    if (row.recordId !== recordId) return reached ? [row] : [];
    const { email, userId, optOut: _optOut, forgotten: _forgotten, ...identity } = row.identity;
    const where = reached
      ? { email, userId }
      : { email: before?.email, userId: before?.userId, intents: before?.intents };
    const known = reached ? {} : { optOut: before?.optOut };
    return [
      {
        recordId,
        called: reached ? row.called : null,
        identity: { ...identity, ...where, ...known, forgotten: before?.forgotten },
      },
    ];
  });
  return own.map((row) => ({ ...row, identity: withoutUndefined(row.identity) }));
}

function withoutUndefined(identity: Identity): Identity {
  return Object.fromEntries(Object.entries(identity).filter(([, value]) => value !== undefined)) as Identity;
}

function outcomeOf({ message, lane, ending }: Ended, time: number): ReportMessage {
  const { recordType, recordId, offsets, jobIds, commitTimestamp } = message;
  const value: Outcome = {
    recordType,
    recordId,
    offsets,
    jobIds,
    lane,
    kind: ending.kind,
    reason: reasonOf(ending),
    requestId: 'requestId' in ending ? ending.requestId : undefined,
    commitTimestamp,
    time,
  };
  return { topic: topics.outcomes, key: recordId, value };
}

/** Why, for every kind but `written`. */
export function reasonOf(ending: Ending): string | undefined {
  if (ending.kind === 'written') return undefined;
  return ending.kind === 'dead' ? ending.code : ending.reason;
}

function deadLettersOf({ message, lane, ending, attempts, takenAtMs }: Ended, nowMs: number): ReportMessage[] {
  if (ending.kind !== 'dead') return [];
  const { recordType, recordId, offsets, jobIds } = message;
  const value: DeadLetter = {
    recordType,
    recordId,
    offsets,
    jobIds,
    lane,
    stage: 'writer',
    code: ending.code,
    message: ending.message,
    attempts: Math.max(1, attempts),
    firstTime: takenAtMs,
    lastTime: nowMs,
  };
  return [{ topic: topics.deadLetters, key: recordId, value }];
}
