import { createHash } from 'node:crypto';
import type { Schema } from './schema.js';
import type { ObjectSchema } from './types.js';

const known = new WeakMap<Schema, { revision: number; ids: Map<string, string> }>();

/**
 * The id of the schema of an entity's events: a fingerprint of the fields that the subscriber sees, in the form of a real one,
 * 22 characters. The same fields have the same id in every run.
 */
export function schemaId(object: ObjectSchema, schema: Schema): string {
  let cache = known.get(schema);
  if (cache?.revision !== schema.revision) {
    cache = { revision: schema.revision, ids: new Map() };
    known.set(schema, cache);
  }
  let id = cache.ids.get(object.name);
  if (id === undefined) {
    id = fingerprint(object, schema);
    cache.ids.set(object.name, id);
  }
  return id;
}

function fingerprint(object: ObjectSchema, schema: Schema): string {
  const fields = schema.fields(object).map((one) => `${one.name}:${one.type}`);
  return createHash('sha256')
    .update(`${object.name}|${fields.join('|')}`)
    .digest('base64url')
    .slice(0, 22);
}
