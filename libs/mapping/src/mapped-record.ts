import type { OptOut } from '@libs/contracts';

/** What a mapping makes of a row, before the type of the project decides where the identity goes. */
export interface MappedUser {
  readonly kind: 'user';
  /** The mapped email, normalised; `null` when it is blank, absent when the mapping has none. */
  readonly email?: string | null;
  /** The mapped user id; absent when there is none. */
  readonly userId?: string;
  /** Nested as the targets say. `null` where Salesforce has no value: Iterable clears the field then. */
  readonly dataFields: Readonly<Record<string, unknown>>;
  /** What the person said no to; absent: nothing, or the mapping does not say. */
  readonly optOut?: OptOut;
  /** Targets whose text was longer than Iterable keeps, and was cut; absent: none. */
  readonly shortened?: readonly string[];
}

/** What a mapping makes of a row: a user, nothing (its `when` does not hold), or a failure that is about this row. */
export type MappedRecord =
  | MappedUser
  | { readonly kind: 'filtered' }
  /** `message` is for a person and holds no value of the row. */
  | { readonly kind: 'failed'; readonly code: MappingFailure; readonly message: string };

export type MappingFailure = 'mapping.expression_failed' | 'mapping.type_mismatch';
