import { parseMapping, type Mapping, type MappingSet } from '@libs/mapping';
import { createLogger } from '@libs/observability';
import { SalesforceQueryError, SalesforceUnavailableError, type ObjectDescription } from '@libs/salesforce';
import { beforeEach, describe, expect, it } from 'vitest';
import { readEvent } from './core/read-event.js';
import { EventFilter, type FilterOptions } from './event-filter.js';

const OURS = '0055f000005mc66AAA';
const mappingOf = (...sources: string[]): MappingSet => {
  const lines = sources.map((source, index) => `  ${source}: dataFields.f${index}`);
  return new Map([['Lead', parseMapping('Lead.yaml', ['object: Lead', 'fields:', ...lines].join('\n')) as Mapping]]);
};
const field = (name: string) =>
  ({
    name,
    type: 'string',
    calculated: false,
    relationshipName: null,
    referenceTo: [],
  }) as unknown as ObjectDescription['fields'][number];
const event = (own: object = {}) =>
  readEvent({
    entityName: 'Lead',
    recordIds: ['00Q5f000005bwLFEAY'],
    changeType: 'UPDATE',
    commitTimestamp: 1,
    commitUser: '0055f000005mc66AAB',
    changedFields: ['Status', 'LastModifiedDate'],
    ...own,
  });

let mappings: MappingSet;
let agreed: boolean;
let describeLead: () => Promise<ObjectDescription>;
let described: number;

beforeEach(() => {
  described = 0;
  mappings = mappingOf('Email');
  agreed = true;
  describeLead = async () => ({ name: 'Lead', keyPrefix: '00Q', fields: ['Email', 'Status', 'IsDeleted'].map(field) });
});

function filterWith(options: Partial<FilterOptions> = {}): EventFilter {
  return new EventFilter({
    client: {
      describe: () => {
        described += 1;
        return describeLead();
      },
      connect: async () => ({ organizationId: 'o', userId: OURS, instanceUrl: 'https://x' }),
    },
    mappings: () => mappings,
    agreed: () => agreed,
    options: { unmapped: true, own: false, ...options },
    logger: createLogger('test', 'silent'),
  });
}

describe('EventFilter', () => {
  it('lets everything pass until the org has described the objects', async () => {
    const filter = filterWith();
    expect(filter.verdict(event())).toBeNull();
    const describes = describeLead;
    describeLead = () => Promise.reject(new SalesforceUnavailableError('out'));
    await filter.refresh();
    expect(filter.verdict(event())).toBeNull();
    describeLead = describes;
    await filter.refresh();
    expect(filter.verdict(event())).toBe('unmapped');
  });

  it.each([
    ['a mapped field', { changedFields: ['Email'] }],
    ['unknown fields', { changedFields: [] }],
    ['no fields at all', { changedFields: undefined }],
    ['a creation', { changeType: 'CREATE' }],
    ['a deletion', { changeType: 'DELETE' }],
    ['an undeletion', { changeType: 'UNDELETE' }],
    ['a gap', { changeType: 'GAP_UPDATE' }],
    ['an overflow', { changeType: 'GAP_OVERFLOW' }],
    ['an unreadable event', { commitTimestamp: 'soon' }],
  ])('lets %s pass', async (_what, own) => {
    const filter = filterWith();
    await filter.refresh();
    expect(filter.verdict(event(own))).toBeNull();
  });

  it('can be switched off', async () => {
    const filter = filterWith({ unmapped: false });
    await filter.refresh();
    expect(filter.verdict(event())).toBeNull();
    expect(described).toBe(0);
  });

  it('drops the changes of our own user only when asked to, gaps not', async () => {
    const ours = { commitUser: OURS, changedFields: ['Email'] };
    const passing = filterWith();
    await passing.refresh();
    expect(passing.verdict(event(ours))).toBeNull();
    const filter = filterWith({ own: true, unmapped: false });
    await filter.refresh();
    expect(filter.verdict(event(ours))).toBe('own');
    expect(filter.verdict(event({ ...ours, commitUser: OURS.slice(0, 15), changeType: 'DELETE' }))).toBe('own');
    expect(filter.verdict(event({ ...ours, changeType: 'GAP_UPDATE' }))).toBeNull();
    expect(filter.verdict(event({ ...ours, commitUser: '0055f000005mc67AAA' }))).toBeNull();
  });

  it('follows the mappings in force, and drops nothing by the ones of before', async () => {
    const filter = filterWith();
    await filter.refresh();
    expect(filter.verdict(event())).toBe('unmapped');
    mappings = mappingOf('Email', 'Status');
    expect(filter.verdict(event())).toBeNull();
    await filter.refresh();
    expect(filter.verdict(event())).toBeNull();
    mappings = mappingOf('Email');
    await filter.refresh();
    expect(filter.verdict(event())).toBe('unmapped');
    expect(described).toBe(3);
    await filter.refresh();
    expect(described).toBe(3);
  });

  it('drops nothing while the mapper goes by other mappings', async () => {
    const filter = filterWith();
    await filter.refresh();
    agreed = false;
    expect(filter.verdict(event())).toBeNull();
    agreed = true;
    expect(filter.verdict(event())).toBe('unmapped');
  });

  it('drops nothing of an object that the org does not show', async () => {
    describeLead = () => Promise.reject(new SalesforceQueryError('hidden', 'NOT_FOUND'));
    const filter = filterWith();
    await filter.refresh();
    expect(filter.verdict(event())).toBeNull();
  });
});
