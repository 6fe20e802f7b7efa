import { z } from 'zod';
import {
  changeOffset,
  deadLetter,
  laneOfTopic,
  outcome,
  topics,
  type DeadLetter,
  type Lane,
  type Outcome,
  type RecordBatch,
  type RecordChange,
  type Stage,
  type UserUpdate,
} from '@libs/contracts';
import type { LogRecord, Outgoing, Position } from '../port.js';

/** The changes of one record that a message stands for. */
interface Coverage {
  readonly recordType?: string | undefined;
  readonly recordId?: string | undefined;
  readonly offsets: readonly string[];
  readonly jobIds: readonly string[];
  readonly commitTimestamp?: number;
  readonly lane?: Lane | undefined;
}

const asBatch = (value: unknown) => value as RecordBatch;
const asUpdate = (value: unknown) => value as UserUpdate;
const asChange = (value: unknown) => value as RecordChange;

/** Which changes a valid message stands for: one item for each record. Empty for a message that is about no change. */
function coverageOf({ topic, partition, offset }: Position, value: unknown): Coverage[] {
  const lane = laneOfTopic(topic) ?? undefined;
  if (topic === topics.changes.name) {
    const { recordType, recordId, jobId, commitTimestamp, lane: own } = asChange(value);
    const jobIds = jobId === undefined ? [] : [jobId];
    return [{ recordType, recordId, offsets: [`${partition}:${offset}`], jobIds, commitTimestamp, lane: own }];
  }
  if (topic === topics.realtimeBatches.name || topic === topics.backfillBatches.name) {
    const { recordType, entries } = asBatch(value);
    return entries.map(({ recordId, offsets, jobIds, oldestCommitTimestamp }) => ({
      recordType,
      recordId,
      offsets,
      jobIds,
      commitTimestamp: oldestCommitTimestamp,
      lane: lane,
    }));
  }
  if (topic === topics.realtimeUpdates.name || topic === topics.backfillUpdates.name) {
    const { recordType, recordId, offsets, jobIds, commitTimestamp } = asUpdate(value);
    return [{ recordType, recordId, offsets, jobIds, commitTimestamp, lane: lane }];
  }
  return [];
}

/** Of a message that does not fit its schema: what names the changes that it stands for, where that can be read. */
const hint = z.object({
  recordType: deadLetter.shape.recordType.catch(undefined),
  recordId: deadLetter.shape.recordId.catch(undefined),
  offsets: z.array(changeOffset).min(1),
  jobIds: deadLetter.shape.jobIds.catch([]),
});
const changeHints = z.object({
  lane: outcome.shape.lane.catch('realtime'),
  jobId: z.string().optional().catch(undefined),
});

/**
 * What can be told of an unreadable message. On the first topic it is a change, whatever it holds; on the others it stands for the changes
 * that it names, so that they end, too (Invariant 4). One that names none leaves a gap, which the account of the changes shows.
 */
function coverageOfUnreadable({ topic, partition, offset, value }: LogRecord): Coverage[] {
  const json = parse(value);
  if (topic === topics.changes.name) {
    const { lane: own = 'realtime', jobId } = changeHints.safeParse(json).data ?? {};
    return [{ offsets: [`${partition}:${offset}`], jobIds: jobId === undefined ? [] : [jobId], lane: own }];
  }
  const lane = laneOfTopic(topic) ?? undefined;
  if (lane === undefined) return [];
  const { entries } = z.object({ entries: z.array(z.unknown()) }).safeParse(json).data ?? {};
  return (entries ?? [json]).flatMap((item) => {
    const { data } = hint.safeParse(item);
    return data === undefined ? [] : [{ ...data, lane: lane }];
  });
}

function parse(value: string | null): unknown {
  try {
    return JSON.parse(value ?? '');
  } catch {
    return undefined;
  }
}

/** Why a message is given up. */
export interface Verdict {
  readonly stage: Stage;
  readonly code: string;
  readonly message: string;
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly firstTime: number;
  readonly now: number;
}

/** The messages that record a dead one: a dead letter for each record it stands for, and the outcome of its changes. */
export interface Death {
  readonly letters: ReadonlyArray<{
    readonly topic: typeof topics.deadLetters;
    readonly key: string;
    readonly value: DeadLetter;
  }>;
  readonly outcomes: ReadonlyArray<{
    readonly topic: typeof topics.outcomes;
    readonly key: string;
    readonly value: Outcome;
  }>;
}

/**
 * Turns a message that is given up into its dead letters and outcomes. Pure.
 * `value`: the decoded message, or `undefined` when it was unreadable.
 * Invariant 4: each change that the message stands for ends dead, with the code as reason.
 */
export function buryMessage(record: LogRecord, value: unknown, verdict: Verdict): Death {
  const { topic, partition, offset } = record;
  const { stage, code, message, attempts, firstTime, now } = verdict;
  const covered = value === undefined ? coverageOfUnreadable(record) : coverageOf(record, value);
  const origin = { topic, partition, offset };
  const common = { stage, code, message, origin, attempts, firstTime, lastTime: now };
  const keyOf = ({ recordId }: Coverage) => recordId ?? `${topic}:${partition}:${offset}`;
  const letters = (covered.length > 0 ? covered : [{ offsets: [], jobIds: [] } satisfies Coverage]).map(
    (item: Coverage) => ({
      topic: topics.deadLetters,
      key: keyOf(item),
      value: {
        recordType: item.recordType,
        recordId: item.recordId,
        offsets: [...item.offsets],
        jobIds: [...item.jobIds],
        lane: item.lane,
        ...common,
      },
    }),
  );
  const outcomes = covered.map((item) => ({
    topic: topics.outcomes,
    key: keyOf(item),
    value: {
      recordType: item.recordType,
      recordId: item.recordId,
      offsets: [...item.offsets],
      jobIds: [...item.jobIds],
      lane: item.lane ?? 'realtime',
      kind: 'dead' as const,
      reason: code,
      commitTimestamp: item.commitTimestamp,
      time: now,
    },
  }));
  return { letters, outcomes };
}

/** The messages to append, letters first. */
export function messagesOf({ letters, outcomes }: Death): Outgoing[] {
  return [...letters, ...outcomes] as Outgoing[];
}
