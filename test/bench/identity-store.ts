/**
 * The writer's table of records at its full size: `node dist/test/bench/identity-store.js --records 10000000`. Fills a store as
 * a standby does that follows the topic, decides about updates by it, opens it again as a takeover does, and prints seconds,
 * bytes and the peak memory of the process.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toRecordId } from '@libs/contracts';
import { decide } from '../../apps/iterable-writer/src/core/decide.js';
import { IdentityStore, type IdentityEntry } from '../../apps/iterable-writer/src/identity-store.js';
import { memoryOf } from '../support/memory.js';

/** Messages of one fetch. */
const RUN = 1_000;
const DECISIONS = 200_000;

const { values } = parseArgs({ options: { records: { type: 'string', default: '1000000' } } });
const records = Number(values.records);
const dataDir = mkdtempSync(join(tmpdir(), 'identity-bench-'));
const seconds = (since: number) => Math.round(performance.now() - since) / 1_000;
const idOf = (n: number) => toRecordId(`00Q5f0${n.toString(36).padStart(9, '0')}`) ?? '';
const version = { modstampMs: 1_764_000_000_000, fetchedAtMs: 1_764_000_000_500 };
/** Records come in no order of theirs: a multiplier that has no factor in common with the count spreads them. */
const spread = (n: number) => (n * 7_368_787) % records;

function entryOf(n: number): IdentityEntry {
  const email = `person.number${n}@example-company.com`;
  const claim = { email, createdMs: version.modstampMs };
  const lastCall = { endpoint: 'bulk', atMs: version.fetchedAtMs } as const;
  const identity = { recordType: 'Lead', email, version, claim, lastCall };
  return { recordId: idOf(n), identity, partition: 0, offset: n };
}

try {
  const store = IdentityStore.open({ dataDir, source: 'bench' });
  const began = performance.now();
  for (let at = 0; at < records; at += RUN) {
    store.follow(Array.from({ length: Math.min(RUN, records - at) }, (_, index) => entryOf(spread(at + index))));
  }
  const fillSeconds = seconds(began);
  const policy = { projectType: 'email', onDelete: 'ignore', onOptOut: 'unsubscribe', settleMs: 60_000 } as const;
  const decided = performance.now();
  for (let n = 0; n < DECISIONS; n += 1) {
    const of = spread(n);
    const { email } = entryOf(of).identity as { readonly email: string };
    const covers = { recordType: 'Lead', recordId: idOf(of), offsets: ['0:1'], jobIds: [], commitTimestamp: 0 };
    const { ending } = decide({ kind: 'update', ...covers, version, email, createdMs: 0 }, store, policy);
    if (ending.kind !== 'written') throw new Error(`decided ${ending.kind}`);
  }
  const decisionsPerSecond = Math.round(DECISIONS / seconds(decided));
  const bytesPerRecord = Math.round(statSync(store.path).size / records);
  store.close();
  const opened = performance.now();
  const again = IdentityStore.open({ dataDir, source: 'bench' });
  const positions = again.positions();
  const reopenSeconds = seconds(opened);
  again.close();
  const perSecond = Math.round(records / fillSeconds);
  const peakMiB = memoryOf(process.pid);
  console.log(
    JSON.stringify({
      records,
      fillSeconds,
      perSecond,
      bytesPerRecord,
      decisionsPerSecond,
      reopenSeconds,
      positions,
      peakMiB,
    }),
  );
} finally {
  rmSync(dataDir, { recursive: true, force: true });
}
