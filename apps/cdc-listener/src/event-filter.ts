import { toRecordId } from '@libs/contracts';
import type { MappingSet } from '@libs/mapping';
import type { Logger } from '@libs/observability';
import { SalesforceAccessError, SalesforceQueryError, type SalesforceClient } from '@libs/salesforce';
import type { ReadEvent } from './core/read-event.js';
import { relevantFields, touchesMapping, type DescribedObject, type Relevant } from './core/touches-mapping.js';

/** How often it is looked whether the mappings are others, and how old a describe may grow. Milliseconds. */
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
  /** The mappings in force: another set whenever they change. */
  readonly mappings: () => MappingSet;
  /** Does the mapper go by the same mappings? While it does not, nothing is dropped. Default: it does. */
  readonly agreed?: () => boolean;
  readonly options: FilterOptions;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

interface Known {
  readonly relevant: ReadonlyMap<string, Relevant>;
  /** What it was found for. */
  readonly mappings: MappingSet;
  readonly describedMs: number;
}

/**
 * Tells which changes need not travel at all. Knows nothing until the org has described the mapped objects, and then the
 * mapping in force: until it is sure, every change passes.
 */
export class EventFilter {
  private known: Known | null = null;
  private userId: string | null = null;

  constructor(private readonly parts: FilterParts) {}

  /** Looks at mappings and org again and again until `signal` aborts. */
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
    if (!options.unmapped || changeType !== 'UPDATE') return null;
    const { known } = this;
    // New mappings apply at once, so that nothing is dropped by the ones of before
    if (known === null || known.mappings !== this.parts.mappings()) return null;
    if (!(this.parts.agreed?.() ?? true)) return null;
    return touchesMapping({ object, changedFields }, known.relevant) ? null : 'unmapped';
  }

  /** Never rejects: while the org cannot be asked, what was known stays, and new mappings let everything pass. */
  async refresh(): Promise<void> {
    const { client, options, logger } = this.parts;
    try {
      if (options.own) this.userId ??= toRecordId((await client.connect()).userId);
      if (!options.unmapped) return;
      const mappings = this.parts.mappings();
      const stale = Date.now() - (this.known?.describedMs ?? -Infinity) > DESCRIBE_MS;
      if (mappings === this.known?.mappings && !stale) return;
      this.known = { relevant: await this.describe(mappings), mappings, describedMs: Date.now() };
      logger.info({ objects: [...mappings.keys()] }, 'changes that touch no mapped field are dropped from now on');
    } catch (error) {
      logger.warn({ err: error }, 'cannot tell yet which changes touch a mapped field: all pass');
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
