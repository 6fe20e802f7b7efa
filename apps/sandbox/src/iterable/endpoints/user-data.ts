import { envelope, type Answer } from '../answers.js';
import type { Members } from '../envelope-check.js';
import type { Admission, Mismatch } from '../project/field-registry.js';
import type { FieldType } from '../project/field-types.js';
import type { Identifiers } from '../project/identity.js';
import type { Decimals, Json, JsonObject } from '../project/json.js';
import type { IterableProject, Write } from '../project/project.js';
import type { IterableSwitches } from '../switches.js';

/** OptionalApiUser of the API. */
export const userMembers: Members = {
  email: 'string',
  userId: 'string',
  dataFields: 'object',
  preferUserId: 'boolean',
  mergeNestedObjects: 'boolean',
};

export interface ApiUser {
  email?: string | null;
  userId?: string | null;
  dataFields?: JsonObject | null;
  preferUserId?: boolean | null;
  mergeNestedObjects?: boolean | null;
}

/** One user of a request, its data checked against the project's types. */
export interface Prepared {
  write: Write;
  admission: Admission;
}

/** Members that bulk may not set where opt-in message types are enabled. Source: [S] users/bulkUpdate. */
const OPT_IN_ONLY = ['unsubscribedChannelIds', 'unsubscribedMessageTypeIds'];

export function prepare(
  project: IterableProject,
  user: ApiUser,
  options: { createNewFields: boolean | null | undefined; updateOnly: boolean; decimals: Decimals | null },
): Prepared {
  const dataFields = user.dataFields ?? {};
  const createNew = options.createNewFields ?? project.switches.createNewFields;
  const decimals = project.switches.numberInference === 'by-text' ? options.decimals : null;
  const admission = project.fields.admit(dataFields, createNew, project.switches, decimals);
  if (project.switches.optInMessageTypes) {
    for (const name of OPT_IN_ONLY.filter((one) => one in admission.fields)) {
      const { [name]: _dropped, ...rest } = admission.fields;
      admission.fields = rest;
      admission.filtered.push(name);
    }
  }
  const ids: Identifiers = {
    email: user.email ?? undefined,
    userId: user.userId ?? undefined,
    newEmail: dataFields['email'],
    newUserId: dataFields['userId'],
    preferUserId: user.preferUserId ?? false,
    updateOnly: options.updateOnly && project.switches.updateOnly,
  };
  return { write: { ids, fields: admission.fields, mergeNestedObjects: user.mergeNestedObjects ?? false }, admission };
}

/** What a field takes beside its own type, where a whole number may stand in a field of fractions. */
const TAKES: Partial<Record<FieldType, FieldType[]>> = { double: ['double', 'long'] };

/** The 400 that names fields whose values have other types than before. */
export function typesMismatched(
  mismatches: readonly Mismatch[],
  { mismatchNames, expectedTypeForm }: Pick<IterableSwitches, 'mismatchNames' | 'expectedTypeForm'>,
): Answer {
  const byPath = new Map(mismatches.toReversed().map((mismatch) => [mismatch.path, mismatch]));
  const all = [...byPath.values()].toReversed();
  const fields = mismatchNames === 'first' ? all.slice(0, 1) : all;
  const validationErrors: JsonObject = {};
  for (const { path, incomingTypes, expectedType, offendingValue } of fields) {
    validationErrors[path] = {
      incomingTypes: [...incomingTypes] as Json[],
      expectedType: expectedTypeForm === 'list' ? (TAKES[expectedType] ?? [expectedType]) : expectedType,
      category: 'user',
      offendingValue,
      _type: 'UnexpectedType',
    };
  }
  const sentences = fields.map(
    ({ path, expectedType, incomingTypes }) =>
      `Field '${path}' already exists for type 'user' and has a data type of '${expectedType}' but possible types '${incomingTypes.join(', ')}' in the request.`,
  );
  return envelope(
    400,
    'RequestFieldsTypesMismatched',
    `Project ${PROJECT_ID}: The request does not have the same data types as the data previously submitted. ${sentences.join(' ')}`,
    { validationErrors },
  );
}

/** The number that errors name the project by. */
const PROJECT_ID = 10_001;

/** The 400 of a project that would get too many fields, or null. Source of its `params`: an answer recorded by RudderStack. */
export function tooManyFields(
  project: IterableProject,
  sizeBefore: number,
  prepared: readonly Prepared[],
): Answer | null {
  const { size } = project.fields;
  const { maxFields } = project.limits;
  if (size <= maxFields || size === sizeBefore) return null;
  const newFields = [...new Set(prepared.flatMap(({ admission }) => admission.created))];
  return envelope(
    400,
    'UniqueFieldsLimitExceeded',
    `Project ${PROJECT_ID}: The request would increase the number of object fields to ${size} by adding [${newFields.join(', ')}], which exceeds the limit of ${maxFields}`,
    { limit: maxFields, requestedTotal: size, newFields },
  );
}
