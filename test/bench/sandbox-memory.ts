/**
 * Whether the simulated org holds a million records in 2 GiB: `node dist/test/bench/sandbox-memory.js`. Seeds, reads every
 * lead through a query cursor, changes 20,000, and prints times and the peak memory of the process. Exits 1 above 2 GiB.
 */
import { parseArgs } from 'node:util';
import { memoryOf } from '../support/memory.js';
import { startSandbox } from '../support/sandbox.js';

const MOST_MIB = 2_048;
const CHANGES = 20_000;
/** Records of one sObject collections request. */
const COLLECTION = 200;

const { values } = parseArgs({ options: { leads: { type: 'string', default: '1000000' } } });
const leads = Number(values.leads);
const sandbox = await startSandbox();
const timed = async <T>(work: () => Promise<T>): Promise<[T, number]> => {
  const began = performance.now();
  const result = await work();
  return [result, Math.round(performance.now() - began) / 1000];
};

try {
  const counts = { leads, contacts: Math.ceil(leads / 20), accounts: Math.ceil(leads / 100) };
  const [, seedSeconds] = await timed(() => sandbox.admin('POST', '/seed', counts));
  const [rows, readSeconds] = await timed(() => sandbox.query('SELECT Id, Email, Owner.Name FROM Lead'));
  const ids = rows.slice(0, CHANGES).map((row) => String(row['Id']));
  const [, changeSeconds] = await timed(async () => {
    for (let at = 0; at < ids.length; at += COLLECTION) {
      await sandbox.updateRecords('Lead', ids.slice(at, at + COLLECTION), (id) => ({ Title: `Title of ${id}` }));
    }
  });
  const peakMiB = memoryOf(sandbox.process.child.pid ?? 0);
  console.log(
    JSON.stringify({
      ...counts,
      read: rows.length,
      changed: ids.length,
      seedSeconds,
      readSeconds,
      changeSeconds,
      peakMiB,
    }),
  );
  if (peakMiB > MOST_MIB) process.exitCode = 1;
} finally {
  await sandbox.stop();
}
