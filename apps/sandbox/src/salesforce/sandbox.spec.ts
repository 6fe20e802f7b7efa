import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SandboxClock } from '../clock.js';
import { Faults } from '../faults.js';
import { recordIdOf } from './ids.js';
import { field, reference, type ObjectSchema } from './schema/types.js';
import { createSalesforceSandbox, type SalesforceSandbox } from './sandbox.js';
import type { SalesforceSandboxOptions } from './options.js';

let sandbox: SalesforceSandbox;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(async () => {
  await sandbox.close();
  vi.useRealTimers();
});

const open = (options: Partial<SalesforceSandboxOptions> = {}) => {
  const clock = new SandboxClock();
  sandbox = createSalesforceSandbox({ port: 0, host: '127.0.0.1', clock, faults: new Faults(() => 0), ...options });
};

const plan: ObjectSchema = {
  name: 'Plan__c',
  label: 'Plan',
  labelPlural: 'Plans',
  keyPrefix: 'a00',
  custom: true,
  childRelationshipName: 'Plans__r',
  writable: true,
  fields: [
    field('Id', 'id'),
    field('IsDeleted', 'boolean', { createable: false, updateable: false, inEvents: false }),
    field('Name', 'string', { length: 80, nillable: false }),
    reference('Contact__c', ['Contact'], { cascadeDelete: true }),
    field('Interests__c', 'multipicklist', { picklist: ['Golf', 'Chess'] }),
    field('CreatedDate', 'datetime'),
    reference('CreatedById', ['User']),
    field('LastModifiedDate', 'datetime'),
    reference('LastModifiedById', ['User']),
    field('SystemModstamp', 'datetime', { inEvents: false }),
  ],
};

describe('the sandbox', () => {
  it('holds custom objects, with events and cascades', () => {
    open({ objects: [plan] });
    const [contact = ''] = sandbox.records.create('Contact', [{ LastName: 'Kim' }]);
    const [id = ''] = sandbox.records.create('Plan__c', [{ Name: 'Gold', Contact__c: contact, Interests__c: 'Golf' }]);
    expect(id).toMatch(/^a00/);
    sandbox.records.remove('Contact', [contact]);
    expect(sandbox.records.get('Plan__c', id)).toMatchObject({ IsDeleted: 1, Name: 'Gold' });
    // A creation of each, and a deletion of each in one transaction.
    expect(sandbox.stats().events.appended).toBe(4);
  });

  it('emits events of selected entities only', () => {
    open({ selectedEntities: ['Lead'], channels: [] });
    sandbox.records.create('Contact', [{ LastName: 'Kim' }]);
    expect(sandbox.stats().events.appended).toBe(0);
    sandbox.records.create('Lead', [{ LastName: 'Kim', Company: 'Acme' }]);
    expect(sandbox.stats().events.appended).toBe(1);
  });

  it('purges without telling', () => {
    open();
    const [id = ''] = sandbox.records.create('Lead', [{ LastName: 'Kim', Company: 'Acme' }]);
    expect(sandbox.records.purge('Lead', [id])).toBe(1);
    expect(sandbox.records.get('Lead', id)).toBeNull();
    expect(sandbox.stats().events.appended).toBe(1);
  });

  it('seeds without events', async () => {
    open();
    await sandbox.seed({ leads: 20, contacts: 10, accounts: 2 });
    expect(sandbox.stats()).toMatchObject({
      records: { Lead: { live: 20 }, Contact: { live: 10 }, Account: { live: 2 }, User: { live: 21 } },
      events: { appended: 0 },
    });
  });

  it('seeds one request after the other, and stops in the middle when it is closed', async () => {
    open();
    await Promise.all([sandbox.seed({ leads: 5_000 }), sandbox.seed({ leads: 100 })]);
    expect(sandbox.stats().records['Lead']?.live).toBe(5_100);
    const endless = sandbox.seed({ leads: 1_000_000 });
    await sandbox.close();
    await expect(endless).resolves.toBeUndefined();
  });

  it('throws what REST would answer, and for an object that is not there', () => {
    open();
    expect(() => sandbox.records.create('Lead', [{ LastName: 'Kim' }])).toThrow(
      'Required fields are missing: [Company]',
    );
    expect(() => sandbox.records.create('Foo', [{}])).toThrow('the org has no object Foo');
  });
});

describe('traffic', () => {
  it('makes the asked number of changes, each with its event, and stops', async () => {
    open();
    await sandbox.seed({ leads: 200, contacts: 100, accounts: 10 });
    const traffic = sandbox.startTraffic({ perSecond: 4, seed: 2 });
    vi.advanceTimersByTime(30_000);
    expect(traffic.changes).toBe(120);
    expect(sandbox.stats().events.appended).toBe(120);
    expect(sandbox.stats().records['Lead']?.live).toBeGreaterThan(210);
    // The integration user is not among those who work in the org: the first user is his.
    const writers = Array.from({ length: 10 }, (_, n) => sandbox.records.get('Lead', recordIdOf('00Q', 201 + n)));
    expect(writers.map((one) => one?.['CreatedById'])).not.toContain(recordIdOf('005', 1));
    expect(writers.every((one) => one !== null)).toBe(true);
    traffic.stop();
    vi.advanceTimersByTime(5_000);
    expect(traffic.changes).toBe(120);
  });

  it('survives a field that is hidden meanwhile', async () => {
    open();
    await sandbox.seed({ leads: 50 });
    sandbox.setFieldVisible('Lead', 'Title', false);
    const traffic = sandbox.startTraffic({ perSecond: 10 });
    vi.advanceTimersByTime(20_000);
    expect(traffic.changes).toBeGreaterThan(20);
  });

  it.each([0, 201])('refuses %i a second', (perSecond) => {
    open();
    expect(() => sandbox.startTraffic({ perSecond })).toThrow('at most 200 changes a second');
  });
});
