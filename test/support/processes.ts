import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { waitFor } from './wait.js';

/** A service as a process of its own: the command that the image and the manifests use too. */
export interface ServiceProcess {
  readonly app: string;
  readonly url: string;
  readonly child: ChildProcess;
  /** What it printed so far. */
  output(): string;
  isReady(): Promise<boolean>;
  /** SIGKILL: no warning. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Start command of an app. */
export function entryOf(app: string): string {
  return `dist/apps/${app}/src/main.js`;
}

/** Only what a service is given: the test's own environment must not leak into it. */
function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env;
  return { PATH, HOME, TZ: 'UTC', ...own };
}

/** Starts an app and waits until it answers on its HTTP door (`awaitReady`: until it is ready). */
export async function startProcess(
  app: string,
  own: Readonly<Record<string, string>>,
  awaitReady = true,
): Promise<ServiceProcess> {
  const port = own['HTTP_PORT'] ?? String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, [entryOf(app)], {
    env: environment({ ...own, HTTP_PORT: port }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const keep = (chunk: Buffer) => (printed = (printed + chunk.toString()).slice(-200_000));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const gone = () => child.exitCode !== null || child.signalCode !== null;
  const isReady = async () => (await fetch(`${url}/health/ready`).catch(() => null))?.ok ?? false;
  const end = async (signal: NodeJS.Signals) => {
    if (!gone()) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  };
  const service: ServiceProcess = {
    app,
    url,
    child,
    output: () => printed,
    isReady,
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
  };
  await waitFor(
    `${app} to start`,
    async () => {
      if (gone()) return true;
      return awaitReady ? isReady() : (await fetch(`${url}/health/live`)).status > 0;
    },
    60_000,
  );
  if (gone()) throw new Error(`${app} ended at its start with code ${child.exitCode}:\n${printed}`);
  return service;
}
