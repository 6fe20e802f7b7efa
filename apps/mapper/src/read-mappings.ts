import type { TextFile } from '@libs/config';
import { EMPTY_RECORD_ID, type ProjectType } from '@libs/contracts';
import { compileMapping, MappingFilesError, type MappingMistake, type MappingSet } from '@libs/mapping';
import { selectByIds, whyTooLong } from '@libs/salesforce';
import { readMappingSet } from '@libs/service';

/**
 * Makes the mapper's set of mapping files.
 * Errors: a BadSettingError when they are wrong, are none, or select more than fits into one query.
 */
export function toMapperSet(files: readonly TextFile[], directory: string, projectType: ProjectType): MappingSet {
  const mappings = readMappingSet(files, directory, { projectType });
  const mistakes: MappingMistake[] = [...mappings.values()].flatMap((mapping) => {
    const { object, select } = compileMapping(mapping);
    // Any id will do: they are all of one length.
    const tooLong = whyTooLong(selectByIds({ object, fields: select, ids: [EMPTY_RECORD_ID] }));
    return tooLong === null ? [] : [{ file: mapping.file, line: 1, column: 1, message: tooLong }];
  });
  if (mistakes.length > 0) throw new MappingFilesError(mistakes);
  return mappings;
}
