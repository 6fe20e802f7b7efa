import {
  topics,
  type DeadLetter,
  type Identity,
  type Lane,
  type Outcome,
  type UserMessage,
  type UserUpdate,
} from '@libs/contracts';

/** An update without its profile: what is needed to account for it. */
export type UpdateRef = Omit<UserUpdate, 'dataFields' | 'kind'> & Pick<UserMessage, 'kind'>;

/** How an update ended. */
export type Ending =
  | { readonly kind: 'written'; readonly requestId: string }
  | { readonly kind: 'superseded'; readonly reason: 'writer.newer_update' | 'writer.stale_version' }
  | { readonly kind: 'skipped' | 'filtered'; readonly reason: string }
  | { readonly kind: 'dead'; readonly code: string; readonly message: string; readonly requestId?: string };

export interface Ended {
  readonly update: UpdateRef;
  /** The lane of the topic that it came by. */
  readonly lane: Lane;
  readonly ending: Ending;
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
  | IdentityMessage;

export function isIdentity(message: ReportMessage): message is IdentityMessage {
  return message.topic.name === topics.identities.name;
}

/**
 * What is told of ended updates: an outcome for each (Invariant 4), a dead letter for a dead one, the identity and version of
 * one written. In input order, keyed by the record. No value of a profile but the identifiers in `sync.identities.v1`.
 */
export function toReport(ended: readonly Ended[], nowMs: number): ReportMessage[] {
  return ended.flatMap((one): ReportMessage[] => {
    const { update, ending } = one;
    const key = update.recordId;
    const outcome: ReportMessage = { topic: topics.outcomes, key, value: toOutcome(one, nowMs) };
    if (ending.kind === 'dead')
      return [{ topic: topics.deadLetters, key, value: toDeadLetter(one, ending, nowMs) }, outcome];
    if (ending.kind === 'written') return [{ topic: topics.identities, key, value: toIdentity(update) }, outcome];
    return [outcome];
  });
}

function toOutcome({ update, lane, ending }: Ended, time: number): Outcome {
  const { recordType, recordId, offsets, jobIds, commitTimestamp } = update;
  return {
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
}

/** Why, for every kind but `written`. */
export function reasonOf(ending: Ending): string | undefined {
  if (ending.kind === 'written') return undefined;
  return ending.kind === 'dead' ? ending.code : ending.reason;
}

function toDeadLetter(
  { update, lane, attempts, takenAtMs }: Ended,
  { code, message }: Extract<Ending, { kind: 'dead' }>,
  nowMs: number,
): DeadLetter {
  const { recordType, recordId, offsets, jobIds } = update;
  return {
    recordType,
    recordId,
    offsets,
    jobIds,
    lane,
    stage: 'writer',
    code,
    message,
    attempts: Math.max(1, attempts),
    firstTime: takenAtMs,
    lastTime: nowMs,
  };
}

function toIdentity({ recordType, email, userId, version }: UpdateRef): Identity {
  return { recordType, email: email ?? undefined, userId, version };
}
