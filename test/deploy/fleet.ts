import type { z } from 'zod';
import type { SettingsSchema } from '@libs/config';
import { backfillSettings } from '../../apps/backfill/src/backfill.config.js';
import { batcherSettings } from '../../apps/batcher/src/batcher.config.js';
import { cdcListenerSettings } from '../../apps/cdc-listener/src/cdc-listener.config.js';
import { topicsSettings } from '../../apps/console/src/cli/settings.js';
import { consoleSettings } from '../../apps/console/src/console.config.js';
import { iterableWriterSettings } from '../../apps/iterable-writer/src/iterable-writer.config.js';
import { mapperSettings } from '../../apps/mapper/src/mapper.config.js';
import { sandboxSettings } from '../../apps/sandbox/src/sandbox.config.js';
import { entryOf } from '../support/processes.js';

/** What a container of ours must be, as the code says it. */
export interface Member {
  readonly command: readonly string[];
  readonly settings: SettingsSchema;
}

const apps: Readonly<Record<string, SettingsSchema>> = {
  'cdc-listener': cdcListenerSettings,
  batcher: batcherSettings,
  mapper: mapperSettings,
  'iterable-writer': iterableWriterSettings,
  backfill: backfillSettings,
  console: consoleSettings,
  sandbox: sandboxSettings,
};

/** The apps that have HTTP doors of their own on HTTP_PORT: all but the sandbox. */
export const services: readonly string[] = Object.keys(apps).filter((app) => app !== 'sandbox');

export const fleet: Readonly<Record<string, Member>> = {
  ...Object.fromEntries(
    Object.entries(apps).map(([app, settings]) => [app, { command: ['node', entryOf(app)], settings }]),
  ),
  'topics-apply': {
    command: ['node', 'dist/apps/console/src/cli/main.js', 'topics', 'apply'],
    settings: topicsSettings,
  },
};

/** What a setting is when the environment does not say. */
function defaultOf(settings: SettingsSchema, name: string): unknown {
  return (settings.shape[name] as z.ZodType).parse(undefined);
}

/** Port of a service's HTTP door. */
export function portOf(app: string): number {
  return Number(defaultOf(apps[app]!, 'HTTP_PORT'));
}

/** Ports of the sandbox by the name of their door, e.g. `ADMIN`, in the order of its settings. */
export const sandboxPorts: ReadonlyMap<string, number> = new Map(
  Object.keys(sandboxSettings.shape).flatMap((name) => {
    const door = /^SANDBOX_(\w+)_PORT$/.exec(name)?.[1];
    return door === undefined ? [] : [[door, Number(defaultOf(sandboxSettings, name))] as const];
  }),
);

/** The settings that must not be written where everybody reads: their description says so. */
export function secretsOf(settings: SettingsSchema): string[] {
  return Object.entries(settings.shape)
    .filter(([, type]) => (type as z.ZodType).description?.endsWith('Secret.'))
    .map(([name]) => name);
}
