import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { loadSettings, SettingsError, type Environment, type ServiceSettings, type SettingsSchema } from '@libs/config';
import { BadSettingError, groupOf } from '@libs/contracts';
import { EventLogServer, type Assignment } from '@libs/event-log';
import { nestLogger, type Health } from '@libs/observability';
import type { z } from 'zod';
import { openParts, type ServiceParts } from './parts.js';
import { DoorsModule } from './doors.module.js';

/** One app, as data: what `main.ts` runs and what standalone composes. */
export interface ServiceSpec<S extends SettingsSchema = SettingsSchema> {
  readonly name: string;
  readonly settings: S;
  /** How instances share the partitions they read. Default `shared`. */
  readonly assignment?: Assignment;
  readonly maxRecords?: number;
  module(settings: z.infer<S>, parts: ServiceParts): DynamicModule;
}

export interface RunningService {
  readonly name: string;
  readonly health: Health;
  readonly app: INestApplication;
  close(): Promise<void>;
}

/**
 * Starts a service on given parts, reading its topics, without opening an HTTP port.
 * Shutdown order (design.md §4): Nest's hooks first (flush), then the consumer finishes the batch in hand, commits and leaves.
 */
export async function startService<S extends SettingsSchema>(
  spec: ServiceSpec<S>,
  settings: z.infer<S>,
  parts: Omit<ServiceParts, 'server'>,
): Promise<RunningService> {
  const server = new EventLogServer(
    parts.log,
    { group: groupOf(spec.name), assignment: spec.assignment ?? 'shared', maxRecords: spec.maxRecords },
    parts,
  );
  const module = DoorsModule.around(spec.name, spec.module(settings, { ...parts, server }), parts);
  const app = await NestFactory.create(module, { logger: nestLogger(parts.logger), abortOnError: false });
  app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
  await app.startAllMicroservices();
  await app.init();
  return { name: spec.name, health: parts.health, app, close: () => app.close() };
}

/** A service of its own needs a log that others reach: a file of its own would hold changes that nobody reads. */
function requireBrokers(name: string, settings: Readonly<Record<string, unknown>>): void {
  if (settings['KAFKA_BROKERS'] !== undefined) return;
  throw new SettingsError(name, ['KAFKA_BROKERS: is required — the embedded log is for standalone (npm start) only']);
}

/** Longest that a stop may take before the process gives up and leaves: inside Kubernetes' 30 s grace. Milliseconds. */
const STOP_DEADLINE_MS = 25_000;

/**
 * The whole of an app's `main.ts`: settings, parts, service, HTTP doors, signals. Never returns normally; exits with
 * 0 after a clean stop, 1 after a fatal error, 2 for a bad environment or a bad file that it names.
 */
export async function runService<S extends SettingsSchema>(
  spec: ServiceSpec<S>,
  environment?: Environment,
): Promise<void> {
  let settings: z.infer<S>;
  try {
    settings = loadSettings(spec.name, spec.settings, environment);
    requireBrokers(spec.name, settings);
  } catch (error) {
    if (!(error instanceof BadSettingError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  const own = settings as z.infer<S> & ServiceSettings;
  const parts = await openParts(spec.name, settings);
  let running: RunningService | undefined;
  let stopping: Promise<void> | undefined;
  const stop = (code: number) => {
    stopping ??= (async () => {
      const deadline = setTimeout(() => process.exit(1), STOP_DEADLINE_MS);
      await running?.close();
      await parts.log.close();
      clearTimeout(deadline);
      process.exit(code);
    })().catch((error: unknown) => {
      parts.logger.error({ err: error }, 'stopping failed');
      process.exit(1);
    });
    return stopping;
  };
  parts.health.whenFatal((error) => {
    parts.logger.fatal({ err: error }, 'stopping: a bug or a bad setting');
    void stop(1);
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(0));
  try {
    running = await startService(spec, settings, parts);
    await running.app.listen(own.HTTP_PORT, own.HTTP_HOST);
  } catch (error) {
    if (error instanceof BadSettingError) {
      process.stderr.write(`${error.message}\n`);
      await stop(2);
      return;
    }
    parts.health.fail(error);
    return;
  }
  parts.logger.info({ url: await running.app.getUrl() }, `${spec.name} started`);
}
