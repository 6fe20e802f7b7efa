import type { BatchEntry, DeadLetter, Lane, Outcome, ProjectType, RecordBatch, UserUpdate } from '@libs/contracts';
import {
  recordVersion,
  toIdentity,
  type CompiledMapping,
  type IdentitySkip,
  type MappedRecord,
  type MappingFailure,
  type SourceRecord,
} from '@libs/mapping';

/** A row, with the start of the fetch that read it. Epoch milliseconds. */
export interface Fetched {
  readonly row: SourceRecord;
  readonly fetchedAtMs: number;
}

/** What the mapping made of the rows, by record id. */
export type MappedRows = ReadonlyMap<string, MappedRecord>;

/** Rows by record id. */
export type FetchedRows = ReadonlyMap<string, Fetched>;

/** What a batch comes to: every offset of it in exactly one of the three, dead ones in an outcome beside their letter. */
export interface BatchPlan {
  readonly updates: readonly UserUpdate[];
  readonly outcomes: readonly Outcome[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface PlanContext {
  readonly lane: Lane;
  /** `null`: no mapping file is for this object. */
  readonly compiled: CompiledMapping | null;
  readonly projectType: ProjectType;
  /** Largest update that the log takes. Bytes. */
  readonly maxUpdateBytes: number;
  /** Epoch milliseconds. */
  readonly nowMs: number;
}

type SkipReason =
  | IdentitySkip
  | 'mapper.account_not_fanned_out'
  | 'mapping.filtered'
  | 'mapping.unmapped_object'
  | 'salesforce.deleted'
  | 'salesforce.not_found';

type DeadCode = MappingFailure | 'mapper.no_modstamp' | 'mapper.update_too_large';

type EntryVerdict =
  | { readonly kind: 'update'; readonly update: UserUpdate }
  | { readonly kind: 'skip'; readonly reason: SkipReason }
  | { readonly kind: 'dead'; readonly code: DeadCode; readonly message: string };

/** Why records of an object without a mapping are not sent: an Account is no user, it shows on its Contacts. */
export function skipOfUnmapped(recordType: string): SkipReason {
  return recordType === 'Account' ? 'mapper.account_not_fanned_out' : 'mapping.unmapped_object';
}

/**
 * Decides what becomes of each entry of a batch, in batch order.
 *
 * Input: the rows that Salesforce gave for its ids, deleted ones included; an id without a row was not found.
 * Invariant 4: every offset of the batch is in exactly one update or outcome.
 */
export function planBatch(batch: RecordBatch, rows: FetchedRows, mapped: MappedRows, context: PlanContext): BatchPlan {
  const updates: UserUpdate[] = [];
  const outcomes: Outcome[] = [];
  const deadLetters: DeadLetter[] = [];
  for (const entry of batch.entries) {
    const verdict = judge(batch.recordType, entry, rows.get(entry.recordId), mapped.get(entry.recordId), context);
    if (verdict.kind === 'update') {
      updates.push(verdict.update);
    } else if (verdict.kind === 'skip') {
      outcomes.push(outcomeOf(batch.recordType, entry, 'skipped', verdict.reason, context));
    } else {
      outcomes.push(outcomeOf(batch.recordType, entry, 'dead', verdict.code, context));
      deadLetters.push(deadLetterOf(batch.recordType, entry, verdict, context));
    }
  }
  return { updates, outcomes, deadLetters };
}

function judge(
  recordType: string,
  entry: BatchEntry,
  fetched: Fetched | undefined,
  mapped: MappedRecord | undefined,
  context: PlanContext,
): EntryVerdict {
  const { compiled, projectType, maxUpdateBytes } = context;
  if (compiled === null) return { kind: 'skip', reason: skipOfUnmapped(recordType) };
  if (fetched === undefined || mapped === undefined) return { kind: 'skip', reason: 'salesforce.not_found' };
  if (fetched.row['IsDeleted'] === true) return { kind: 'skip', reason: 'salesforce.deleted' };
  const version = recordVersion(fetched.row, compiled, fetched.fetchedAtMs);
  if (version === null) {
    return { kind: 'dead', code: 'mapper.no_modstamp', message: 'the row has no SystemModstamp: its state has no age' };
  }
  if (mapped.kind === 'filtered') return { kind: 'skip', reason: 'mapping.filtered' };
  if (mapped.kind === 'failed') return { kind: 'dead', code: mapped.code, message: mapped.message };
  const identified = toIdentity(projectType, mapped, entry.recordId);
  if (identified.kind === 'skip') return identified;
  const update: UserUpdate = {
    kind: 'update',
    recordType,
    recordId: entry.recordId,
    offsets: entry.offsets,
    jobIds: entry.jobIds,
    commitTimestamp: entry.oldestCommitTimestamp,
    version,
    ...identified.user,
  };
  const bytes = jsonBytes(update);
  if (bytes > maxUpdateBytes) {
    const message = `the mapped user has ${bytes} bytes, more than ${maxUpdateBytes}: map fewer or shorter fields`;
    return { kind: 'dead', code: 'mapper.update_too_large', message };
  }
  return { kind: 'update', update };
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function coverOf(recordType: string, { recordId, offsets, jobIds }: BatchEntry) {
  return { recordType, recordId, offsets, jobIds };
}

function outcomeOf(
  recordType: string,
  entry: BatchEntry,
  kind: 'skipped' | 'dead',
  reason: string,
  { lane, nowMs }: PlanContext,
): Outcome {
  const commitTimestamp = entry.oldestCommitTimestamp;
  return { ...coverOf(recordType, entry), lane, kind, reason, commitTimestamp, time: nowMs };
}

function deadLetterOf(
  recordType: string,
  entry: BatchEntry,
  { code, message }: { readonly code: DeadCode; readonly message: string },
  { lane, nowMs }: PlanContext,
): DeadLetter {
  const times = { attempts: 1, firstTime: nowMs, lastTime: nowMs };
  return { ...coverOf(recordType, entry), lane, stage: 'mapper', code, message, ...times };
}
