import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { loadSettings, processEnvironment, type Environment } from '@libs/config';
import { allTopics } from '@libs/contracts';
import { createEventLog } from '@libs/event-log';
import { createLogger, createMetrics, Health, type Logger } from '@libs/observability';
import { startService } from '@libs/service';
import { createConsoleService } from '../../console/src/console.module.js';
import { demoEnvironment, isDemo } from './demo.js';
import { startSandbox } from './sandbox-in-process.js';
import { services } from './services.js';
import { standaloneSettings } from './standalone.config.js';

type ConsoleSettings = Parameters<ReturnType<typeof createConsoleService>['module']>[0];
/** All settings of all services. */
type Settings = Record<string, unknown> & ConsoleSettings;

/** Everything in one process, running. */
export interface Standalone {
  /** Where the console is and how to get in, for a person. */
  readonly announcement: string;
  readonly health: Health;
  readonly logger: Logger;
  /** The sandbox's doors, if this is the demo. */
  readonly sandboxUrls: { readonly salesforce: string; readonly iterable: string; readonly admin: string } | null;
  close(): Promise<void>;
}

/**
 * The demo's sandbox forgets everything at its end, so the log of an earlier demo speaks of an org that is gone: it begins anew.
 * A real org's log is never touched.
 */
function freshDemoDir(dataDir: string): string {
  const dir = join(dataDir, 'demo');
  rmSync(dir, { recursive: true, force: true });
  return dir;
}

/**
 * Starts all services on one log, with the sandbox when no org and project are given.
 * Errors: SettingsError before anything is opened; whatever was opened is closed again on a later failure.
 */
export async function startStandalone(environment: Environment = processEnvironment()): Promise<Standalone> {
  const closers: Array<() => Promise<void>> = [];
  const close = async () => {
    for (const one of closers.splice(0).toReversed()) await one();
  };
  try {
    return await open(environment, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  environment: Environment,
  closers: Array<() => Promise<void>>,
  close: () => Promise<void>,
): Promise<Standalone> {
  const demo = isDemo(environment);
  // A bad environment is told before the sandbox takes its time: with any address in its place.
  const url = 'http://127.0.0.1:1';
  const nowhere = { salesforceUrl: url, pubsubAddress: '127.0.0.1:1', iterableUrl: url };
  loadSettings('standalone', standaloneSettings, demo ? demoEnvironment(environment, nowhere) : environment);
  const sandbox = demo ? await startSandbox(environment) : null;
  if (sandbox !== null) closers.push(() => sandbox.close());
  const urls = sandbox?.urls ?? null;
  const effective =
    urls === null
      ? environment
      : demoEnvironment(environment, {
          salesforceUrl: urls.salesforce,
          pubsubAddress: urls.pubsub,
          iterableUrl: urls.iterable,
        });
  const settings = loadSettings('standalone', standaloneSettings, effective) as Settings;
  const logger = createLogger('standalone', settings.LOG_LEVEL);

  const dataDir = demo ? freshDemoDir(settings.DATA_DIR) : settings.DATA_DIR;
  const log = await createEventLog({ ...settings, DATA_DIR: dataDir }, { clientId: 'standalone', logger });
  closers.push(() => log.close());
  await log.applyTopics(allTopics);

  const shared = { log, metrics: createMetrics({ defaults: true }) };
  const whole = new Health();
  const healths = new Map<string, Health>();
  // The sink first and the source last, so that whatever arrives is taken on.
  for (const spec of services) {
    const health = new Health(['log']);
    healths.set(spec.name, health);
    whole.include(spec.name, health);
    const running = await startService(
      spec,
      { ...settings, DATA_DIR: dataDir },
      { ...shared, health, logger: createLogger(spec.name, settings.LOG_LEVEL) },
    );
    closers.push(() => running.close());
  }
  const told = { announcement: '' };
  const consoleSpec = createConsoleService({
    healthSource: async () => [...healths].map(toServiceHealth),
    announce: (text) => (told.announcement = text),
  });
  const running = await startService(consoleSpec, settings, {
    ...shared,
    health: whole,
    logger: createLogger('console', settings.LOG_LEVEL),
  });
  closers.push(() => running.close());
  await running.app.listen(settings.HTTP_PORT, settings.HTTP_HOST);
  return { announcement: told.announcement, health: whole, logger, sandboxUrls: urls, close };
}

function toServiceHealth([name, health]: readonly [string, Health]) {
  return {
    name,
    state: health.ready ? ('ready' as const) : ('not-ready' as const),
    checks: [...health.report().checks],
  };
}
