import { SalesforceError } from '../errors.js';
import { json, type Reply } from '../http/replies.js';
import type { WriteRequest, WriteResult } from '../writes/writer.js';
import { textOf } from '../text-of.js';
import { objectOf, retrieve } from './records.js';
import type { RestCall, Route } from './route.js';
import { asRecord } from './sobject-routes.js';

/** Source: facts/salesforce.md §4.3 and the REST guide, sObject Collections. */
const MOST_WRITTEN = 200;
const MOST_RETRIEVED = 2_000;

/** `composite/sobjects`: up to 200 records written in one transaction, up to 2,000 retrieved. */
export const collectionRoutes: readonly Route[] = [
  { method: 'POST', path: /^\/composite\/sobjects\/?$/, handle: create },
  { method: 'PATCH', path: /^\/composite\/sobjects\/?$/, handle: update },
  { method: 'DELETE', path: /^\/composite\/sobjects\/?$/, handle: remove },
  { method: 'GET', path: /^\/composite\/sobjects\/(\w+)$/, handle: retrieveByGet },
  { method: 'POST', path: /^\/composite\/sobjects\/(\w+)$/, handle: retrieveByPost },
];

async function create(call: RestCall): Promise<Reply> {
  return write(call, (record) => {
    const type = textOf((record['attributes'] as { type?: unknown } | undefined)?.type);
    return { kind: 'create', object: objectOf(call.org, type), input: record };
  });
}

async function update(call: RestCall): Promise<Reply> {
  return write(call, (record) => {
    const id = textOf(record['Id'] ?? record['id']);
    const object = call.org.schema.objectOfId(id);
    if (object === null) {
      throw new SalesforceError(400, 'MALFORMED_ID', 'Id: id value of incorrect type', ['Id']);
    }
    const { id: _lowerCased, ...input } = record;
    return { kind: 'update', object, id, input };
  });
}

async function write(
  call: RestCall,
  toRequest: (record: Readonly<Record<string, unknown>>) => WriteRequest,
): Promise<Reply> {
  const body = asRecord(await call.body());
  const records = body['records'];
  if (!Array.isArray(records) || records.length === 0) {
    throw new SalesforceError(400, 'REQUIRED_FIELD_MISSING', 'The records parameter is required');
  }
  checkCount(records.length, MOST_WRITTEN);
  const requests = records.map((one) => toRequest(asRecord(one)));
  return resultsReply(call.org.writer.many(requests, call.author, body['allOrNone'] === true));
}

function remove(call: RestCall): Reply {
  const ids = (call.url.searchParams.get('ids') ?? '').split(',').filter((one) => one !== '');
  if (ids.length === 0) throw new SalesforceError(400, 'REQUIRED_FIELD_MISSING', 'The ids parameter is required');
  checkCount(ids.length, MOST_WRITTEN);
  const requests = ids.map((id): WriteRequest => {
    const object = call.org.schema.objectOfId(id);
    if (object === null) throw new SalesforceError(400, 'MALFORMED_ID', `malformed id ${id}`);
    return { kind: 'delete', object, id };
  });
  return resultsReply(call.org.writer.many(requests, call.author, call.url.searchParams.get('allOrNone') === 'true'));
}

function resultsReply(results: readonly WriteResult[]): Reply {
  return json(
    200,
    results.map((one) =>
      'error' in one
        ? {
            success: false,
            errors: one.error.entries.map((entry) => ({
              statusCode: entry.errorCode,
              message: entry.message,
              fields: entry.fields ?? [],
            })),
          }
        : { id: one.id, success: true, errors: [] },
    ),
  );
}

async function retrieveByPost(call: RestCall): Promise<Reply> {
  const body = asRecord(await call.body());
  return retrieved(call, textList(body['ids'], 'ids'), textList(body['fields'], 'fields'));
}

function retrieveByGet(call: RestCall): Reply {
  const list = (name: string) => {
    const text = call.url.searchParams.get(name) ?? '';
    return textList(text === '' ? [] : text.split(','), name);
  };
  return retrieved(call, list('ids'), list('fields'));
}

function retrieved(call: RestCall, ids: readonly string[], fields: readonly string[]): Reply {
  const object = objectOf(call.org, call.params[0] ?? '');
  checkCount(ids.length, MOST_RETRIEVED);
  return json(200, retrieve(call.org, object, ids, fields, call.version));
}

function textList(value: unknown, name: string): string[] {
  const isList = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
  if (!isList) throw new SalesforceError(400, 'REQUIRED_FIELD_MISSING', `The ${name} parameter is required`);
  return value;
}

function checkCount(count: number, most: number): void {
  if (count <= most) return;
  throw new SalesforceError(
    400,
    'EXCEEDED_ID_LIMIT',
    `record limit reached. cannot submit more than ${most} records into this call`,
  );
}
