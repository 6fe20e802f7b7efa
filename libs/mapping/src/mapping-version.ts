import { canonical } from './canonical.js';
import { contentHash } from './content-hash.js';
import type { Mapping } from './mapping.js';

/** A hash of everything in a mapping that changes what becomes of a record; the order of lines and the file's name do not count. */
export function mappingVersion({ file: _file, fields, ...blocks }: Mapping): string {
  const lines = fields.map(({ source, target }) => [source, target]);
  return contentHash(JSON.stringify(canonical({ ...blocks, fields: new Map(lines as Array<[string, string]>) })));
}
