import { toRecordId } from '@libs/contracts';
import type { MappingSet } from '@libs/mapping';
import type { Logger } from '@libs/observability';
import { SalesforceAccessError, SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import type { ReadEvent } from './core/read-event.js';
import { relevantFields, touchesMapping, type DescribedObject, type Relevant } from './core/touches-mapping.js';

/** How often the mapping files are looked at, and how old a describe may grow. Milliseconds. */
const LOOK_MS = 2_000;
const DESCRIBE_MS = 3_600_000;

/** Why a change is dropped at the listener. */
export type FilterReason = 'unmapped' | 'own';

export interface FilterOptions {
  /** Drop updates that touch no mapped field. */
  readonly unmapped: boolean;
  /** Drop what the integration user changed itself. */
  readonly own: boolean;
}

export interface FilterParts {
  readonly client: Pick<SalesforceClient, 'describe' | 'connect'>;
  /** Reads the mapping files as they are now. Errors: of a broken file. */
  readonly readMappings: () => MappingSet;
  readonly options: FilterOptions;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

/**
 * Tells which changes need not travel at all. Knows nothing until the org has described the mapped objects, and then the
 * mapping in force: until it is sure, every change passes.
 */
export class EventFilter {
  private relevant: ReadonlyMap<string, Relevant> | null = null;
  private userId: string | null = null;
  /** The mappings that `relevant` is of; a broken edit keeps the last good ones, as the mapper does. */
  private known = '';
  private describedMs = -Infinity;

  constructor(private readonly parts: FilterParts) {}

  /** Looks at files and org again and again until `signal` aborts. */
  async run(signal: AbortSignal, wait: (ms: number, signal: AbortSignal) => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await this.refresh();
      await wait(LOOK_MS, signal);
    }
  }

  /** Why this event's changes are dropped; `null`: they are not. */
  verdict({ object, changeType, changedFields, commitUser }: ReadEvent): FilterReason | null {
    const { options } = this.parts;
    // Gaps and what could not be read are about what nobody saw
    if (changeType.startsWith('GAP_') || changeType === 'unknown') return null;
    if (options.own && commitUser !== null && this.userId !== null && toRecordId(commitUser) === this.userId)
      return 'own';
    if (!options.unmapped || changeType !== 'UPDATE' || this.relevant === null) return null;
    return touchesMapping({ object, changedFields }, this.relevant) ? null : 'unmapped';
  }

  /** Never rejects: while the org cannot be asked, what was known stays, and new mappings let everything pass. */
  async refresh(): Promise<void> {
    const { client, options, logger } = this.parts;
    try {
      if (options.own) this.userId ??= toRecordId((await client.connect()).userId);
      if (!options.unmapped) return;
      const mappings = this.readMappings();
      if (mappings === null) return;
      const text = JSON.stringify([...mappings]);
      const stale = Date.now() - this.describedMs > DESCRIBE_MS;
      if (text === this.known && !stale) return;
      if (text !== this.known) this.relevant = null;
      this.relevant = await this.describe(mappings);
      this.known = text;
      this.describedMs = Date.now();
      logger.info({ objects: [...mappings.keys()] }, 'changes that touch no mapped field are dropped from now on');
    } catch (error) {
      logger.warn({ err: error }, 'cannot tell yet which changes touch a mapped field: all pass');
    }
  }

  private readMappings(): MappingSet | null {
    try {
      return this.parts.readMappings();
    } catch {
      return null; // a broken edit: the mapper says what is wrong with it, and keeps the last good mapping as this does
    }
  }

  private async describe(mappings: MappingSet): Promise<ReadonlyMap<string, Relevant>> {
    const described = new Map<string, DescribedObject>();
    for (;;) {
      const found = relevantFields(mappings, described);
      if (!('missing' in found)) return found;
      for (const object of found.missing) described.set(object, await this.describeOne(object));
    }
  }

  /** An object that the org does not show has no known field: then nothing of it is dropped. */
  private async describeOne(name: string): Promise<DescribedObject> {
    try {
      return { ...(await this.parts.client.describe(name)), name };
    } catch (error) {
      if (error instanceof SalesforceQueryError || error instanceof SalesforceAccessError) return { name, fields: [] };
      throw error;
    }
  }
}
