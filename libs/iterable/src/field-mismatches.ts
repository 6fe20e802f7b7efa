import { asObject } from './json.js';

/** A field whose type in the project is another than that of a value in the request. */
export interface FieldMismatch {
  /** As the project names it: nested ones by dotted path. */
  readonly field: string;
  /** The project's type, or the first of several; `null`: the answer does not say. */
  readonly expected: string | null;
}

/**
 * The fields that a RequestFieldsTypesMismatched names in its `params`, in its order, each once; none for params of any other
 * shape. An answer may name only the first of several fields. The value that offended is personal data and left where it is.
 * Source: recorded users/update answers, `params.validationErrors`.
 */
export function fieldMismatches(params: unknown): readonly FieldMismatch[] {
  const errors = asObject(asObject(params)?.['validationErrors']) ?? {};
  return Object.entries(errors).flatMap(([field, error]) =>
    field === '' ? [] : [{ field, expected: typeIn(asObject(error)?.['expectedType']) }],
  );
}

/** Iterable's word for how a string is indexed; no type of a field. */
const KEYWORD = 'keyword';

/** One type's name, or the first of a list. */
function typeIn(expected: unknown): string | null {
  const names: readonly unknown[] = Array.isArray(expected) ? expected : [expected];
  return names.find((name): name is string => typeof name === 'string' && name !== '' && name !== KEYWORD) ?? null;
}
