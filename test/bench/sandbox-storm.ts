/**
 * How fast the simulated org delivers a storm, and in how much memory: `node dist/test/bench/sandbox-storm.js`, with
 * `--events`, `--event-bytes` (0: small ones) and `--records`. Prints events a second over the Pub/Sub API and over CometD, to
 * clients that count and do nothing else, and the peak memory of the sandbox. Exits 1 above 2 GiB.
 */
import { parseArgs } from 'node:util';
import { credentials, loadPackageDefinition, Metadata, type ClientDuplexStream, type GrpcObject } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { freePort } from '../support/processes.js';
import { memoryOf } from '../support/memory.js';
import { startSandbox } from '../support/sandbox.js';

const MOST_MIB = 2_048;
const CHANNEL = '/data/LeadChangeEvent';
/** With grpc-js's usual window of 64 KiB a client waits for each piece of a response; this one lets whole responses through. */
const WINDOW_BYTES = 8 * 1024 * 1024;

interface Response {
  readonly events: ReadonlyArray<{ readonly event: { readonly payload: Buffer } }>;
}
type Call = ClientDuplexStream<object, Response>;

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '100000' },
    'event-bytes': { type: 'string', default: '11000' },
    records: { type: 'string', default: '20000' },
  },
});
const [events, eventBytes, records] = [values.events, values['event-bytes'], values.records].map(Number) as [
  number,
  number,
  number,
];

const pubsubPort = await freePort();
const sandbox = await startSandbox({ SANDBOX_PUBSUB_PORT: String(pubsubPort), SANDBOX_LEADS: String(records) });
const { salesforceUrl } = sandbox;

async function token(): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'sandbox',
    client_secret: 'sandbox',
  });
  const response = await fetch(`${salesforceUrl}/services/oauth2/token`, { method: 'POST', body });
  return ((await response.json()) as { access_token: string }).access_token;
}

/** Reads the storm with the credit of each response given back at once. Answers events a second and their size. */
async function overPubSub(): Promise<{ perSecond: number; bytes: number }> {
  const definition = loadPackageDefinition(loadSync('proto/pubsub_api.proto'));
  const { PubSub } = (definition['eventbus'] as GrpcObject)['v1'] as unknown as {
    PubSub: new (
      address: string,
      how: unknown,
      options: object,
    ) => { Subscribe(metadata: Metadata): Call; close(): void };
  };
  const client = new PubSub(`127.0.0.1:${pubsubPort}`, credentials.createInsecure(), {
    'grpc-node.flow_control_window': WINDOW_BYTES,
  });
  const metadata = new Metadata();
  const accesstoken = await token();
  const headers = { accesstoken, instanceurl: salesforceUrl, tenantid: accesstoken.slice(0, 15) };
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const call = client.Subscribe(metadata);
  const began = performance.now();
  let [received, size] = [0, 0];
  await new Promise<void>((resolve, reject) => {
    call.on('error', (error) => (received < events ? reject(error) : undefined));
    call.on('data', (response: Response) => {
      received += response.events.length;
      for (const { event } of response.events) size += event.payload.length;
      if (received >= events) resolve();
      else call.write({ topicName: CHANNEL, numRequested: Math.max(1, response.events.length) });
    });
    call.write({ topicName: CHANNEL, replayPreset: 1, numRequested: 100 });
  });
  const seconds = (performance.now() - began) / 1000;
  call.cancel();
  client.close();
  return { perSecond: Math.round(received / seconds), bytes: Math.round(size / received) };
}

async function overCometd(): Promise<number> {
  const authorization = `OAuth ${await token()}`;
  let cookie = '';
  let clientId: string | undefined;
  const send = async (message: object): Promise<Array<Record<string, unknown>>> => {
    const response = await fetch(`${salesforceUrl}/cometd/67.0`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization, cookie },
      body: JSON.stringify([{ ...message, clientId }]),
    });
    const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0]);
    if (cookies.length > 0) cookie = cookies.join('; ');
    return (await response.json()) as Array<Record<string, unknown>>;
  };
  const connect = { channel: '/meta/connect', connectionType: 'long-polling' };
  const [reply] = await send({
    channel: '/meta/handshake',
    version: '1.0',
    supportedConnectionTypes: ['long-polling'],
  });
  clientId = String(reply?.['clientId']);
  await send(connect);
  await send({ channel: '/meta/subscribe', subscription: CHANNEL, ext: { replay: { [CHANNEL]: -2 } } });
  const began = performance.now();
  let received = 0;
  while (received < events) received += (await send(connect)).filter((one) => one['data'] !== undefined).length;
  return Math.round(received / ((performance.now() - began) / 1000));
}

try {
  const asked = { object: 'Lead', events, records, ...(eventBytes > 0 ? { eventBytes } : {}) };
  const made = await sandbox.admin<{ seconds: number }>('POST', '/salesforce/storm', asked);
  const pubsub = await overPubSub();
  const cometd = await overCometd();
  const peakMiB = memoryOf(sandbox.process.child.pid ?? 0);
  console.log(
    JSON.stringify({
      events,
      avroBytes: pubsub.bytes,
      madePerSecond: Math.round(events / made.seconds),
      pubsubPerSecond: pubsub.perSecond,
      cometdPerSecond: cometd,
      peakMiB,
    }),
  );
  if (peakMiB > MOST_MIB) process.exitCode = 1;
} finally {
  await sandbox.stop();
}
