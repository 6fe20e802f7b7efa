import type { ProjectType } from '@libs/contracts';
import type { CompiledMapping } from './compile-mapping.js';
import type { MappedRecord, MappedUser, MappingFailure } from './mapped-record.js';
import type { SourceRecord } from './record-readers.js';
import { toIdentity, type IdentifiedUser, type IdentitySkip } from './to-identity.js';

/** What the current row of a record makes of it. */
export type RowFate =
  | { readonly kind: 'deleted'; readonly reason: 'salesforce.deleted' | 'salesforce.merged' }
  /** A converted Lead: it goes on as its Contact. */
  | { readonly kind: 'converted'; readonly contactId: string }
  /** About this row; `message` holds no value of it. */
  | { readonly kind: 'failed'; readonly code: MappingFailure; readonly message: string }
  /** Its `when` does not hold. */
  | { readonly kind: 'filtered' }
  /** Nothing to know the user by, or nobody to belong to. */
  | { readonly kind: 'skipped'; readonly reason: IdentitySkip | 'mapping.belongs_to_nobody' }
  /** No person itself: written on the profile of the Lead or Contact of this id. */
  | { readonly kind: 'belonging'; readonly belongsTo: string; readonly mapped: MappedUser }
  | { readonly kind: 'user'; readonly user: IdentifiedUser; readonly mapped: MappedUser };

export interface RowRules {
  readonly compiled: Pick<CompiledMapping, 'belongsTo' | 'belongsToId' | 'convertedTo' | 'mergedInto'>;
  readonly projectType: ProjectType;
  /** Is there a mapping for Contact, so that a converted Lead goes on as one? */
  readonly mapsContacts: boolean;
  /** 18 characters: the user id, unless one is mapped. */
  readonly recordId: string;
}

/**
 * Says what becomes of a record by its row, in the order in which it is decided: gone, converted, failed, filtered, not to be
 * known by anything. Not asked here: how new the row is, and whether another record has the address.
 *
 * `mapped`: what the mapping made of the row.
 */
export function rowFate(
  row: SourceRecord,
  mapped: MappedRecord,
  { compiled, projectType, mapsContacts, recordId }: RowRules,
): RowFate {
  if (row['IsDeleted'] === true) {
    return { kind: 'deleted', reason: compiled.mergedInto(row) === null ? 'salesforce.deleted' : 'salesforce.merged' };
  }
  const contactId = mapsContacts ? compiled.convertedTo(row) : null;
  if (contactId !== null) return { kind: 'converted', contactId };
  if (mapped.kind !== 'user') return mapped;
  if (compiled.belongsTo !== null) {
    const belongsTo = compiled.belongsToId(row);
    if (belongsTo === null) return { kind: 'skipped', reason: 'mapping.belongs_to_nobody' };
    return { kind: 'belonging', belongsTo, mapped };
  }
  const identified = toIdentity(projectType, mapped, recordId);
  if (identified.kind === 'skip') return { kind: 'skipped', reason: identified.reason };
  return { kind: 'user', user: identified.user, mapped };
}
