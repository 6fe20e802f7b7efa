import type { BatchEntry, ProjectType, UserMessage, UserRemoval, Version } from '@libs/contracts';
import {
  isUsableEmail,
  recordVersion,
  rowFate,
  type CompiledMapping,
  type IdentitySkip,
  type MappedRecord,
  type MappedUser,
  type MappingFailure,
  type RowFate,
  type SourceRecord,
} from '@libs/mapping';

/** A row, with the start of the fetch that read it. Epoch milliseconds. */
export interface Fetched {
  readonly row: SourceRecord;
  readonly fetchedAtMs: number;
}

export type DeadCode = MappingFailure | 'mapper.no_modstamp' | 'mapper.update_too_large';
export type SkipReason =
  IdentitySkip | 'mapping.belongs_to_nobody' | 'mapping.filtered' | 'salesforce.deleted' | 'salesforce.not_found';

/** What becomes of one entry: a message for the writer, an end of its own, or a dead letter. */
export type Verdict =
  | { readonly kind: 'message'; readonly message: UserMessage }
  | { readonly kind: 'filtered' | 'skipped'; readonly reason: SkipReason }
  | { readonly kind: 'dead'; readonly code: DeadCode; readonly message: string };

export interface Rules {
  readonly compiled: CompiledMapping;
  readonly projectType: ProjectType;
  /** Every target of the mapping. */
  readonly targets: readonly string[];
  /** Is there a mapping for Contact, so that a converted Lead goes on as one? */
  readonly mapsContacts: boolean;
  /** When the fetch of the batch began: the age of what is not there. Epoch milliseconds. */
  readonly fetchedAtMs: number;
}

/** An entry, with its row and what the mapping made of it, if Salesforce has one. */
export interface Candidate {
  readonly recordType: string;
  readonly entry: BatchEntry;
  readonly fetched: Fetched | undefined;
  readonly mapped: MappedRecord | undefined;
}

const SECOND_MS = 1_000;
const DELETIONS: ReadonlySet<string> = new Set(['DELETE', 'GAP_DELETE']);

/** Says what the writer is to be told of a record, by its current row. */
export function toMessage(candidate: Candidate, rules: Rules): Verdict {
  const { entry, fetched, mapped } = candidate;
  const { compiled } = rules;
  if (fetched === undefined) return ofNoRow(candidate, rules);
  const version = recordVersion(fetched.row, compiled, fetched.fetchedAtMs);
  if (version === null) {
    return { kind: 'dead', code: 'mapper.no_modstamp', message: 'the row has no SystemModstamp: its state has no age' };
  }
  // A row without what it was mapped to is as good as none
  if (mapped === undefined) return { kind: 'skipped', reason: 'salesforce.not_found' };
  const fate = rowFate(fetched.row, mapped, { ...rules, recordId: entry.recordId });
  switch (fate.kind) {
    case 'deleted':
      return ofDeletedRow(candidate, fetched.row, fate.reason, version, rules);
    case 'converted':
      return said({
        kind: 'rename',
        ...coverOf(candidate.recordType, entry),
        version,
        toRecordId: fate.contactId,
        ...flagOf(rules.compiled),
      });
    case 'failed':
      return { kind: 'dead', code: fate.code, message: fate.message };
    case 'filtered':
      return notWritten(candidate, version, { outcome: 'filtered', reason: 'mapping.filtered' }, rules);
    case 'skipped':
      return notWritten(candidate, version, { outcome: 'skipped', reason: fate.reason }, rules);
    case 'belonging':
      return ofBelonging(candidate, fate, version, rules);
    case 'user':
      break;
  }
  return said({
    kind: 'update',
    ...coverOf(candidate.recordType, entry),
    version,
    ...fate.user,
    schema: compiled.schema.id,
    ...extrasOf(fate.mapped, compiled),
    ...defined('createdMs', compiled.createdMs(fetched.row) ?? undefined),
  });
}

/** No row at all: gone for good if an event said so; else it may only be hidden from us, and no access is no deletion. */
function ofNoRow(candidate: Candidate, { compiled, fetchedAtMs }: Rules): Verdict {
  const { entry } = candidate;
  if (!DELETIONS.has(entry.changeType)) return { kind: 'skipped', reason: 'salesforce.not_found' };
  // Nobody can tell any more whose it was
  if (compiled.belongsTo !== null) return { kind: 'skipped', reason: 'salesforce.deleted' };
  // No stamp is left: as new as the event, in whole seconds as stamps are
  const modstampMs = Math.floor(entry.newestCommitTimestamp / SECOND_MS) * SECOND_MS;
  return said(goneOf(candidate, { modstampMs, fetchedAtMs }, compiled, 'salesforce.deleted'));
}

function ofDeletedRow(
  candidate: Candidate,
  row: SourceRecord,
  reason: 'salesforce.deleted' | 'salesforce.merged',
  version: Version,
  { compiled, targets }: Rules,
): Verdict {
  if (compiled.belongsTo === null) {
    const mergedInto = compiled.mergedInto(row);
    const gone = goneOf(candidate, version, compiled, reason);
    return said(mergedInto === null ? gone : { ...gone, mergedInto });
  }
  const belongsTo = compiled.belongsToId(row);
  if (belongsTo === null) return { kind: 'skipped', reason: 'salesforce.deleted' };
  // What it wrote on a profile that is somebody else's goes with it
  const flagFields = cleared(targets);
  return said({ ...removalOf(candidate, version, { gone: true, outcome: 'skipped', reason }), belongsTo, flagFields });
}

/**
 * Filtered, or without a usable identity: a user no more, if it ever was one, so that its address is free for the next in line.
 * A record that is no person claims nothing, so there is nothing to withdraw.
 */
function notWritten(candidate: Candidate, version: Version, end: NotWritten, { compiled }: Rules): Verdict {
  if (compiled.belongsTo !== null) return { kind: end.outcome, reason: end.reason };
  return said(removalOf(candidate, version, { gone: false, ...end }));
}

interface NotWritten {
  readonly outcome: 'filtered' | 'skipped';
  readonly reason: SkipReason;
}

function ofBelonging(
  { recordType, entry }: Candidate,
  { belongsTo, mapped }: Extract<RowFate, { kind: 'belonging' }>,
  version: Version,
  { compiled, projectType }: Rules,
): Verdict {
  // The writer knows where the person's profile is; the address is the person's to claim
  const known = projectType === 'email' ? usable(mapped.email) : { userId: belongsTo };
  return said({
    kind: 'update',
    ...coverOf(recordType, entry),
    version,
    ...known,
    dataFields: mapped.dataFields,
    schema: compiled.schema.id,
    ...extrasOf(mapped, compiled),
    belongsTo,
  });
}

function usable(email: MappedUser['email']): { readonly email?: string } {
  return typeof email === 'string' && isUsableEmail(email) ? { email } : {};
}

function said(message: UserMessage): Verdict {
  return { kind: 'message', message };
}

function coverOf(recordType: string, { recordId, offsets, jobIds, oldestCommitTimestamp }: BatchEntry) {
  return { recordType, recordId, offsets, jobIds, commitTimestamp: oldestCommitTimestamp };
}

function removalOf(
  { recordType, entry }: Candidate,
  version: Version,
  end: Pick<UserRemoval, 'gone' | 'outcome' | 'reason'>,
): UserRemoval {
  return { kind: 'removal', ...coverOf(recordType, entry), version, ...end };
}

function goneOf(candidate: Candidate, version: Version, compiled: CompiledMapping, reason: string): UserRemoval {
  const removal = removalOf(candidate, version, { gone: true, outcome: 'skipped', reason });
  return { ...removal, ...flagOf(compiled) };
}

function flagOf({ flagFields }: CompiledMapping): Pick<UserRemoval, 'flagFields'> {
  return flagFields === null ? {} : { flagFields: { ...flagFields } };
}

function extrasOf({ optOut }: MappedUser, { replaceNested }: CompiledMapping) {
  return { ...defined('optOut', optOut), ...(replaceNested && { replaceNested }) };
}

function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

/** Profile fields, all empty: `dataFields.A.B` gives `{ A: { B: null } }`. */
function cleared(targets: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const target of targets) {
    const [root, ...path] = target.split('.');
    const last = path.pop();
    if (root !== 'dataFields' || last === undefined) continue;
    let inside = fields;
    for (const name of path) inside = (inside[name] ??= {}) as Record<string, unknown>;
    inside[last] = null;
  }
  return fields;
}
