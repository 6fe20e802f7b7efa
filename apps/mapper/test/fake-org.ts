import { type ObjectDescription, type QueryOptions, type QueryPage, type SalesforceClient } from '@libs/salesforce';

type Row = Record<string, unknown>;

const SYSTEM = { Id: 'id', IsDeleted: 'boolean', SystemModstamp: 'datetime' };

/** A small org for tests: answers the mapper's queries by id from its rows. Describes what `fields` and `lookups` say. */
export class FakeOrg implements SalesforceClient {
  readonly rows = new Map<string, Row>();
  readonly queries: Array<{ readonly soql: string; readonly options: QueryOptions | undefined }> = [];
  readonly described: string[] = [];
  readonly fields: Record<string, Record<string, string>> = {
    Lead: { ...SYSTEM, Email: 'email', LastName: 'string', CreatedDate: 'datetime', OwnerId: 'reference' },
    User: { Id: 'id', SystemModstamp: 'datetime', Name: 'string' },
    Group: { Id: 'id', SystemModstamp: 'datetime', Name: 'string' },
  };
  readonly lookups: Record<string, readonly [relationship: string, to: readonly string[]]> = {
    'Lead.OwnerId': ['Owner', ['Group', 'User']],
  };
  /** Thrown by the next queries, first to last. */
  failures: Error[] = [];
  /** Called before a query is answered. */
  beforeAnswer: (ids: readonly string[]) => void | Promise<void> = () => undefined;
  pageSize = 2_000;
  private pages = new Map<string, QueryPage>();

  put(id: string, row: Row): void {
    this.rows.set(id, { attributes: { type: 'Lead' }, Id: id, IsDeleted: false, ...row });
  }

  async query(soql: string, options?: QueryOptions): Promise<QueryPage> {
    this.queries.push({ soql, options });
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const ids = [...soql.matchAll(/'([0-9A-Za-z]{18})'/g)].map(([, id]) => id as string);
    await this.beforeAnswer(ids);
    options?.signal?.throwIfAborted();
    const found = ids.flatMap((id): Row[] => (this.rows.has(id) ? [this.rows.get(id) as Row] : []));
    return this.page(found, 0);
  }

  async queryMore(next: string): Promise<QueryPage> {
    const page = this.pages.get(next);
    if (page === undefined) throw new Error(`no page ${next}`);
    return page;
  }

  async describe(name: string): Promise<ObjectDescription> {
    this.described.push(name);
    const fields = Object.entries(this.fields[name] ?? {}).map(([field, type]) => {
      const [relationshipName, referenceTo] = this.lookups[`${name}.${field}`] ?? [null, []];
      const plain = { calculated: false, nillable: true, filterable: true, length: 0 };
      return { name: field, type, relationshipName, referenceTo, ...plain };
    });
    return { name, keyPrefix: null, fields };
  }

  connect(): never {
    throw new Error('the mapper opens no session by itself');
  }

  private page(found: readonly Row[], start: number): QueryPage {
    const end = start + this.pageSize;
    const next = end < found.length ? `/next/${this.queries.length}-${end}` : null;
    if (next !== null) this.pages.set(next, this.page(found, end));
    return { totalSize: found.length, records: found.slice(start, end), next };
  }
}
