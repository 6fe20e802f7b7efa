import { describe, expect, it } from 'vitest';
import { Schema } from '../schema/schema.js';
import { standardObjects } from '../schema/standard-objects.js';
import { RecordStore } from '../store/record-store.js';
import { QueryEngine } from '../soql/query-engine.js';
import { seedPeople } from './people.js';
import { seedRecords } from './seed.js';

const NOW = Date.parse('2026-11-24T08:41:05Z');

async function seeded(seed: number) {
  const store = new RecordStore(new Schema(standardObjects, () => NOW));
  seedPeople(store, NOW);
  await seedRecords(store, { leads: 3_000, contacts: 1_000, accounts: 100, seed }, NOW);
  const engine = new QueryEngine(store, () => NOW, { open: 10, idleMs: 1 });
  const query = (soql: string) => engine.query(soql, { includeDeleted: true, pageSize: 5_000, version: '67.0' });
  return { count: (soql: string) => query(soql).totalSize, records: (soql: string) => query(soql).records };
}

describe('seedRecords', () => {
  it('gives the same records for the same seed, others for another', async () => {
    const soql = 'SELECT FIELDS(STANDARD) FROM Lead ORDER BY Id LIMIT 50';
    const [one, same, other] = await Promise.all([seeded(1), seeded(1), seeded(2)]);
    expect(same.records(soql)).toEqual(one.records(soql));
    expect(other.records(soql)).not.toEqual(one.records(soql));
  });

  it('makes plausible people', async () => {
    const { count, records } = await seeded(5);
    expect(count('SELECT COUNT() FROM Lead')).toBe(3_000);
    const blank = count('SELECT COUNT() FROM Lead WHERE Email = null');
    expect(blank).toBeGreaterThan(10);
    expect(blank).toBeLessThan(60);
    const emails = [...records('SELECT Email FROM Lead'), ...records('SELECT Email FROM Contact')]
      .map((one) => (one as { Email: string | null }).Email)
      .filter((one) => one !== null);
    expect(new Set(emails).size).toBe(emails.length);
    expect(emails.every((one) => /^[a-z.]+\.\d+@example\.(com|net|org)$/.test(one))).toBe(true);
    expect(count('SELECT COUNT() FROM Lead WHERE HasOptedOutOfEmail = true')).toBeGreaterThan(60);
    expect(count("SELECT COUNT() FROM Lead WHERE Owner.Type = 'Queue'")).toBeGreaterThan(60);
    expect(records('SELECT OwnerId FROM Contact GROUP BY OwnerId')).toHaveLength(20);
    const linked = count('SELECT COUNT() FROM Contact WHERE Account.Name != null');
    expect(linked).toBeGreaterThan(900);
    expect(linked).toBeLessThan(1_000);
    expect(count('SELECT COUNT() FROM Lead WHERE SystemModstamp > TODAY')).toBe(0);
  });

  it('goes on where it stopped when asked again', async () => {
    const store = new RecordStore(new Schema(standardObjects, () => NOW));
    seedPeople(store, NOW);
    await seedRecords(store, { leads: 10 }, NOW);
    await seedRecords(store, { leads: 10 }, NOW);
    const lead = store.schema.object('Lead');
    expect(lead && store.count(lead)).toEqual({ live: 20, deleted: 0 });
  });
});
