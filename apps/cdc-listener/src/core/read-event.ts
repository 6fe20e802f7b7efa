import {
  changeTypes,
  EMPTY_RECORD_ID,
  recordType,
  toRecordId,
  type ChangeType,
  type RecordChange,
} from '@libs/contracts';
import { z } from 'zod';

/** Changes that an event tells of without saying of which records. */
export interface Hole {
  /** `overflow`: more than 100,000 changes in one transaction. `wildcard`: an id such as `001*`. */
  readonly reason: 'overflow' | 'wildcard';
  readonly recordType: string;
  /** Commit time of the transaction. Epoch milliseconds. */
  readonly sinceMs: number;
}

/** A part of an event that cannot be read. */
export interface Problem {
  readonly recordType?: string;
  /** Set when the record is known, so that it can be fetched again. */
  readonly recordId?: string;
  /** For a person, without values. */
  readonly message: string;
}

export interface ReadEvent {
  /** For metrics; `unknown` when unreadable. */
  readonly object: string;
  readonly changeType: string;
  /** Epoch milliseconds, whole seconds; `null` when unreadable. */
  readonly commitTimestamp: number | null;
  /** One for each distinct record id, in the order of the event. */
  readonly changes: readonly RecordChange[];
  /** What changed, in the words of events (`Name.FirstName`); empty when it is not an UPDATE, or not told. */
  readonly changedFields: readonly string[];
  /** Whose change it was; `null` when it is not told. */
  readonly commitUser: string | null;
  readonly holes: readonly Hole[];
  readonly problems: readonly Problem[];
}

const header = z.object({
  entityName: recordType,
  recordIds: z.array(z.string()).min(1),
  changeType: z.enum([...changeTypes, 'GAP_OVERFLOW']),
  commitTimestamp: z.number().int().nonnegative(),
  transactionKey: z.string().max(100).optional(),
  // A hint that only saves work: in another form it is as if it were not there
  changedFields: z.array(z.string()).catch([]),
  commitUser: z.string().nullable().catch(null),
});
const WILDCARD = /^[0-9A-Za-z]{3}\*$/;

/** What of an unreadable header can still be told: records that a redrive can fetch. */
function salvage(raw: unknown, message: string): ReadEvent {
  const { entityName, recordIds } = (raw ?? {}) as { entityName?: unknown; recordIds?: unknown };
  const type = recordType.safeParse(entityName).data;
  const ids = (Array.isArray(recordIds) ? recordIds : []).flatMap((id) =>
    typeof id === 'string' ? (toRecordId(id) ?? []) : [],
  );
  const known = type === undefined ? [] : [...new Set(ids)].filter((id) => id !== EMPTY_RECORD_ID);
  return {
    object: type ?? 'unknown',
    changeType: 'unknown',
    commitTimestamp: null,
    changes: [],
    changedFields: [],
    commitUser: null,
    holes: [],
    problems:
      known.length === 0
        ? [{ message, ...(type === undefined ? {} : { recordType: type }) }]
        : known.map((recordId) => ({ recordType: type, recordId, message })),
  };
}

/**
 * Reads a change event's header: a change for each record it names, of whatever type, gaps included (they are fetched like
 * any other). Never throws; bad ids do not stop good ones.
 */
export function readEvent(raw: unknown): ReadEvent {
  const parsed = header.safeParse(raw);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map(({ path }) => String(path[0] ?? 'header')))];
    return salvage(raw, `unreadable ${fields.join(', ')} in the header of a change event`);
  }
  const { entityName, recordIds, changeType, commitTimestamp, transactionKey, changedFields, commitUser } = parsed.data;
  const ids = new Set<string>();
  const holes: Hole[] = [];
  const problems: Problem[] = [];
  const hole = (reason: Hole['reason']) => holes.push({ reason, recordType: entityName, sinceMs: commitTimestamp });
  for (const text of new Set(recordIds)) {
    const id = toRecordId(text);
    if (changeType === 'GAP_OVERFLOW' || id === EMPTY_RECORD_ID) hole('overflow');
    else if (WILDCARD.test(text)) hole('wildcard');
    else if (id === null) problems.push({ recordType: entityName, message: 'a record id of a change event is none' });
    else ids.add(id);
  }
  const toChange = (recordId: string): RecordChange => ({
    recordType: entityName,
    recordId,
    changeType: changeType as ChangeType,
    source: 'cdc',
    lane: 'realtime',
    commitTimestamp,
    ...(transactionKey === undefined ? {} : { transactionKey }),
  });
  return {
    object: entityName,
    changeType,
    commitTimestamp,
    changes: [...ids].map(toChange),
    changedFields: changeType === 'UPDATE' ? changedFields : [],
    commitUser,
    holes: changeType === 'GAP_OVERFLOW' ? holes.slice(0, 1) : holes,
    problems,
  };
}
