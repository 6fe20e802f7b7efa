import { EMPTY_RECORD_ID } from '@libs/contracts';
import {
  checkMappings,
  compileMapping,
  inFileOrder,
  mappingPlaces,
  namesSubscriptions,
  resolveMapping,
  suggest,
  type CheckedMapping,
  type CheckedShape,
  type Mapping,
  type MappingFile,
  type MappingFinding,
  type MappingPlaces,
} from '@libs/mapping';
import { SalesforceQueryError, selectByIds, whyTooLong } from '@libs/salesforce';
import { checkStructure } from './core/check-structure.js';
import type { CheckAnswer } from './core/mapping-answers.js';
import type { MappingSources } from './mapping-sources.js';

type Located = Pick<CheckedMapping, 'mapping' | 'places'>;

/**
 * Checks mapping files by their structure, and those that are right by it against the org and the project too.
 * Errors: those of the sources, when the org or the project cannot be asked.
 */
export async function checkMappingFiles(files: readonly MappingFile[], sources: MappingSources): Promise<CheckAnswer> {
  const { directory, projectType, rules } = sources;
  const { mappings, errors: mistakes } = checkStructure(files, directory, { projectType });
  const located = [...mappings.values()].map((mapping) => ({ mapping, places: placesIn(files, mapping) }));
  const org = new Org(sources);
  const checked = await Promise.all(located.map((one) => org.resolve(one)));
  const projectFields = located.length === 0 ? new Map<string, string>() : await sources.getFields();
  const subscriptions = [...mappings.values()].some(namesSubscriptions) ? await sources.listSubscriptions() : null;
  const found = checkMappings(
    checked.flatMap((one) => one ?? []),
    { shapes: org.shapes, projectFields, subscriptions, rules },
  );
  const errors = [...mistakes, ...(await org.unknownObjects()), ...located.flatMap(queryMistake), ...found.errors];
  return { ok: errors.length === 0, errors: inFileOrder(errors), warnings: [...found.warnings] };
}

function placesIn(files: readonly MappingFile[], { file }: Mapping): MappingPlaces {
  return mappingPlaces(files.find(({ name }) => name === file) ?? { name: file, text: '' });
}

/** What the org shows, asked once an object. */
class Org {
  readonly shapes = new Map<string, CheckedShape>();
  private readonly asked = new Map<string, Promise<CheckedShape>>();
  private readonly refused = new Set<string>();
  private readonly unknown: Located[] = [];

  constructor(private readonly sources: Pick<MappingSources, 'salesforce'>) {}

  /** What the org says of the sources of a mapping; `null`: it does not show the object. */
  async resolve({ mapping, places }: Located): Promise<CheckedMapping | null> {
    const resolved = await resolveMapping(mapping, (name) => this.describe(name), this.shapes);
    if (!this.refused.has(mapping.object)) return { mapping, places, resolved };
    this.unknown.push({ mapping, places });
    return null;
  }

  async unknownObjects(): Promise<MappingFinding[]> {
    if (this.unknown.length === 0) return [];
    const known = await this.sources.salesforce.listObjects();
    return this.unknown.map(({ mapping, places }) => {
      const suggestion = suggest(mapping.object, known);
      const message = `the integration user cannot see the object ${mapping.object}: it is gone, misspelt or not permitted`;
      const finding = { file: mapping.file, ...places.object, code: 'mapping.unknown_object', message };
      return suggestion === undefined ? finding : { ...finding, suggestion };
    });
  }

  private describe(name: string): Promise<CheckedShape> {
    const known = this.asked.get(name) ?? this.ask(name);
    this.asked.set(name, known);
    return known;
  }

  /** An object that is refused shows no field: what is read of it is told where it is read. */
  private async ask(name: string): Promise<CheckedShape> {
    try {
      return await this.sources.salesforce.describe(name);
    } catch (error) {
      if (!(error instanceof SalesforceQueryError)) throw error;
      this.refused.add(name);
      return { name, fields: [] };
    }
  }
}

/** A mapping that selects more than fits into one query. */
function queryMistake({ mapping, places }: Located): MappingFinding[] {
  const { object, select } = compileMapping(mapping);
  // Any id will do: they are all of one length.
  const message = whyTooLong(selectByIds({ object, fields: select, ids: [EMPTY_RECORD_ID] }));
  return message === null ? [] : [{ file: mapping.file, ...places.object, code: 'mapping.too_many_fields', message }];
}
