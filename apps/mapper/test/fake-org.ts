import {
  SalesforceQueryError,
  type ObjectDescription,
  type QueryOptions,
  type QueryPage,
  type SalesforceClient,
} from '@libs/salesforce';

type Row = Record<string, unknown>;

const SYSTEM = { Id: 'id', IsDeleted: 'boolean', SystemModstamp: 'datetime' };

/** A small org for tests: answers the mapper's queries by id, and by lookup, from its rows. Describes what `fields` and `lookups` say. */
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

  put(id: string, row: Row, type = 'Lead'): void {
    this.rows.set(id, { attributes: { type }, Id: id, IsDeleted: false, ...row });
  }

  async query(soql: string, options?: QueryOptions): Promise<QueryPage> {
    this.queries.push({ soql, options });
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const ids = [...soql.matchAll(/'([0-9A-Za-z]{18})'/g)].map(([, id]) => id as string);
    await this.beforeAnswer(ids);
    options?.signal?.throwIfAborted();
    return this.page(soql.includes(' WHERE Id IN ') ? this.byId(ids) : this.byLookup(soql, new Set(ids)), 0);
  }

  async queryMore(next: string): Promise<QueryPage> {
    const page = this.pages.get(next);
    if (page === undefined) throw new Error(`no page ${next}`);
    return page;
  }

  async describe(name: string): Promise<ObjectDescription> {
    this.described.push(name);
    if (this.fields[name] === undefined) throw new SalesforceQueryError(`describe of ${name}: refused`, 'NOT_FOUND');
    const fields = Object.entries(this.fields[name]).map(([field, type]) => {
      const [relationshipName, referenceTo] = this.lookups[`${name}.${field}`] ?? [null, []];
      const plain = { calculated: false, nillable: true, filterable: true, length: 0 };
      return { name: field, type, relationshipName, referenceTo, ...plain };
    });
    return { name, keyPrefix: null, fields };
  }

  private byId(ids: readonly string[]): Row[] {
    return ids.flatMap((id): Row[] => (this.rows.has(id) ? [this.rows.get(id) as Row] : []));
  }

  /** Of the form that a fan-out asks in: `SELECT Id FROM Lead WHERE OwnerId IN (…) ORDER BY Id LIMIT 1001`. */
  private byLookup(soql: string, ids: ReadonlySet<string>): Row[] {
    const [, object, lookup = '', limit] =
      /^SELECT Id FROM (\w+) WHERE ([\w.]+) IN \([^)]*\) ORDER BY Id LIMIT (\d+)$/.exec(soql) ?? [];
    if (object === undefined) throw new Error(`not understood: ${soql.slice(0, 100)}`);
    return [...this.rows.values()]
      .filter(({ attributes, IsDeleted: deleted }) => (attributes as Row)['type'] === object && deleted !== true)
      .filter((row) =>
        ids.has(String(lookup.split('.').reduce<unknown>((at, name) => (at as Row | null)?.[name], row))),
      )
      .toSorted((a, b) => (String(a['Id']) < String(b['Id']) ? -1 : 1))
      .slice(0, Number(limit))
      .map(({ Id }) => ({ Id }));
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
