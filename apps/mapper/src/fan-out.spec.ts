import { describe, expect, it } from 'vitest';
import { backfillStart, toRecordId, topics, type BatchEntry, type Command, type RecordChange } from '@libs/contracts';
import { parseMappingFiles } from '@libs/mapping';
import { createMetrics } from '@libs/observability';
import { SalesforceQueryError, SalesforceQueryTooLargeError } from '@libs/salesforce';
import { FakeOrg } from '../test/fake-org.js';
import { FanOut, type Expansion } from './fan-out.js';
import { ParentReaders } from './parent-readers.js';

const { signal } = new AbortController();
const idOf = (prefix: string, n: number) => toRecordId(`${prefix}${String(n).padStart(12, '0')}`) as string;
const account = (n: number) => idOf('001', n);
const user = (n: number) => idOf('005', n);

const MAPPINGS = [
  { name: 'Lead.yaml', text: 'object: Lead\nfields:\n  Email: email\n  Owner.Name: dataFields.Owner\n' },
  {
    name: 'Contact.yaml',
    text: 'object: Contact\nfields:\n  Email: email\n  Account.Name: dataFields.Company\n  Account.Owner.Name: dataFields.Seller\n',
  },
];

function setUp({ followOwners = true } = {}) {
  const org = new FakeOrg();
  org.fields['Contact'] = { Id: 'id', Email: 'email', AccountId: 'reference' };
  org.fields['Account'] = { Id: 'id', Name: 'string', OwnerId: 'reference' };
  org.lookups['Contact.AccountId'] = ['Account', ['Account']];
  org.lookups['Account.OwnerId'] = ['Owner', ['User']];
  const metrics = createMetrics();
  let mappings = parseMappingFiles(MAPPINGS);
  const readers = new ParentReaders(() => mappings, org);
  const fanOut = new FanOut({ salesforce: org, readers, metrics, followOwners });
  return {
    org,
    metrics,
    fanOut,
    edit: (files: typeof MAPPINGS) => (mappings = parseMappingFiles(files)),
    contacts(count: number, of: number, owner = user(1), from = 0) {
      for (let n = from; n < from + count; n += 1)
        org.put(idOf('003', n), { AccountId: account(of), Account: { OwnerId: owner } }, 'Contact');
    },
    leads(count: number, owner: string, from = 0) {
      for (let n = from; n < from + count; n += 1) org.put(idOf('00Q', n), { OwnerId: owner });
    },
    expand: (recordType: string, ids: readonly string[], isMapped = false, changes: Partial<BatchEntry> = {}) =>
      fanOut.expand(batchOf(recordType, ids, changes), { lane: 'realtime', isMapped }, signal),
  };
}

function batchOf(recordType: string, ids: readonly string[], changes: Partial<BatchEntry>) {
  const entries = ids.map((recordId, n) => ({
    recordId,
    changeType: 'UPDATE' as const,
    offsets: [`0:${n}`],
    jobIds: [],
    sources: ['cdc' as const],
    oldestCommitTimestamp: 1_000 + n,
    newestCommitTimestamp: 2_000 + n,
    ...changes,
  }));
  return { batchId: 'b', recordType, entries, windowStart: 0, windowEnd: 1 };
}

const changes = ({ messages }: Expansion) =>
  messages.filter(({ topic }) => topic === topics.changes).map(({ value }) => value as RecordChange);
const jobs = ({ messages }: Expansion) =>
  messages.filter(({ topic }) => topic === topics.commands).map(({ value }) => value as Command);

describe('FanOut', () => {
  it('makes changes of those who show a changed record, in the lane of the cause, each keyed by its id', async () => {
    const { org, contacts, expand } = setUp();
    contacts(3, 1);
    contacts(2, 2, user(1), 10);
    contacts(2, 3, user(1), 20);
    const expansion = await expand('Account', [account(1), account(2)]);
    expect(changes(expansion).map(({ recordId }) => recordId)).toEqual([0, 1, 2, 10, 11].map((n) => idOf('003', n)));
    expect(changes(expansion)[0]).toEqual({
      recordType: 'Contact',
      recordId: idOf('003', 0),
      changeType: 'SNAPSHOT',
      source: 'fan-out',
      lane: 'realtime',
      commitTimestamp: 1_000,
    });
    expect(expansion.messages.map(({ key }) => key)).toEqual(changes(expansion).map(({ recordId }) => recordId));
    expect(org.queries.map(({ soql, options }) => [soql, options?.includeDeleted])).toEqual([
      [`SELECT Id FROM Contact WHERE AccountId IN ('${account(1)}','${account(2)}') ORDER BY Id LIMIT 1001`, undefined],
    ]);
  });

  it('finds those who show it through another, and names each once', async () => {
    const { org, contacts, leads, expand } = setUp();
    contacts(2, 1, user(1));
    leads(3, user(1));
    org.put(idOf('00Q', 9), { OwnerId: user(1), IsDeleted: true });
    const expansion = await expand('User', [user(1)]);
    expect(Object.fromEntries(expansion.records)).toEqual({ Lead: 3, Contact: 2 });
    expect(org.queries.map(({ soql }) => soql.match(/WHERE ([\w.]+)/)?.[1])).toEqual(['Account.OwnerId', 'OwnerId']);
  });

  it('hands more than a thousand over as a job, having read no more than it takes to tell', async () => {
    const { org, contacts, expand, metrics } = setUp();
    org.pageSize = 400;
    contacts(5_000, 1);
    const expansion = await expand('Account', [account(1), account(2)]);
    expect(changes(expansion)).toEqual([]);
    expect(jobs(expansion)).toHaveLength(1);
    expect(backfillStart.parse(jobs(expansion)[0]?.data)).toEqual({
      object: 'Contact',
      fanOut: { from: 'Account', ids: [account(1), account(2)], through: 'AccountId' },
    });
    expect(jobs(await expand('Account', [account(1), account(2)]))).toEqual(jobs(expansion));
    expect(expansion.messages[0]?.key).toBe('backfill');
    expect((await metrics.mapperFanOutQueries.get()).values).toMatchObject([
      { labels: { object: 'Contact' }, value: 2 },
    ]);
  });

  it.each([
    [1_000, 0, { Contact: 1_000, Lead: 0 }, []],
    [600, 400, { Contact: 600, Lead: 400 }, []],
    [600, 401, { Contact: 600 }, ['Lead']],
    [1_001, 1_000, { Lead: 1_000 }, ['Contact']],
    [1_001, 1_001, {}, ['Contact', 'Lead']],
  ])(
    'of %d contacts and %d leads hands over what does not fit',
    async (contactCount, leadCount, atOnce, handedOver) => {
      const { contacts, leads, expand } = setUp();
      leads(leadCount, user(1));
      contacts(contactCount, 1, user(1));
      const expansion = await expand('User', [user(1)]);
      expect(Object.fromEntries(expansion.records)).toEqual(atOnce);
      expect(jobs(expansion).map(({ data }) => data['object'])).toEqual(handedOver);
      expect([...expansion.jobs.keys()]).toEqual(handedOver);
    },
  );

  it('asks for half as many when Salesforce finds it too much', async () => {
    const { org, contacts, expand } = setUp();
    contacts(4, 1);
    org.failures = [new SalesforceQueryTooLargeError('query on Contact: too complicated')];
    expect(changes(await expand('Account', [account(1), account(2), account(3)]))).toHaveLength(4);
    expect(org.queries.map(({ soql }) => soql.match(/'001/g)?.length)).toEqual([3, 2, 1]);
    org.failures = [new SalesforceQueryTooLargeError('query on Contact: too complicated')];
    await expect(expand('Account', [account(1)])).rejects.toThrow(SalesforceQueryTooLargeError);
  });

  it('asks nothing about objects that nobody shows, nor about rows that were only read again', async () => {
    const { org, expand } = setUp();
    expect(await expand('Case', [idOf('500', 1)])).toMatchObject({ isRead: false, messages: [] });
    expect(await expand('Account', [account(1)], true, { sources: ['fan-out'] })).toMatchObject({
      isRead: true,
      causes: 0,
      messages: [],
    });
    expect(org.queries).toEqual([]);
  });

  it('leaves owners alone when told to', async () => {
    const { org, leads, expand, fanOut } = setUp({ followOwners: false });
    leads(1, user(1));
    expect(await expand('User', [user(1)])).toMatchObject({ isRead: false, causes: 0, messages: [] });
    expect([fanOut.ignores('User'), fanOut.ignores('Account')]).toEqual([true, false]);
    expect(org.queries).toEqual([]);
  });
});

describe('ParentReaders', () => {
  it('asks the org once, and again when the mappings are others', async () => {
    const { org, contacts, expand, edit } = setUp();
    contacts(1, 1);
    await expand('Account', [account(1)]);
    await expand('Account', [account(1)]);
    expect(org.described.toSorted()).toEqual(['Account', 'Contact', 'Lead']);
    edit(MAPPINGS.slice(0, 1));
    expect(await expand('Account', [account(1)])).toMatchObject({ isRead: false });
    expect(org.described).toHaveLength(4);
  });

  it('names a lookup that the org hides, and sees it come back', async () => {
    const { org, contacts, expand } = setUp();
    contacts(1, 1);
    const hidden = org.fields['Contact'] as Record<string, string>;
    delete hidden['AccountId'];
    await expect(expand('Account', [account(1)])).rejects.toThrow(
      'Contact.yaml: the integration user cannot see the lookup behind Contact.Account: gone, misspelt or hidden',
    );
    hidden['AccountId'] = 'reference';
    expect(changes(await expand('Account', [account(1)]))).toHaveLength(1);
  });

  it('passes over a mapping of an object that the org does not have', async () => {
    const { org, contacts, expand, edit } = setUp();
    contacts(1, 1);
    edit([
      ...MAPPINGS,
      { name: 'Gone__c.yaml', text: 'object: Gone__c\nfields:\n  Account__r.Name: dataFields.X\n  E__c: email\n' },
    ]);
    await expect(org.describe('Gone__c')).rejects.toThrow(SalesforceQueryError);
    expect(changes(await expand('Account', [account(1)]))).toHaveLength(1);
  });
});
