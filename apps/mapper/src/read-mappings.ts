import { readTextFiles } from '@libs/config';
import { EMPTY_RECORD_ID, type ProjectType } from '@libs/contracts';
import {
  compileMapping,
  MappingFilesError,
  mappingFileExtensions,
  parseMappingFiles,
  type MappingMistake,
  type MappingSet,
} from '@libs/mapping';
import { chunkIdsByUri, selectByIds } from '@libs/salesforce';

/**
 * Reads the mapping files of a directory for the mapper.
 * Errors: a BadSettingError when they cannot be read, are wrong, are none, or select more than fits into one query.
 */
export function readMappings(directory: string, projectType: ProjectType): MappingSet {
  const mappings = parseMappingFiles(readTextFiles(directory, mappingFileExtensions), { projectType });
  const mistakes: MappingMistake[] = [...mappings.values()].flatMap((mapping) => {
    const { object, select } = compileMapping(mapping);
    // Any id will do: they are all of one length.
    const tooLong = whyTooLong(selectByIds({ object, fields: select, ids: [EMPTY_RECORD_ID] }));
    return tooLong === null ? [] : [{ file: mapping.file, line: 1, column: 1, message: tooLong }];
  });
  if (mappings.size === 0) {
    const message = `no mapping file here; a file is named <object>${mappingFileExtensions.join(', <object>')}`;
    mistakes.push({ file: directory, line: 1, column: 1, message });
  }
  if (mistakes.length > 0) throw new MappingFilesError(mistakes);
  return mappings;
}

function whyTooLong(soqlOfOne: string): string | null {
  try {
    chunkIdsByUri(soqlOfOne, [EMPTY_RECORD_ID]);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}
