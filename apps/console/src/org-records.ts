import { recordTypeOfId } from '@libs/contracts';
import {
  compileMapping,
  foreignTargets,
  hiddenSources,
  MappingFilesError,
  recordVersion,
  resolveMapping,
  rowFate,
  type CompiledMapping,
  type Mapping,
  type MappingFile,
  type MappingSet,
  type RowFate,
} from '@libs/mapping';
import {
  allOf,
  chunkIdsByUri,
  fieldPath,
  select,
  selectByIds,
  soqlString,
  type ObjectDescription,
  type SalesforceRecord,
} from '@libs/salesforce';
import type { MappingSources } from './mapping-sources.js';

/** Addresses in one query: even the longest fit into a URI. */
const ADDRESSES_PER_QUERY = 20;
/** Most records that are looked up by address, of one object. */
export const MAX_FOUND = 200;

/** A row without an age is no state that the mapper would send on. */
export type Fate = RowFate | { readonly kind: 'failed'; readonly code: 'mapper.no_modstamp'; readonly message: string };

/** A record as the mapper would see it. */
export interface Loaded {
  readonly mapping: Mapping;
  readonly compiled: CompiledMapping;
  readonly recordId: string;
  readonly soql: string;
  readonly row: SalesforceRecord;
  readonly fate: Fate;
}

/** The records of an org through a set of mappings, by the mapper's own steps. Errors: those of the client, and as the methods say. */
export class OrgRecords {
  private readonly shapes = new Map<string, ObjectDescription>();
  private readonly compiled = new Map<string, CompiledMapping>();
  private readonly loaded = new Map<string, Loaded>();

  constructor(
    readonly mappings: MappingSet,
    private readonly files: readonly MappingFile[],
    private readonly sources: Pick<MappingSources, 'salesforce' | 'projectType'>,
  ) {}

  /** The object of an id, as far as it is mapped; `null`: of none that is. */
  async objectOf(recordId: string): Promise<string | null> {
    const known = recordTypeOfId(recordId);
    if (known !== null) return this.mappings.has(known) ? known : null;
    for (const object of this.mappings.keys()) {
      if ((await this.describe(object)).keyPrefix === recordId.slice(0, 3)) return object;
    }
    return null;
  }

  /**
   * The records of some ids, deleted ones among them, in the order given; unknown ones are left out.
   * Errors: {@link MappingFilesError} when the mapping reads what the org does not show.
   */
  async load(mapping: Mapping, ids: readonly string[]): Promise<Loaded[]> {
    const compiled = await this.compile(mapping);
    const { object } = mapping;
    const wanted = ids.filter((id) => !this.loaded.has(id));
    const soqlFor = (some: readonly string[]) => selectByIds({ object, fields: compiled.select, ids: some });
    const [first] = wanted;
    for (const chunk of first === undefined ? [] : chunkIdsByUri(soqlFor([first]), wanted)) {
      const fetchedAtMs = Date.now();
      for (const row of await this.rows(soqlFor(chunk), true)) {
        const recordId = String(row['Id']);
        const fate = await this.fateOf(compiled, row, recordId, fetchedAtMs);
        this.loaded.set(recordId, { mapping, compiled, recordId, soql: soqlFor([recordId]), row, fate });
      }
    }
    return ids.flatMap((id) => this.loaded.get(id) ?? []);
  }

  /** Ids of the records with one of some addresses, at most {@link MAX_FOUND}; deleted ones are not among them. */
  async idsByEmail({ object }: Mapping, source: string, addresses: readonly string[]): Promise<string[]> {
    const ids: string[] = [];
    for (let at = 0; at < addresses.length; at += ADDRESSES_PER_QUERY) {
      const some = addresses.slice(at, at + ADDRESSES_PER_QUERY).map(soqlString);
      const where = allOf([`${fieldPath(source)} IN (${some.join(',')})`]);
      ids.push(...(await this.ids(select({ object, fields: ['Id'], where, limit: MAX_FOUND }))));
    }
    return ids.slice(0, MAX_FOUND);
  }

  /** Ids of the records that were changed last. */
  async latestIds(object: string, count: number): Promise<string[]> {
    return this.ids(
      select({ object, fields: ['Id'], orderBy: ['SystemModstamp', 'Id'], descending: true, limit: count }),
    );
  }

  private async fateOf(
    compiled: CompiledMapping,
    row: SalesforceRecord,
    recordId: string,
    fetchedAtMs: number,
  ): Promise<Fate> {
    if (recordVersion(row, compiled, fetchedAtMs) === null) {
      return { kind: 'failed', code: 'mapper.no_modstamp', message: 'the row has no SystemModstamp' };
    }
    const rules = { compiled, projectType: this.sources.projectType, mapsContacts: this.mappings.has('Contact') };
    return rowFate(row, await compiled.apply(row), { ...rules, recordId });
  }

  private async compile(mapping: Mapping): Promise<CompiledMapping> {
    const known = this.compiled.get(mapping.object);
    if (known !== undefined) return known;
    const resolved = await resolveMapping(mapping, (object) => this.describe(object), this.shapes);
    if (resolved.unknown.length > 0) {
      throw new MappingFilesError(hiddenSources(mapping, this.textOf(mapping.file), resolved.unknown));
    }
    const clear = foreignTargets(this.mappings, mapping.object);
    const compiled = compileMapping(mapping, { ...resolved, clear });
    this.compiled.set(mapping.object, compiled);
    return compiled;
  }

  private textOf(name: string): string {
    return this.files.find((file) => file.name === name)?.text ?? '';
  }

  private async describe(object: string): Promise<ObjectDescription> {
    const known = this.shapes.get(object) ?? (await this.sources.salesforce.describe(object));
    this.shapes.set(object, known);
    return known;
  }

  private async ids(soql: string): Promise<string[]> {
    return (await this.rows(soql, false)).map((row) => String(row['Id']));
  }

  private async rows(soql: string, includeDeleted: boolean): Promise<SalesforceRecord[]> {
    const { salesforce } = this.sources;
    let page = await salesforce.query(soql, { includeDeleted });
    const rows = [...page.records];
    while (page.next !== null) {
      page = await salesforce.queryMore(page.next);
      rows.push(...page.records);
    }
    return rows;
  }
}
