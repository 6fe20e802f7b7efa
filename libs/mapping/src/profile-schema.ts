import type { ProfileSchema } from '@libs/contracts';
import { canonical } from './canonical.js';
import { contentHash } from './content-hash.js';
import { targetsOf } from './foreign-targets.js';
import { mappingVersion } from './mapping-version.js';
import type { Mapping } from './mapping.js';
import type { TargetType } from './target-types.js';

const ROOT = 'dataFields.';

/** A profile schema with its id: a hash of the object and the fields. What else a mapping does does not count, so that most edits keep it. */
export interface IdentifiedSchema {
  readonly id: string;
  readonly value: ProfileSchema;
}

/**
 * The types that a mapping means its profile fields to have.
 *
 * Input: `types` by target, see `targetTypes`. Output: fields by path in the profile, those whose type is known, by name: a target
 * that is only ever `null` has none.
 */
export function profileSchemaOf(mapping: Mapping, types: ReadonlyMap<string, TargetType>): IdentifiedSchema {
  const { object } = mapping;
  const fields: ProfileSchema['fields'] = {};
  for (const target of targetsOf(mapping).toSorted()) {
    const type = types.get(target);
    if (type === undefined || !target.startsWith(ROOT)) continue;
    const isPinned = mapping.types?.has(target) ?? false;
    fields[target.slice(ROOT.length)] = { type, ...(isPinned && { pinned: true }) };
  }
  return {
    id: contentHash(JSON.stringify(canonical({ object, fields }))),
    value: { object, mappingVersion: mappingVersion(mapping), fields },
  };
}
