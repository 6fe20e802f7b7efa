// One real Apache Kafka broker without Docker: jars through Maven into a cache outside the repository, KRaft, one node.
//   node tools/kafka/broker.mjs start [--port 9092] [--data-dir DIR]   runs until interrupted
//   node tools/kafka/broker.mjs jars                                  only fills the cache
import { execFile, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));

export const KAFKA_VERSION = '4.3.1';
/** The broker needs this Java. Source: Kafka 4 compatibility page. */
const MIN_JAVA = 17;
const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 15_000;
const START_ATTEMPTS = 3;

/** Something that a person has to install or free. */
export class BrokerUnavailableError extends Error {
  name = 'BrokerUnavailableError';
}

const ADVICE =
  'The tests need a Kafka broker. Either install Java 17 or newer and Maven ("apt-get install openjdk-17-jre-headless maven"), ' +
  'or set KAFKA_BROKERS=host:port to a broker whose group.min.session.timeout.ms is 1000 or less.';

function javaCommand() {
  return process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
}

async function checkJava() {
  let text;
  try {
    // Java prints its version on standard error.
    text = (await run(javaCommand(), ['-version'])).stderr;
  } catch (error) {
    throw new BrokerUnavailableError(`Java was not found. ${ADVICE}`, { cause: error });
  }
  const major = Number(/version "(\d+)/.exec(text)?.[1] ?? 0);
  if (major < MIN_JAVA)
    throw new BrokerUnavailableError(`Java ${major} is too old for Kafka ${KAFKA_VERSION}. ${ADVICE}`);
}

/** Where the jars are kept. */
export function jarDirectory() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(cache, 'salesforce-iterable-sync', `kafka-${KAFKA_VERSION}`);
}

/** Resolves the jars through Maven, once a machine. Returns their directory. */
export async function resolveJars() {
  const target = jarDirectory();
  if (existsSync(target)) return target;
  mkdirSync(join(target, '..'), { recursive: true });
  const partial = mkdtempSync(`${target}.partial-`);
  try {
    await run(
      'mvn',
      [
        ...['-q', '-B', '-f', join(here, 'pom.xml')],
        ...['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${partial}`],
      ],
      { maxBuffer: 16 * 1024 * 1024 },
    );
    // Another process may have been faster: its directory is as good as ours.
    if (!existsSync(target)) renameSync(partial, target);
  } catch (error) {
    if (existsSync(target)) return target;
    const why =
      error.code === 'ENOENT'
        ? 'Maven was not found.'
        : `Maven could not fetch Kafka's jars: ${tail(error.stdout ?? error.message)}`;
    throw new BrokerUnavailableError(`${why} ${ADVICE}`, { cause: error });
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return target;
}

function tail(text, lines = 12) {
  return String(text).trimEnd().split('\n').slice(-lines).join('\n');
}

/** Ports that are free now. */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** A listener more, on which clients must say who they are: PLAIN and SCRAM-SHA-512, without TLS. */
function saslProperties({ username, password }) {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule';
  return `sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl.plain.sasl.jaas.config=${plain} required user_${username}="${password}";
listener.name.sasl.scram-sha-512.sasl.jaas.config=${scram} required;
`;
}

function properties(dataDir, port, controllerPort, sasl) {
  const [listener, protocol] = sasl ? [`,SASL://127.0.0.1:${sasl.port}`, ',SASL:SASL_PLAINTEXT'] : ['', ''];
  return `process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:${controllerPort}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${listener}
advertised.listeners=PLAINTEXT://127.0.0.1:${port}${listener}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${protocol}
inter.broker.listener.name=PLAINTEXT
log.dirs=${join(dataDir, 'log')}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.dedupe.buffer.size=2097152
auto.create.topics.enable=false
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
controlled.shutdown.enable=false
${sasl ? saslProperties(sasl) : ''}`;
}

/** Resolves when the broker says that it has started: then its controller has taken it in. */
async function ready(child, logFile, logStart) {
  const deadline = Date.now() + START_DEADLINE_MS;
  const printed = () => readFileSync(logFile, 'utf8').slice(logStart);
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (printed().includes('Kafka Server started')) return;
    await wait(50);
  }
  throw new BrokerUnavailableError(`The Kafka broker did not start. The end of its log:\n${tail(printed())}`);
}

/**
 * Starts a broker and waits until it answers.
 *
 * `port`: default a free one. `dataDir`: kept if given, else a temporary directory that `stop` removes.
 * `kill` is SIGKILL and keeps the data; `restart` starts it again on the same port with the same data.
 * `sasl`: opens a listener more, for this user.
 * @param {{port?: number, dataDir?: string, sasl?: {username: string, password: string}}} [options]
 */
export async function startBroker({ port, dataDir, sasl } = {}) {
  await checkJava();
  const jars = await resolveJars();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(jars, port, dataDir, sasl);
    } catch (error) {
      // A free port may be taken by somebody else before the broker binds it.
      if (port !== undefined || attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOn(jars, wantedPort, wantedDir, user) {
  const [freePort, controllerPort, saslPort] = await freePorts(3);
  const sasl = user && { ...user, port: saslPort };
  const port = wantedPort ?? freePort;
  const dataDir = wantedDir ?? mkdtempSync(join(tmpdir(), 'kafka-'));
  mkdirSync(dataDir, { recursive: true });
  const config = join(dataDir, 'server.properties');
  const logFile = join(dataDir, 'broker.log');
  writeFileSync(config, properties(dataDir, port, controllerPort, sasl));
  const java = [
    ...[
      '-Xms128m',
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Xshare:auto',
      '-Djava.net.preferIPv4Stack=true',
    ],
    ...[`-Dlog4j2.configurationFile=${join(here, 'log4j2.xml')}`, '-cp', join(jars, '*')],
  ];
  if (!existsSync(join(dataDir, 'log', 'meta.properties'))) {
    const id = (await run(javaCommand(), [...java, 'kafka.tools.StorageTool', 'random-uuid'])).stdout.trim();
    const scram = sasl ? ['--add-scram', `SCRAM-SHA-512=[name=${sasl.username},password=${sasl.password}]`] : [];
    const format = ['format', '--standalone', '-t', id, '-c', config, ...scram];
    await run(javaCommand(), [...java, 'kafka.tools.StorageTool', ...format]);
  }
  const brokers = `127.0.0.1:${port}`;
  let child;
  const launch = async () => {
    const log = openSync(logFile, 'a');
    const logStart = readFileSync(logFile, 'utf8').length;
    child = spawn(javaCommand(), [...java, 'kafka.Kafka', config], { stdio: ['ignore', log, log] });
    closeSync(log);
    try {
      await ready(child, logFile, logStart);
    } catch (error) {
      await end('SIGKILL');
      throw error;
    }
  };
  const end = async (signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS);
    await exited;
    clearTimeout(late);
  };
  const removeData = () => {
    if (wantedDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  try {
    await launch();
  } catch (error) {
    removeData();
    throw error;
  }
  return {
    brokers,
    saslBrokers: sasl && `127.0.0.1:${sasl.port}`,
    port,
    dataDir,
    get pid() {
      return child.pid;
    },
    kill: () => end('SIGKILL'),
    restart: launch,
    stop: async () => {
      await end('SIGTERM');
      removeData();
    },
  };
}

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string' }, 'data-dir': { type: 'string' } },
  });
  if (positionals[0] === 'jars') {
    console.log(await resolveJars());
    return;
  }
  const port = values.port === undefined ? undefined : Number(values.port);
  if (positionals[0] !== 'start' || (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536))) {
    throw new BrokerUnavailableError('usage: node tools/kafka/broker.mjs start [--port 9092] [--data-dir DIR] | jars');
  }
  const broker = await startBroker({ port, dataDir: values['data-dir'] });
  console.log(`Kafka ${KAFKA_VERSION} listens on ${broker.brokers} (data in ${broker.dataDir}). Ctrl-C stops it.`);
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
  await broker.stop();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(error instanceof BrokerUnavailableError ? error.message : error);
    process.exitCode = 1;
  });
}
