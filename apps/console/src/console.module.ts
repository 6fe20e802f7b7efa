import { Module } from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import type { ExpressAdapter } from '@nestjs/platform-express';
import type { ServiceSpec } from '@libs/service';
import { AccountingController } from './accounting/accounting.controller.js';
import { ApiController, LOG } from './api.controller.js';
import { ApiErrorFilter, LOGGER } from './api-error.filter.js';
import { consoleSettings, type ConsoleSettings } from './console.config.js';
import { ConsoleModel } from './console.model.js';
import { ConsoleReader, READER_PARTS, type ReaderParts } from './console.reader.js';
import { DeadLettersController } from './dead-letters.controller.js';
import { EventsController } from './events.controller.js';
import { httpHealthSource, type HealthSource } from './health-poller.js';
import { MappingCheckController } from './mapping-check.controller.js';
import { MappingsController } from './mappings.controller.js';
import { CEILINGS, ceilingsOf, MappingPlanController } from './mapping-plan.controller.js';
import { MappingPreviewController } from './mapping-preview.controller.js';
import { createMappingSources, MAPPING_SOURCES } from './mapping-sources.js';
import { PageController } from './page.controller.js';
import { consoleLink, ensureToken, tokenFile } from './token.js';
import { TOKEN } from './token.guard.js';

/** A list of MAX_BACKFILL_IDS ids fits. */
const MAX_BODY = '1mb';

@Module({})
export class ConsoleModule {
  constructor({ httpAdapter }: HttpAdapterHost<ExpressAdapter>) {
    // Before Nest adds its own, which takes 100 kB; it then leaves this one in place.
    httpAdapter.useBodyParser('json', false, { limit: MAX_BODY });
  }
}

export interface ConsoleOptions {
  /** How the other services are asked for their health. Default: over HTTP, by CONSOLE_SERVICES. */
  readonly healthSource?: HealthSource;
  /** Told once where the page is and, when the token was just made, what it is. Default: standard output, never the log. */
  readonly announce?: (text: string) => void;
}

function announcement(settings: ConsoleSettings): { readonly token: string; readonly text: string } {
  const { token, source } = ensureToken(settings);
  const where = `console: http://${settings.HTTP_HOST}:${settings.HTTP_PORT}/`;
  if (source === 'new')
    return { token, text: `console: ${consoleLink(settings.HTTP_HOST, settings.HTTP_PORT, token)}` };
  const kept = source === 'file' ? `in ${tokenFile(settings.DATA_DIR)}` : 'the value of CONSOLE_TOKEN';
  return { token, text: `${where} (token: ${kept})` };
}

/** The console as a service. */
export function createConsoleService(options: ConsoleOptions = {}): ServiceSpec<typeof consoleSettings> {
  return {
    name: 'console',
    settings: consoleSettings,
    module: (settings, { log, health, logger, metrics }) => {
      const { token, text } = announcement(settings);
      const announce = options.announce ?? ((line: string) => process.stdout.write(`${line}\n`));
      announce(text);
      const healthSource = options.healthSource ?? httpHealthSource(settings.CONSOLE_SERVICES ?? new Map());
      return {
        module: ConsoleModule,
        controllers: [
          PageController,
          EventsController,
          MappingsController,
          MappingCheckController,
          MappingPreviewController,
          MappingPlanController,
          AccountingController,
          DeadLettersController,
          ApiController,
        ],
        providers: [
          { provide: ConsoleModel, useValue: new ConsoleModel(settings.CONSOLE_CATCHING_UP_AFTER_MS) },
          { provide: READER_PARTS, useValue: { log, health, logger, metrics, healthSource } satisfies ReaderParts },
          ConsoleReader,
          { provide: TOKEN, useValue: token },
          { provide: LOG, useValue: log },
          { provide: MAPPING_SOURCES, useValue: createMappingSources(settings, { metrics, logger }) },
          { provide: CEILINGS, useValue: ceilingsOf(settings) },
          { provide: LOGGER, useValue: logger },
          { provide: APP_FILTER, useClass: ApiErrorFilter },
        ],
      };
    },
  };
}

export const consoleService = createConsoleService();
