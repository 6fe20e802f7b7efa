import { readTextFiles } from '@libs/config';
import { BadSettingError } from '@libs/contracts';
import { mappingFileExtensions, parseMappingFiles, type MappingSet } from '@libs/mapping';
import { CliError, exitCodes } from './exit-codes.js';

/** The mappings of a directory of this machine. Errors: {@link CliError} with every mistake of every file. */
export function readLocalMappings(directory: string): MappingSet {
  try {
    return parseMappingFiles(readTextFiles(directory, mappingFileExtensions));
  } catch (error) {
    if (error instanceof BadSettingError) throw new CliError(error.message, exitCodes.failed, { cause: error });
    throw error;
  }
}
