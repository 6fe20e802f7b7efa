/**
 * Events a second through one listener, for each transport: `node dist/test/bench/listener-throughput.js`. The simulated org,
 * a process of its own, holds a backlog of updates with 11 KB each; measured is how fast the transport gives them to a taker
 * that does nothing, and how fast a whole listener process gets their changes into Kafka. `--events N`,
 * `--transport cometd|pubsub|both`, `--round-trip MS` to put the Pub/Sub API that far away for the taker, `--json`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSettings, salesforceSettings, streamingSettings } from '@libs/config';
import { allTopics, topics } from '@libs/contracts';
import { createEventLog, type EventLog } from '@libs/event-log';
import { createLogger, createMetrics } from '@libs/observability';
import { createChangeSource } from '@libs/salesforce';
import { z } from 'zod';
import { startBroker } from '../../tools/kafka/broker.mjs';
import { coresUsed, cpuUsageOf, type CpuUsage } from '../support/cpu.js';
import { memoryOf } from '../support/memory.js';
import { freePort, startProcess } from '../support/processes.js';
import { startSandbox, type SandboxProcess } from '../support/sandbox.js';
import { slowLink } from '../support/slow-link.js';
import { waitFor } from '../support/wait.js';

const CHANNEL = '/data/LeadChangeEvent';
/** Text of each update: with the rest of the event about 11 KB. */
const TEXT_BYTES = 10_800;
/** Records of one request, and of one transaction. */
const COLLECTION = 200;
const DEADLINE_MS = 10 * 60_000;
const transports = ['cometd', 'pubsub'] as const;
type Transport = (typeof transports)[number];

interface Result {
  readonly transport: Transport;
  readonly measured: 'to the taker' | 'into the log';
  readonly events: number;
  readonly seconds: number;
  readonly eventsPerSecond: number;
  /** Processor time by process, as a share of one core. */
  readonly cores: Record<string, number>;
  readonly peakMiB: number;
}

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '20000' },
    transport: { type: 'string', default: 'both' },
    'round-trip': { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
  },
});
const wanted = Number(values.events);
const chosen = transports.filter((one) => values.transport === 'both' || values.transport === one);

/** Makes the backlog: each update is an event of its own. */
async function makeBacklog(sandbox: SandboxProcess): Promise<void> {
  const ids = (await sandbox.query('SELECT Id FROM Lead')).map((row) => String(row['Id']));
  for (let made = 0; made < wanted; made += COLLECTION) {
    const some = ids.slice(made % ids.length, (made % ids.length) + Math.min(COLLECTION, wanted - made));
    // Text that differs, as people's does: one event for each record, not a merged one
    await sandbox.updateRecords('Lead', some, (id) => ({ Description: `${made} ${id} `.padEnd(TEXT_BYTES, 'text ') }));
  }
}

function settingsFor(transport: Transport, sandbox: SandboxProcess, pubsub: string): Record<string, string> {
  return {
    ...sandbox.settings,
    SALESFORCE_CHANNELS: CHANNEL,
    SALESFORCE_STREAMING: transport,
    SALESFORCE_PUBSUB_ENDPOINT: pubsub,
    SALESFORCE_PUBSUB_INSECURE: 'true',
  };
}

function resultOf(
  parts: Pick<Result, 'transport' | 'measured' | 'events' | 'peakMiB'>,
  from: CpuUsage,
  to: CpuUsage,
): Result {
  const seconds = (to.atMs - from.atMs) / 1_000;
  return { ...parts, seconds, eventsPerSecond: parts.events / seconds, cores: coresUsed(from, to) };
}

/** The transport alone, in this process, from its first event on. */
async function toTheTaker(transport: Transport, sandbox: SandboxProcess, pubsub: string): Promise<Result> {
  const schema = z.object({ ...salesforceSettings.shape, ...streamingSettings.shape });
  const settings = loadSettings('bench', schema, settingsFor(transport, sandbox, pubsub));
  const source = createChangeSource(settings, { metrics: createMetrics() });
  const pids = { listener: process.pid, sandbox: sandbox.process.child.pid ?? 0 };
  let next: 'all' | { readonly after: string } = 'all';
  let events = 0;
  let from: CpuUsage | null = null;
  let timed = 0;
  while (events < wanted) {
    // A stream that overflows is a new one, as in the listener
    const stream = await source.open([CHANNEL], {
      position: () => next,
      onSubscribed: () => undefined,
      onRefused: (channel, refusal, detail) => {
        throw new Error(`${channel}: ${refusal}, ${detail}`);
      },
      onAlive: () => undefined,
    });
    for (;;) {
      const some = await stream.next(500);
      if (some === null) break;
      events += some.filter(({ kind }) => kind !== 'position').length;
      if (from === null) from = cpuUsageOf(pids);
      else timed += some.length;
      const last = some.at(-1)?.replayId;
      if (typeof last === 'string') next = { after: last };
      if (events >= wanted) break;
    }
    if (stream.end !== null && stream.end.failure !== 'overflow')
      throw new Error(`the stream failed: ${stream.end.failure}`);
    await stream.close();
  }
  const to = cpuUsageOf(pids);
  if (from === null) throw new Error('no event came');
  return resultOf({ transport, measured: 'to the taker', events: timed, peakMiB: memoryOf(process.pid) }, from, to);
}

async function changesIn(log: EventLog): Promise<number> {
  return (await log.offsets(topics.changes)).reduce((sum, { earliest, next }) => sum + next - earliest, 0);
}

/** A listener process, from the first change in the log to the last. */
async function intoTheLog(
  transport: Transport,
  sandbox: SandboxProcess,
  pubsub: string,
  brokers: string,
): Promise<Result> {
  const dataDir = mkdtempSync(join(tmpdir(), 'throughput-'));
  const prefix = `throughput-${transport}-${Date.now()}.`;
  const own = {
    ...settingsFor(transport, sandbox, pubsub),
    DATA_DIR: dataDir,
    // What changes is a long text that no mapping reads: each event is to travel all the way
    LISTENER_FILTER_UNMAPPED: 'false',
    KAFKA_BROKERS: brokers,
    KAFKA_TOPIC_PREFIX: prefix,
  };
  const log = await createEventLog(
    {
      KAFKA_BROKERS: brokers.split(','),
      KAFKA_SSL: false,
      KAFKA_TOPIC_PREFIX: prefix,
      KAFKA_PARTITIONS: 6,
      KAFKA_REPLICATION: 1,
      KAFKA_COMPRESSION: 'none',
      KAFKA_SESSION_TIMEOUT_MS: 10_000,
      DATA_DIR: dataDir,
    },
    { clientId: 'bench', logger: createLogger('bench', 'silent') },
  );
  await log.applyTopics(allTopics);
  // Where it begins is stored by its first life; the backlog is what happens until its second
  const first = await startProcess('cdc-listener', own);
  await first.stop();
  await makeBacklog(sandbox);
  const listener = await startProcess('cdc-listener', own, false);
  const pids = { listener: listener.child.pid ?? 0, sandbox: sandbox.process.child.pid ?? 0 };
  try {
    let before = 0;
    await waitFor('the first changes', async () => (before = await changesIn(log)) > 0, DEADLINE_MS, 20);
    const from = cpuUsageOf(pids);
    await waitFor('the last change', async () => (await changesIn(log)) >= wanted, DEADLINE_MS, 20);
    const to = cpuUsageOf(pids);
    const peakMiB = memoryOf(pids.listener);
    return resultOf({ transport, measured: 'into the log', events: wanted - before, peakMiB }, from, to);
  } finally {
    await listener.stop();
    await log.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function asText({ transport, measured, events, seconds, eventsPerSecond, cores, peakMiB }: Result): string {
  const used = Object.entries(cores).map(([name, share]) => `${name} ${share.toFixed(2)}`);
  return (
    `${transport} ${measured}: ${eventsPerSecond.toFixed(0)} events/s (${events} in ${seconds.toFixed(1)} s; ` +
    `cores used: ${used.join(', ')}; ${peakMiB} MiB peak)`
  );
}

const pubsubPort = await freePort();
const sandbox = await startSandbox({ SANDBOX_PUBSUB_PORT: String(pubsubPort) });
const pubsub = `127.0.0.1:${pubsubPort}`;
const roundTripMs = Number(values['round-trip']);
const link = roundTripMs > 0 ? await slowLink(pubsubPort, roundTripMs) : null;
const broker = await startBroker();
const results: Result[] = [];
try {
  await sandbox.admin('POST', '/seed', { leads: 2_000, contacts: 1, accounts: 1, seed: 1 });
  for (const transport of chosen) {
    results.push(await intoTheLog(transport, sandbox, pubsub, broker.brokers));
    results.push(await toTheTaker(transport, sandbox, link?.address ?? pubsub));
  }
} finally {
  await link?.close();
  await sandbox.stop();
  await broker.stop();
}
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
process.stdout.write(
  values.json
    ? `${JSON.stringify({ machine, results })}\n`
    : `${machine.cores} cores (${machine.cpu}), ${machine.memoryGiB} GiB, Node ${machine.node}\n${results.map(asText).join('\n')}\n`,
);
