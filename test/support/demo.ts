import { mkdtempSync, cpSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startProcess, type ServiceProcess } from './processes.js';
import { connectSandbox } from './sandbox.js';

/** `npm start` with its sandbox, on free ports and with a data directory and mappings of its own. */
export interface Demo {
  readonly sandbox: ReturnType<typeof connectSandbox>;
  readonly consoleUrl: string;
  readonly token: string;
  readonly dataDir: string;
  readonly mappingsDir: string;
  readonly process: ServiceProcess;
  /** Stops it and starts it anew on the same directories. */
  restart(): Promise<Demo>;
  stop(): Promise<void>;
}

const TOKEN = 'test-token-of-the-console';

export async function startDemo(
  own: Readonly<Record<string, string>> = {},
  dirs?: { dataDir: string; mappingsDir: string },
): Promise<Demo> {
  const dataDir = dirs?.dataDir ?? mkdtempSync(join(tmpdir(), 'sync-demo-'));
  const mappingsDir = dirs?.mappingsDir ?? join(dataDir, 'mappings');
  if (dirs === undefined) cpSync('mappings', mappingsDir, { recursive: true });
  const [salesforce, iterable, admin] = [await freePort(), await freePort(), await freePort()];
  const process = await startProcess('standalone', {
    DATA_DIR: dataDir,
    MAPPINGS_DIR: mappingsDir,
    SANDBOX_SALESFORCE_PORT: String(salesforce),
    SANDBOX_PUBSUB_PORT: '0',
    SANDBOX_ITERABLE_PORT: String(iterable),
    SANDBOX_ADMIN_PORT: String(admin),
    CONSOLE_TOKEN: TOKEN,
    LOG_LEVEL: 'warn',
    ITERABLE_SETTLE_SECONDS: '1', // the sandbox's pipelines take no time unless told to
    ...own,
  });
  return {
    sandbox: connectSandbox({
      salesforceUrl: `http://127.0.0.1:${salesforce}`,
      iterableUrl: `http://127.0.0.1:${iterable}`,
      adminUrl: `http://127.0.0.1:${admin}`,
    }),
    consoleUrl: process.url,
    token: TOKEN,
    dataDir,
    mappingsDir,
    process,
    async restart() {
      await process.stop();
      return startDemo(own, { dataDir, mappingsDir });
    },
    async stop() {
      await process.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
