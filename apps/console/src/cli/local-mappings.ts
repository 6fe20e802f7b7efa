import { readTextFiles, UnreadableFilesError } from '@libs/config';
import {
  mappingFileExtensions,
  MappingFilesError,
  parseMappingFiles,
  type MappingFile,
  type MappingSet,
} from '@libs/mapping';
import { CliError, exitCodes } from './exit-codes.js';

/** The mapping files of a directory of this machine. Errors: {@link CliError} when it cannot be read. */
export function readLocalFiles(directory: string): MappingFile[] {
  try {
    return readTextFiles(directory, mappingFileExtensions);
  } catch (error) {
    if (!(error instanceof UnreadableFilesError)) throw error;
    const message = `${error.message}: name the directory of the mapping files, or set MAPPINGS_DIR.`;
    throw new CliError(message, exitCodes.usage, { cause: error });
  }
}

/** The mappings of a directory of this machine. Errors: {@link CliError} with every mistake of every file. */
export function readLocalMappings(
  directory: string,
  options: Parameters<typeof parseMappingFiles>[1] = {},
): MappingSet {
  try {
    return parseMappingFiles(readLocalFiles(directory), options);
  } catch (error) {
    if (error instanceof MappingFilesError) throw new CliError(error.message, exitCodes.failed, { cause: error });
    throw error;
  }
}
