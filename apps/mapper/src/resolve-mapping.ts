import {
  MappingFilesError,
  resolveSources,
  type Mapping,
  type MappingMistake,
  type MappingSet,
  type ObjectShape,
  type ResolvedSources,
} from '@libs/mapping';
import { SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import { changedObjects } from '@libs/service';

/** Why the org may not show a field, in words. */
export const WHY_HIDDEN = 'gone, misspelt or hidden by field-level security';

type Describing = Pick<SalesforceClient, 'describe'>;

/** What the org says of the fields of a mapping, through its relationships. Errors: those of the client. */
export async function resolveMapping(mapping: Mapping, salesforce: Describing): Promise<ResolvedSources> {
  const shapes = new Map<string, ObjectShape>();
  for (;;) {
    const answer = resolveSources(mapping, shapes);
    if (!('missing' in answer)) return answer;
    const described = await Promise.all(
      answer.missing.map(async (name) => [name, await salesforce.describe(name)] as const),
    );
    for (const [name, shape] of described) shapes.set(name, shape);
  }
}

/**
 * Asks the org for every field of the mappings that are not the same in both sets.
 * Errors: a {@link MappingFilesError} naming each that the org does not show; those of the client when it cannot be asked.
 */
export async function checkFields(next: MappingSet, inForce: MappingSet, salesforce: Describing): Promise<void> {
  const changed = changedObjects(inForce, next).flatMap((object) => next.get(object) ?? []);
  const mistakes = (await Promise.all(changed.map((mapping) => hiddenOf(mapping, salesforce)))).flat();
  if (mistakes.length > 0) throw new MappingFilesError(mistakes);
}

async function hiddenOf(mapping: Mapping, salesforce: Describing): Promise<MappingMistake[]> {
  const { file, object } = mapping;
  const mistake = (message: string, suggestion?: string): MappingMistake => {
    return { file, line: 1, column: 1, message, ...(suggestion !== undefined && { suggestion }) };
  };
  try {
    const { unknown } = await resolveMapping(mapping, salesforce);
    return unknown.map(({ source, suggestion }) => {
      return mistake(`the integration user cannot see ${object}.${source}: ${WHY_HIDDEN}`, suggestion);
    });
  } catch (error) {
    if (error instanceof SalesforceQueryError) return [mistake(`Salesforce refuses it: ${error.message}`)];
    throw error;
  }
}
