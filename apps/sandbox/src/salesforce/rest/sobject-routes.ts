import { toRecordId } from '@libs/contracts';
import { badJson, malformedId, SalesforceError } from '../errors.js';
import { json, noContent, type Reply } from '../http/replies.js';
import { describeGlobalEntry, describeObject } from '../schema/describe.js';
import type { InputRecord } from '../writes/read-input.js';
import { objectOf, retrieve } from './records.js';
import type { RestCall, Route } from './route.js';

/** `sobjects`: describe, create, retrieve, update, delete. */
export const sobjectRoutes: readonly Route[] = [
  { method: 'GET', path: /^\/sobjects\/?$/, handle: describeGlobal },
  { method: 'GET', path: /^\/sobjects\/(\w+)\/?$/, handle: basicInformation },
  { method: 'POST', path: /^\/sobjects\/(\w+)\/?$/, handle: create },
  { method: 'GET', path: /^\/sobjects\/(\w+)\/describe\/?$/, handle: describe },
  { method: 'GET', path: /^\/sobjects\/(\w+)\/([^/]+)$/, handle: retrieveOne },
  { method: 'PATCH', path: /^\/sobjects\/(\w+)\/([^/]+)$/, handle: update },
  { method: 'DELETE', path: /^\/sobjects\/(\w+)\/([^/]+)$/, handle: remove },
];

function describeGlobal(call: RestCall): Reply {
  const sobjects = call.org.schema.all().map((one) => describeGlobalEntry(one, call.version));
  return json(200, { encoding: 'UTF-8', maxBatchSize: 200, sobjects });
}

function basicInformation(call: RestCall): Reply {
  const object = objectOf(call.org, call.params[0] ?? '');
  return json(200, { objectDescribe: describeGlobalEntry(object, call.version), recentItems: [] });
}

function describe(call: RestCall): Reply {
  const object = objectOf(call.org, call.params[0] ?? '');
  const changedAt = Math.floor(call.org.schema.changedAt / 1000) * 1000;
  const since = Date.parse(call.request.headers['if-modified-since'] ?? '');
  const headers = { 'last-modified': new Date(changedAt).toUTCString() };
  if (since >= changedAt) return { status: 304, headers };
  return json(200, describeObject(object, call.org.schema, call.version), headers);
}

async function create(call: RestCall): Promise<Reply> {
  const object = objectOf(call.org, call.params[0] ?? '');
  const input = asRecord(await call.body());
  const id = call.org.writer.one({ kind: 'create', object, input }, call.author);
  const location = `/services/data/v${call.version}/sobjects/${object.name}/${id}`;
  return json(201, { id, success: true, errors: [] }, { location });
}

function retrieveOne(call: RestCall): Reply {
  const [name = '', rawId = ''] = call.params;
  const object = objectOf(call.org, name);
  const asked = call.url.searchParams.get('fields');
  const fields =
    asked === null ? call.org.schema.fields(object).map((one) => one.name) : asked.split(',').map((one) => one.trim());
  const [record] = retrieve(call.org, object, [rawId], fields, call.version);
  if (record) return json(200, record);
  const id = toRecordId(rawId);
  const deleted = id !== null && call.org.store.get(object, id)?.['IsDeleted'] === 1;
  if (deleted) throw new SalesforceError(404, 'ENTITY_IS_DELETED', 'entity is deleted', []);
  throw new SalesforceError(404, 'NOT_FOUND', 'The requested resource does not exist');
}

async function update(call: RestCall): Promise<Reply> {
  const [name = '', id = ''] = call.params;
  const object = objectOf(call.org, name);
  const input = asRecord(await call.body());
  checkPrefix(id, object.keyPrefix);
  call.org.writer.one({ kind: 'update', object, id, input }, call.author);
  return noContent;
}

function remove(call: RestCall): Reply {
  const [name = '', id = ''] = call.params;
  const object = objectOf(call.org, name);
  checkPrefix(id, object.keyPrefix);
  call.org.writer.one({ kind: 'delete', object, id }, call.author);
  return noContent;
}

function checkPrefix(id: string, keyPrefix: string): void {
  if (!id.startsWith(keyPrefix)) throw malformedId(id);
}

/** A JSON object, or JSON_PARSER_ERROR. */
export function asRecord(body: unknown): InputRecord {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as InputRecord;
  throw badJson('The HTTP entity body is required, but this request has no entity body.');
}
