import { laneOfTopic, topics, type DeadLetter, type Outcome, type Stage } from '@libs/contracts';
import type { Lane, RecordBatch, RecordChange, UserUpdate } from '@libs/contracts';
import type { LogRecord, Outgoing, Position } from '../port.js';

/** The changes of one record that a message stands for. */
interface Coverage {
  readonly recordType?: string;
  readonly recordId?: string;
  readonly offsets: readonly string[];
  readonly jobIds: readonly string[];
  readonly commitTimestamp?: number;
  readonly lane?: Lane;
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
      lane,
    }));
  }
  if (topic === topics.realtimeUpdates.name || topic === topics.backfillUpdates.name) {
    const { recordType, recordId, offsets, jobIds, commitTimestamp } = asUpdate(value);
    return [{ recordType, recordId, offsets, jobIds, commitTimestamp, lane }];
  }
  return [];
}

/** What can be told of an unreadable message: on the first topic it is a change, whatever it holds. */
function coverageOfUnreadable({ topic, partition, offset, value }: LogRecord): Coverage[] {
  if (topic !== topics.changes.name) return [];
  const [lane, jobIds] = readHints(value);
  return [{ offsets: [`${partition}:${offset}`], jobIds, lane }];
}

/** Lane and job of a message that does not fit its schema, if those fields are readable. */
function readHints(value: string | null): [lane: Lane, jobIds: string[]] {
  try {
    const hints = JSON.parse(value ?? '') as { lane?: unknown; jobId?: unknown } | null;
    return [
      hints?.lane === 'backfill' ? 'backfill' : 'realtime',
      typeof hints?.jobId === 'string' ? [hints.jobId] : [],
    ];
  } catch {
    return ['realtime', []];
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
