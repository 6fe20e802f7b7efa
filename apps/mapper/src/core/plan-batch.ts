import type { BatchEntry, DeadLetter, Lane, Outcome, ProjectType, RecordBatch, UserMessage } from '@libs/contracts';
import type { CompiledMapping, MappedRecord } from '@libs/mapping';
import { toMessage, type DeadCode, type Fetched, type Rules } from './to-message.js';

/** Rows by record id. */
export type FetchedRows = ReadonlyMap<string, Fetched>;

/** What the mapping made of the rows, by record id. */
export type MappedRows = ReadonlyMap<string, MappedRecord>;

/** What a batch comes to: every offset of it in exactly one of the three, dead ones in an outcome beside their letter. */
export interface BatchPlan {
  readonly messages: readonly UserMessage[];
  readonly outcomes: readonly Outcome[];
  readonly deadLetters: readonly DeadLetter[];
}

/** What the records of an object without a mapping end as: changes of those who show them, or nothing. */
export type UnmappedEnd =
  | { readonly kind: 'expanded'; readonly reason: 'mapper.fanned_out' }
  | { readonly kind: 'skipped'; readonly reason: 'mapper.owners_not_followed' | 'mapping.unmapped_object' };

export interface PlanContext extends Pick<Rules, 'projectType' | 'targets' | 'mapsContacts' | 'fetchedAtMs'> {
  readonly lane: Lane;
  readonly projectType: ProjectType;
  /** `null`: no mapping file is for this object. */
  readonly compiled: CompiledMapping | null;
  readonly unmappedEnd: UnmappedEnd;
  /** Largest message that the log takes. Bytes. */
  readonly maxMessageBytes: number;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

type Outgone = { readonly kind: Outcome['kind']; readonly reason: string };
type Dead = { readonly code: DeadCode; readonly message: string };

/**
 * Decides what becomes of each entry of a batch, in batch order.
 *
 * Input: the rows that Salesforce gave for its ids, deleted ones included; an id without a row was not found.
 * Invariant 4: every offset of the batch is in exactly one message or outcome.
 */
export function planBatch(batch: RecordBatch, rows: FetchedRows, mapped: MappedRows, context: PlanContext): BatchPlan {
  const messages: UserMessage[] = [];
  const outcomes: Outcome[] = [];
  const deadLetters: DeadLetter[] = [];
  const { recordType } = batch;
  const { compiled, unmappedEnd } = context;
  for (const entry of batch.entries) {
    if (compiled === null) {
      outcomes.push(outcomeOf(recordType, entry, unmappedEnd, context));
      continue;
    }
    const { recordId } = entry;
    const candidate = { recordType, entry, fetched: rows.get(recordId), mapped: mapped.get(recordId) };
    const verdict = withinLimit(toMessage(candidate, { ...context, compiled }), context);
    if (verdict.kind === 'message') {
      messages.push(verdict.message);
    } else if (verdict.kind === 'dead') {
      outcomes.push(outcomeOf(recordType, entry, { kind: 'dead', reason: verdict.code }, context));
      deadLetters.push(deadLetterOf(recordType, entry, verdict, context));
    } else {
      outcomes.push(outcomeOf(recordType, entry, verdict, context));
    }
  }
  return { messages, outcomes, deadLetters };
}

/** A message that the log would not take is a dead record, found here and not when its whole batch is appended. */
function withinLimit(verdict: ReturnType<typeof toMessage>, { maxMessageBytes }: PlanContext): typeof verdict {
  if (verdict.kind !== 'message') return verdict;
  const bytes = Buffer.byteLength(JSON.stringify(verdict.message));
  if (bytes <= maxMessageBytes) return verdict;
  const message = `the mapped user has ${bytes} bytes, more than ${maxMessageBytes}: map fewer or shorter fields`;
  return { kind: 'dead', code: 'mapper.update_too_large', message };
}

function coverOf(recordType: string, { recordId, offsets, jobIds }: BatchEntry) {
  return { recordType, recordId, offsets, jobIds };
}

function outcomeOf(
  recordType: string,
  entry: BatchEntry,
  { kind, reason }: Outgone,
  { lane, nowMs }: PlanContext,
): Outcome {
  const commitTimestamp = entry.oldestCommitTimestamp;
  return { ...coverOf(recordType, entry), lane, kind, reason, commitTimestamp, time: nowMs };
}

function deadLetterOf(
  recordType: string,
  entry: BatchEntry,
  { code, message }: Dead,
  { lane, nowMs }: PlanContext,
): DeadLetter {
  const times = { attempts: 1, firstTime: nowMs, lastTime: nowMs };
  return { ...coverOf(recordType, entry), lane, stage: 'mapper', code, message, ...times };
}
