import {
  hiddenSources,
  MappingFilesError,
  resolveMapping,
  type Mapping,
  type MappingFile,
  type MappingMistake,
  type MappingSet,
} from '@libs/mapping';
import { SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import { changedObjects } from '@libs/service';

type Describing = Pick<SalesforceClient, 'describe'>;

/** Mappings to be, those that they would replace, and the files that they were read from. */
export interface Edit {
  readonly next: MappingSet;
  readonly inForce: MappingSet;
  readonly files: readonly MappingFile[];
}

/**
 * Asks the org for every field of the mappings that are not the same in both sets.
 * Errors: a {@link MappingFilesError} naming each that the org does not show; those of the client when it cannot be asked.
 */
export async function checkFields({ next, inForce, files }: Edit, salesforce: Describing): Promise<void> {
  const changed = changedObjects(inForce, next).flatMap((object) => next.get(object) ?? []);
  const textOf = (name: string) => files.find((file) => file.name === name)?.text ?? '';
  const hidden = changed.map((mapping) => hiddenOf(mapping, textOf(mapping.file), salesforce));
  const mistakes = (await Promise.all(hidden)).flat();
  if (mistakes.length > 0) throw new MappingFilesError(mistakes);
}

async function hiddenOf(mapping: Mapping, text: string, salesforce: Describing): Promise<MappingMistake[]> {
  const { file } = mapping;
  try {
    const { unknown } = await resolveMapping(mapping, (name) => salesforce.describe(name));
    return hiddenSources(mapping, text, unknown);
  } catch (error) {
    if (error instanceof SalesforceQueryError)
      return [{ file, line: 1, column: 1, message: `Salesforce refuses it: ${error.message}` }];
    throw error;
  }
}
