import { toRecordId } from '@libs/contracts';
import { malformedId, notFound, SalesforceError } from '../errors.js';
import type { Org } from '../org.js';
import type { ObjectSchema } from '../schema/types.js';
import type { RestRecord } from '../soql/shape.js';

/** The object a path names. Throws NOT_FOUND. */
export function objectOf(org: Org, name: string): ObjectSchema {
  const object = org.schema.object(name);
  if (object === null) throw notFound();
  return object;
}

/**
 * Fetches records by id with plain fields.
 * Shape: one entry an id, in the order of `ids`, `null` where it is missing or deleted. Throws INVALID_FIELD.
 */
export function retrieve(
  org: Org,
  object: ObjectSchema,
  ids: readonly string[],
  fields: readonly string[],
  version: string,
): Array<RestRecord | null> {
  const unknown = fields.filter((name) => org.schema.field(object, name) === null);
  if (unknown.length > 0) {
    throw new SalesforceError(
      400,
      'INVALID_FIELD',
      `No such column '${unknown[0]}' on entity '${object.name}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  }
  const wanted = ids.map((text) => {
    const id = toRecordId(text);
    if (id === null) throw malformedId(text);
    return id;
  });
  const names = [...new Set(['Id', ...fields.map((name) => org.schema.field(object, name)?.name ?? name)])];
  const list = wanted.map((id) => `'${id}'`).join(',');
  const { records } = org.queries.query(`SELECT ${names.join(', ')} FROM ${object.name} WHERE Id IN (${list})`, {
    includeDeleted: false,
    pageSize: wanted.length,
    version,
  });
  const byId = new Map(records.map((one) => [String((one as RestRecord)['Id']), one as RestRecord]));
  return wanted.map((id) => byId.get(id) ?? null);
}
