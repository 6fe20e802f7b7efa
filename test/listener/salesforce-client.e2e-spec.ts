import type { SalesforceSettings } from '@libs/config';
import { createLogger, createMetrics, type Metrics } from '@libs/observability';
import {
  chunkIdsByUri,
  createSalesforceClient,
  parseCondition,
  select,
  selectByIds,
  soqlDateTime,
  soqlString,
  SalesforceAccessError,
  SalesforceLimitError,
  SalesforceQueryError,
  SalesforceQueryTooLargeError,
  SalesforceUnavailableError,
  type SalesforceRecord,
} from '@libs/salesforce';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sandbox } from '../../apps/sandbox/src/sandbox.js';
import { openSandbox } from '../support/sandbox-in-process.js';

/** The REST client against the sandbox over real HTTP, where its limits and errors are enforced. */
let sandbox: Sandbox;
let metrics: Metrics;

beforeEach(async () => {
  sandbox = await openSandbox();
  metrics = createMetrics();
});
afterEach(() => sandbox.close());

function client(own: Partial<SalesforceSettings> = {}) {
  const settings: SalesforceSettings = {
    SALESFORCE_LOGIN_URL: sandbox.urls.salesforce,
    SALESFORCE_AUTH: 'client-credentials',
    SALESFORCE_CLIENT_ID: 'sandbox',
    SALESFORCE_CLIENT_SECRET: 'sandbox',
    SALESFORCE_API_VERSION: '67.0',
    ...own,
  };
  return createSalesforceClient(settings, { metrics, logger: createLogger('test', 'silent') });
}

const idsOf = (records: readonly SalesforceRecord[]) => records.map(({ Id }) => String(Id));

describe('the client on the sandbox', () => {
  it.each([
    ['client-credentials', {}],
    ['password', { SALESFORCE_USERNAME: 'sandbox', SALESFORCE_PASSWORD: 'sandbox' }],
    ['refresh-token', { SALESFORCE_REFRESH_TOKEN: 'sandbox' }],
  ] as const)('opens a session by %s', async (flow, own) => {
    const { organizationId, instanceUrl } = await client({ SALESFORCE_AUTH: flow, ...own }).connect();
    expect(organizationId).toMatch(/^00D/);
    expect(instanceUrl).toBe(sandbox.urls.salesforce);
  });

  it('is refused a wrong secret', async () => {
    await expect(client({ SALESFORCE_CLIENT_SECRET: 'wrong' }).connect()).rejects.toThrow(SalesforceAccessError);
  });

  it('fetches by id in chunks as large as the org takes, parents included', async () => {
    await sandbox.seed({ leads: 1_000, contacts: 0, accounts: 0, seed: 1 });
    const org = client();
    const first = await org.query(select({ object: 'Lead', fields: ['Id'] }), { pageSize: 2_000 });
    const ids = idsOf(first.records);
    expect(ids).toHaveLength(1_000);
    const fields = ['Id', 'Email', 'Name', 'Company', 'Owner.Email', 'Owner.Name', 'SystemModstamp'];
    const query = { object: 'Lead', fields };
    const chunks = chunkIdsByUri(selectByIds({ ...query, ids: ids.slice(0, 1) }), ids);
    expect(chunks.map((chunk) => chunk.length)).toEqual([400, 400, 200]);
    const pages = await Promise.all(chunks.map((chunk) => org.query(selectByIds({ ...query, ids: chunk }))));
    expect(new Set(pages.flatMap(({ records }) => idsOf(records)))).toEqual(new Set(ids));
    expect(pages[0]?.records[0]).toMatchObject({ Owner: { Email: expect.any(String) as string } });
    // Twice as many are refused: the limit is real
    const tooMany = org.query(selectByIds({ ...query, ids: ids.slice(0, 800) }));
    await expect(tooMany).rejects.toThrow(SalesforceQueryTooLargeError);
  });

  it('reads every page once, whatever their size', async () => {
    await sandbox.seed({ leads: 500, contacts: 0, accounts: 0, seed: 1 });
    sandbox.faults.add({ system: 'salesforce', kind: 'small-pages', rate: 1, options: { max: 90 } });
    const org = client();
    let page = await org.query(select({ object: 'Lead', fields: ['Id'], orderBy: ['CreatedDate', 'Id'] }));
    const ids = idsOf(page.records);
    while (page.next !== null) {
      page = await org.queryMore(page.next);
      ids.push(...idsOf(page.records));
    }
    expect(ids).toHaveLength(500);
    expect(new Set(ids).size).toBe(500);
  });

  it('finds with conditions of a person and literals of ours', async () => {
    await sandbox.seed({ leads: 50, contacts: 0, accounts: 0, seed: 1 });
    const org = client();
    const count = async (where: string) =>
      (await org.query(select({ object: 'Lead', fields: ['Id'], where }))).totalSize;
    const [row] = (await org.query(select({ object: 'Lead', fields: ['Id', 'LastName'], limit: 1 }))).records;
    const name = String(row?.['LastName']);
    const named = await count(parseCondition('Lead', `LastName = ${soqlString(name)}`));
    expect(named).toBeGreaterThan(0);
    expect(await count(parseCondition('Lead', `LastName != ${soqlString(name)}`))).toBe(50 - named);
    expect(await count(`CreatedDate <= ${soqlDateTime(sandbox.clock.now())}`)).toBe(50);
    expect(await count(parseCondition('Lead', "NOT (Company = 'nobody' OR Company = 'none')"))).toBe(50);
  });

  it('describes an object', async () => {
    const { keyPrefix, fields } = await client().describe('Lead');
    expect(keyPrefix).toBe('00Q');
    expect(fields.find(({ name }) => name === 'OwnerId')).toMatchObject({
      type: 'reference',
      relationshipName: 'Owner',
      referenceTo: ['Group', 'User'],
    });
  });

  it.each([
    ['http-500', SalesforceUnavailableError],
    ['http-503-html', SalesforceUnavailableError],
    ['request-limit', SalesforceLimitError],
    ['query-timeout', SalesforceQueryTooLargeError],
    ['disconnect', SalesforceUnavailableError],
  ])('turns %s into one error and works again after it', async (kind, expected) => {
    const org = client();
    await org.connect();
    sandbox.faults.add({ system: 'salesforce', kind, rate: 1, count: 1, match: '/query', options: {} });
    await expect(org.query('SELECT Id FROM Lead')).rejects.toThrow(expected);
    await expect(org.query('SELECT Id FROM Lead')).resolves.toMatchObject({ totalSize: 0 });
  });

  it('renews an expired session without its caller noticing', async () => {
    const org = client();
    await org.connect();
    sandbox.faults.add({
      system: 'salesforce',
      kind: 'session-expired',
      rate: 1,
      count: 1,
      match: '/query',
      options: {},
    });
    await expect(org.query('SELECT Id FROM Lead')).resolves.toMatchObject({ totalSize: 0 });
  });

  it('says which field of which object is unknown', async () => {
    const asked = client().query('SELECT Id,Nope__c FROM Lead');
    await expect(asked).rejects.toThrow(SalesforceQueryError);
    await expect(asked).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
      about: { field: 'Nope__c', object: 'Lead' },
    });
  });

  it('shows how much of the daily allowance is used', async () => {
    await client().query('SELECT Id FROM Lead');
    const used = (await metrics.salesforceApiUsed.get()).values[0]?.value ?? 0;
    expect(used).toBeGreaterThan(0);
    expect(used).toBeLessThan(0.01);
  });
});
