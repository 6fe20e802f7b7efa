import type { SchemaInfo } from './proto.js';
import { EventSchema } from './event-schema.js';
import { isAboutTheRequest, toRpcEnd } from './rpc-error.js';

/** What is known of a schema id: how to read its events, or why that cannot be done. */
export type SchemaVerdict =
  { readonly kind: 'schema'; readonly schema: EventSchema } | { readonly kind: 'unreadable'; readonly detail: string };

export interface SchemaRetries {
  /** Waits between the questions for a schema that Salesforce does not know: a fresh one may be late. Milliseconds. */
  readonly delaysMs: readonly number[];
  /** For how long an unreadable schema is not asked for again. Milliseconds. */
  readonly forgetMs: number;
}

export const SCHEMA_RETRIES: SchemaRetries = { delaysMs: [250, 1_000, 3_000], forgetMs: 5 * 60_000 };

/** Schemas by id, for the life of the process: an id never changes its meaning. */
export class SchemaCache {
  private readonly schemas = new Map<string, EventSchema>();
  private readonly unreadable = new Map<string, { readonly detail: string; readonly until: number }>();

  constructor(private readonly retries: SchemaRetries = SCHEMA_RETRIES) {}

  /** Without asking. */
  known(id: string): EventSchema | null {
    return this.schemas.get(id) ?? null;
  }

  /**
   * Asks for a schema, unless it is known; several times when Salesforce does not know it. Errors: what `load` rejects with
   * when it is a failure of the world, which says nothing of the schema.
   */
  async get(
    id: string,
    load: (id: string) => Promise<SchemaInfo>,
    wait: (ms: number) => Promise<void>,
  ): Promise<SchemaVerdict> {
    const refused = this.unreadable.get(id);
    if (refused !== undefined && refused.until > Date.now()) return { kind: 'unreadable', detail: refused.detail };
    let detail = '';
    for (const delayMs of [...this.retries.delaysMs, null]) {
      const schema = this.known(id);
      if (schema !== null) return { kind: 'schema', schema };
      const answer = await this.ask(id, load);
      if (typeof answer !== 'string') {
        this.schemas.set(id, answer);
        return { kind: 'schema', schema: answer };
      }
      detail = answer;
      if (delayMs !== null) await wait(delayMs);
    }
    this.unreadable.set(id, { detail, until: Date.now() + this.retries.forgetMs });
    return { kind: 'unreadable', detail };
  }

  /** The schema, or what is wrong with it. */
  private async ask(id: string, load: (id: string) => Promise<SchemaInfo>): Promise<EventSchema | string> {
    let json: string;
    try {
      ({ schemaJson: json } = await load(id));
    } catch (error) {
      const end = toRpcEnd(error);
      if (!isAboutTheRequest(end)) throw error;
      return `schema ${id}: ${end.message}`;
    }
    try {
      return new EventSchema(json);
    } catch (error) {
      return `schema ${id}: ${error instanceof Error ? error.message : 'unreadable'}`;
    }
  }
}
