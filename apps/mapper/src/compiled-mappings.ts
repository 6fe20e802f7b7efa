import { AccessRefusedError } from '@libs/contracts';
import {
  compileMapping,
  foreignTargets,
  resolveMapping,
  type CompiledMapping,
  type Mapping,
  type MappingSet,
  type ResolvedSources,
  WHY_HIDDEN,
} from '@libs/mapping';
import type { SalesforceClient } from '@libs/salesforce';

/** A mapping reads what the org does not show: a lost permission or a field that is gone. Nothing is read until it is back. */
export class MappedFieldHiddenError extends AccessRefusedError {
  readonly code = 'mapper.field_hidden';
}

/** The mappings in force, compiled with what the org says of their fields: asked at first use, and again after {@link forget}. */
export class CompiledMappings {
  private compiled = new Map<string, Promise<CompiledMapping>>();

  constructor(
    private mappings: MappingSet,
    private readonly salesforce: Pick<SalesforceClient, 'describe'>,
  ) {}

  /**
   * The mapping of an object, `null` if it has none.
   * Errors: {@link MappedFieldHiddenError} naming every field that the org does not show; those of the client.
   */
  async of(object: string): Promise<CompiledMapping | null> {
    const mapping = this.mappings.get(object);
    if (mapping === undefined) return null;
    const known = this.compiled.get(object);
    if (known !== undefined) return known;
    const { compiled } = this;
    const compiling = this.compile(mapping, this.mappings);
    compiled.set(object, compiling);
    try {
      return await compiling;
    } catch (error) {
      compiled.delete(object); // the next batch asks again
      throw error;
    }
  }

  /**
   * Puts another set in force for every later call of {@link of}. What was given out before stays as it is, so that no batch
   * is mapped by two versions.
   */
  replace(mappings: MappingSet): void {
    this.mappings = mappings;
    this.compiled = new Map();
  }

  /** The mappings in force, as their files say. */
  all(): MappingSet {
    return this.mappings;
  }

  /** Salesforce refused to answer for a mapping: what describe said may no longer be so. */
  forget(object: string): void {
    this.compiled.delete(object);
  }

  private async compile(mapping: Mapping, mappings: MappingSet): Promise<CompiledMapping> {
    const resolved = await resolveMapping(mapping, (name) => this.salesforce.describe(name));
    if (resolved.unknown.length > 0) throw new MappedFieldHiddenError(describeHidden(mapping, resolved.unknown));
    return compileMapping(mapping, { ...resolved, clear: foreignTargets(mappings, mapping.object) });
  }
}

function describeHidden({ file, object }: Mapping, hidden: ResolvedSources['unknown']): string {
  const fields = hidden.map(({ source, suggestion }) =>
    suggestion === undefined ? `${object}.${source}` : `${object}.${source} (did you mean ${suggestion}?)`,
  );
  return `${file}: the integration user cannot see ${fields.join(', ')}: ${WHY_HIDDEN}`;
}
