import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SandboxClock } from '../../clock.js';
import { Faults } from '../../faults.js';
import { createSalesforceSandbox, type SalesforceSandbox } from '../sandbox.js';

let sandbox: SalesforceSandbox;
beforeEach(async () => {
  const faults = new Faults(() => 0);
  const transactions = { changes: 1_000, idsPerEvent: 100 };
  sandbox = createSalesforceSandbox({ port: 0, host: '127.0.0.1', clock: new SandboxClock(), faults, transactions });
  await sandbox.seed({ leads: 600 });
});
afterEach(() => sandbox.close());

const events = () => sandbox.stats().events.appended;

describe('a mass change', () => {
  it('of the same kind is a few events with many ids, in one transaction', () => {
    const asked = { object: 'Lead', kind: 'update', count: 350, set: { Title: 'Boss' } } as const;
    expect(sandbox.massChange(asked)).toBe(350);
    expect(events()).toBe(4);
  });

  it('that differs in each record is an event a record, up to the limit; then one overflow', () => {
    const set = { Title: 'Boss', Website: 'https://example.com' };
    expect(sandbox.massChange({ object: 'Lead', kind: 'update', count: 600, set, distinct: 'Title' })).toBe(600);
    // Two fields each: 500 of them reach the limit of 1,000 changes.
    expect(events()).toBe(501);
  });

  it('creates, deletes and restores', () => {
    const set = { LastName: 'New', Company: 'Acme' };
    expect(sandbox.massChange({ object: 'Lead', kind: 'create', count: 3, set, distinct: 'LastName' })).toBe(3);
    expect(events()).toBe(3);
    expect(sandbox.massChange({ object: 'Lead', kind: 'delete', count: 50, set: {} })).toBe(50);
    expect(sandbox.stats().records['Lead']).toEqual({ live: 553, deleted: 50 });
    expect(sandbox.massChange({ object: 'Lead', kind: 'undelete', count: 100, set: {} })).toBe(50);
    expect(sandbox.stats().records['Lead']).toEqual({ live: 603, deleted: 0 });
  });

  it('changes nothing when one record is refused', () => {
    const asked = { object: 'Lead', kind: 'update', count: 5, set: { Email: 'nonsense' } } as const;
    expect(() => sandbox.massChange(asked)).toThrow('invalid email address');
    expect(events()).toBe(0);
  });
});

describe('a storm', () => {
  it('is so many events about so many records', async () => {
    expect(await sandbox.storm({ object: 'Lead', events: 1_000, records: 300 })).toEqual({
      events: 1_000,
      records: 300,
    });
    expect(events()).toBe(1_000);
  });

  it('is about as many records as there are, and may be heavy', async () => {
    const made = await sandbox.storm({ object: 'Lead', events: 900, eventBytes: 11_000 });
    expect(made).toEqual({ events: 900, records: 600 });
    expect(events()).toBe(900);
  });

  it('needs records, a text field for its weight, and room for it', async () => {
    await expect(sandbox.storm({ object: 'Contact', events: 1 })).rejects.toThrow('no Contact to change');
    await expect(sandbox.storm({ object: 'Lead', events: 1, eventBytes: 33_000 })).rejects.toThrow('no text field');
    const tooMuch = { object: 'Lead', events: 1, records: 1_000_000, eventBytes: 11_000 };
    await expect(sandbox.storm(tooMuch)).rejects.toThrow('at most');
  });

  it('ends when the sandbox is closed', async () => {
    const endless = sandbox.storm({ object: 'Lead', events: 1_000_000 });
    await sandbox.close();
    expect((await endless).events).toBeLessThan(1_000_000);
  });
});
