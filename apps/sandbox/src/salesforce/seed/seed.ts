import { setImmediate as nextTurn } from 'node:timers/promises';
import { recordIdOf } from '../ids.js';
import { seededRandom } from '../random.js';
import type { ObjectSchema } from '../schema/types.js';
import type { RecordStore } from '../store/record-store.js';
import type { StoredRecord } from '../store/values.js';
import { makeAccount, makeContact, makeLead, type Draw } from './make-records.js';
import { wordPools } from './word-pools.js';

/** How many records to add, and the seed of the randomness behind them. */
export interface SeedCounts {
  readonly leads?: number;
  readonly contacts?: number;
  readonly accounts?: number;
  readonly seed?: number;
}

/** Records between two breaths of the event loop. */
const CHUNK = 2_000;
const HOUR_MS = 3_600_000;

/**
 * Adds accounts, contacts and leads as if they had been there before: no change events. The same seed on a fresh org at the
 * same hour gives the same records. Other requests are served meanwhile. Stops early when `signal` is aborted.
 */
export async function seedRecords(
  store: RecordStore,
  counts: SeedCounts,
  now: number,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const seed = counts.seed ?? 1;
  const random = seededRandom(seed);
  const user = objectNamed(store, 'User');
  const group = objectNamed(store, 'Group');
  const [userId = '', ...owners] = store.idsWhere(user, 'CreatedById', recordIdOf(user.keyPrefix, 1));
  const draw: Draw = {
    random,
    pools: wordPools(seed),
    until: Math.floor(now / HOUR_MS) * HOUR_MS - HOUR_MS,
    owners,
    queues: store.idsWhere(group, 'CreatedById', userId),
    userId,
  };
  const account = objectNamed(store, 'Account');
  const anAccount = (share: number) => {
    const known = store.createdCount(account);
    if (known === 0 || random() >= share) return null;
    return recordIdOf(account.keyPrefix, 1 + Math.floor(random() * known));
  };
  await fill(store, account, counts.accounts ?? 0, signal, (id, n) => {
    const parent = anAccount(0.05);
    return makeAccount(draw, id, n, parent === id ? null : parent);
  });
  await fill(store, objectNamed(store, 'Contact'), counts.contacts ?? 0, signal, (id, n) =>
    makeContact(draw, id, n, anAccount(0.95)),
  );
  await fill(store, objectNamed(store, 'Lead'), counts.leads ?? 0, signal, (id, n) => makeLead(draw, id, n));
}

async function fill(
  store: RecordStore,
  object: ObjectSchema,
  count: number,
  signal: AbortSignal,
  make: (id: string, n: number) => StoredRecord,
): Promise<void> {
  if (count === 0) return;
  // Building the indexes anew pays off only when most of the records are new.
  const restoreIndexes = count > store.createdCount(object) ? store.suspendIndexes(object) : () => {};
  try {
    for (let made = 0; made < count && !signal.aborted; made += CHUNK) {
      store.transaction(() => {
        for (let index = made; index < Math.min(count, made + CHUNK); index += 1) {
          const id = store.nextId(object);
          store.insert(object, make(id, store.createdCount(object)));
        }
      });
      await nextTurn();
    }
  } finally {
    restoreIndexes();
  }
}

function objectNamed(store: RecordStore, name: string): ObjectSchema {
  const object = store.schema.object(name);
  if (object === null) throw new Error(`the org has no object ${name} to seed`);
  return object;
}
