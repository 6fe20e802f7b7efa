import type { ProjectType } from '@libs/contracts';
import { targetsOf } from './foreign-targets.js';
import { MappingFilesError, type Mapping, type MappingFile, type MappingMistake, type MappingSet } from './mapping.js';
import { parseMapping } from './parse-mapping.js';

/**
 * Reads every mapping file into one set.
 *
 * Input: the files in any order. `projectType`, where it is known: a project keyed by email needs an email of every mapping of persons.
 * Errors: {@link MappingFilesError} with every mistake of every file.
 */
export function parseMappingFiles(
  files: readonly MappingFile[],
  options: { readonly projectType?: ProjectType } = {},
): MappingSet {
  const mistakes: MappingMistake[] = [];
  const set = new Map<string, Mapping>();
  for (const { name, text } of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const parsed = parseMapping(name, text);
    if (Array.isArray(parsed)) {
      mistakes.push(...parsed);
      continue;
    }
    const first = set.get(parsed.object);
    if (first === undefined) set.set(parsed.object, parsed);
    else mistakes.push(ofFile(name, `${parsed.object} is already mapped by ${first.file}; one object, one file`));
    // Rows that are no persons are written on the profile of the person that they belong to.
    const areUsers = parsed.belongsTo === undefined;
    if (options.projectType === 'email' && areUsers && !targetsOf(parsed).includes('email')) {
      mistakes.push(ofFile(name, 'no field is mapped to email, and this Iterable project knows its users by email'));
    }
  }
  if (mistakes.length > 0) throw new MappingFilesError(mistakes);
  return set;
}

function ofFile(file: string, message: string): MappingMistake {
  return { file, line: 1, column: 1, message };
}
