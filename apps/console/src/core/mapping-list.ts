import { mappingVersion, parseMapping, targetsOf, type MappingFile } from '@libs/mapping';
import type { MappingListAnswer, MappingsAnswer } from './answers.js';
import type { PlannedVersion } from './mapping-plan.js';

/**
 * The mappings in force with what is known beside them.
 *
 * `files`: mapping files of the console; one says what is in force only when it has the very version. `planned`: what becomes
 * of each object.
 */
export function listMappings(
  { inForce, refused }: MappingsAnswer,
  files: readonly MappingFile[],
  planned: readonly PlannedVersion[],
): MappingListAnswer {
  const byVersion = new Map(
    files.flatMap(({ name, text }) => {
      const mapping = parseMapping(name, text);
      if (Array.isArray(mapping)) return []; // what is wrong with it is the mapper's to say
      return [[`${mapping.object} ${mappingVersion(mapping)}`, { file: name, fields: targetsOf(mapping).length }]];
    }),
  );
  return {
    inForce: inForce.map((one) => {
      const plan = planned.find(({ object }) => object === one.object);
      return {
        ...one,
        ...byVersion.get(`${one.object} ${one.version}`),
        ...(plan !== undefined && { backfill: { state: plan.state, reason: plan.reason } }),
      };
    }),
    refused,
  };
}
