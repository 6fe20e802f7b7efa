import {
  mappingFileExtensions,
  MappingFilesError,
  parseMappingFiles,
  type MappingFile,
  type MappingMistake,
  type MappingSet,
} from '@libs/mapping';
import type { Finding } from './mapping-answers.js';

/** What the structure of files tells: the mappings of those that are right, and the mistakes of the others. */
export interface Structure {
  readonly mappings: MappingSet;
  readonly errors: readonly Finding[];
}

/** Checks files by their structure alone. `directory`: where they were looked for, named when there are none. */
export function checkStructure(
  files: readonly MappingFile[],
  directory: string,
  options: Parameters<typeof parseMappingFiles>[1] = {},
): Structure {
  if (files.length === 0) {
    const message = `no mapping file here; a file is named <object>${mappingFileExtensions.join(', <object>')}`;
    return { mappings: new Map(), errors: [toFinding({ file: directory, line: 1, column: 1, message })] };
  }
  try {
    return { mappings: parseMappingFiles(files, options), errors: [] };
  } catch (error) {
    if (!(error instanceof MappingFilesError)) throw error;
    const wrong = new Set(error.mistakes.map(({ file }) => file));
    const right = files.filter(({ name }) => !wrong.has(name));
    return { mappings: parseMappingFiles(right, options), errors: error.mistakes.map(toFinding) };
  }
}

function toFinding(mistake: MappingMistake): Finding {
  return { code: 'mapping.mistake', ...mistake };
}
