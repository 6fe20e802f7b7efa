/**
 * `node dist/test/chaos/burst.js --transport cometd|pubsub`: a storm through one listener on real Kafka. One transaction that changes
 * 100,000 Leads, then a burst of a million events while the listener is down; ends when each change is in the log, and says how
 * long that took and what memory the listener needed. `--events N --records N`.
 */
import { parseArgs } from 'node:util';
import { topics } from '@libs/contracts';
import { startBroker } from '../../tools/kafka/broker.mjs';
import { memoryOf } from '../support/memory.js';
import { startSandbox } from '../support/sandbox.js';
import { startStack } from '../support/stack.js';
import { waitFor } from '../support/wait.js';

const { values } = parseArgs({
  options: {
    transport: { type: 'string', default: 'pubsub' },
    events: { type: 'string', default: '1000000' },
    records: { type: 'string', default: '100000' },
  },
});
const [events, records] = [Number(values.events), Number(values.records)];
const DEADLINE_MS = 10 * 60_000;

const broker = await startBroker();
const sandbox = await startSandbox();
await sandbox.admin('POST', '/seed', { leads: records, contacts: 1, accounts: 1, seed: 1 });
const own = {
  SALESFORCE_STREAMING: values.transport,
  SALESFORCE_PUBSUB_ENDPOINT: sandbox.pubsubEndpoint,
  SALESFORCE_PUBSUB_INSECURE: 'true',
  // The storm changes what it likes; here each event is to be seen.
  LISTENER_FILTER_UNMAPPED: 'false',
};
const stack = await startStack({ brokers: broker.brokers, sandbox, instances: 1, own, only: ['cdc-listener'] });
const captured = async () => (await stack.log.offsets(topics.changes)).reduce((sum, { next }) => sum + next, 0);
const all = (count: number) => waitFor(`${count} changes`, async () => (await captured()) >= count, DEADLINE_MS, 200);
const peak = () => memoryOf(stack.of('cdc-listener')[0]?.child.pid ?? 0);
try {
  const transaction = { object: 'Lead', kind: 'update', count: records, set: { Company: 'All at once' } };
  await sandbox.admin('POST', '/salesforce/mass', transaction);
  let began = performance.now();
  await all(records);
  const transactionSeconds = (performance.now() - began) / 1000;

  const before = await captured();
  await stack.of('cdc-listener')[0]?.kill();
  await sandbox.admin('POST', '/salesforce/storm', { object: 'Lead', events });
  began = performance.now();
  await stack.start('cdc-listener');
  await all(before + events);
  const seconds = (performance.now() - began) / 1000;
  const result = {
    transport: values.transport,
    transaction: { changes: records, seconds: Number(transactionSeconds.toFixed(1)) },
    burst: { events, seconds: Number(seconds.toFixed(1)), eventsPerSecond: Math.round(events / seconds) },
    listenerPeakMiB: peak(),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  await stack.stop();
  await sandbox.stop();
  await broker.stop();
}
