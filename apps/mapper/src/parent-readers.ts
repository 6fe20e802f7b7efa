import { compileMapping, type MappingSet, type ObjectShape } from '@libs/mapping';
import { SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import { MappedFieldHiddenError } from './compiled-mappings.js';
import { readersOf, type HiddenLookup, type Reader, type Readers } from './core/readers.js';

/** Who shows the records of each object, by the mappings in force and what the org says of their lookups. */
export class ParentReaders {
  private known: { readonly of: MappingSet; readonly readers: Promise<Readers> } | null = null;

  /** `mappings` gives those in force; another set means that they have changed. */
  constructor(
    private readonly mappings: () => MappingSet,
    private readonly salesforce: Pick<SalesforceClient, 'describe'>,
  ) {}

  /**
   * Who shows the records of an object: none, for one that no mapping reads.
   * Errors: {@link MappedFieldHiddenError} naming every lookup that the org does not show, for without it dependents are not
   * found; those of the client.
   */
  async of(object: string): Promise<readonly Reader[]> {
    const mappings = this.mappings();
    if (this.known?.of !== mappings) this.known = { of: mappings, readers: this.resolve(mappings) };
    const { readers } = this.known;
    try {
      return (await readers).get(object) ?? [];
    } catch (error) {
      this.forget(); // the next batch asks again
      throw error;
    }
  }

  /** Salesforce refused a query: what describe said may no longer be so. */
  forget(): void {
    this.known = null;
  }

  private async resolve(mappings: MappingSet): Promise<Readers> {
    const readings = [...mappings.values()].map((mapping) => compileMapping(mapping));
    const shapes = new Map<string, ObjectShape>();
    for (;;) {
      const answer = readersOf(readings, shapes);
      if ('missing' in answer) {
        for (const shape of await Promise.all(answer.missing.map((name) => this.shape(name))))
          shapes.set(shape.name, shape);
      } else if (answer.hidden.length > 0) {
        throw new MappedFieldHiddenError(describeHidden(answer.hidden, mappings));
      } else {
        return answer.readers;
      }
    }
  }

  /** An object that the org does not have has no records that could show anything. */
  private async shape(name: string): Promise<ObjectShape> {
    try {
      return { ...(await this.salesforce.describe(name)), name };
    } catch (error) {
      if (error instanceof SalesforceQueryError) return { name, fields: [] };
      throw error;
    }
  }
}

function describeHidden(hidden: readonly HiddenLookup[], mappings: MappingSet): string {
  const files = [...new Set(hidden.map(({ object }) => mappings.get(object)?.file ?? object))].join(', ');
  const lookups = [...new Set(hidden.map(({ object, path }) => `${object}.${path}`))].join(', ');
  return `${files}: the integration user cannot see the lookup behind ${lookups}: gone, misspelt or hidden by field-level security`;
}
