import { Module } from '@nestjs/common';
import type { ServiceSpec } from '@libs/service';
import { batcherSettings } from './batcher.config.js';
import { BatcherHandler, SERVER } from './batcher.handler.js';
import { Windows } from './windows.js';

@Module({})
export class BatcherModule {}

export const batcherService: ServiceSpec<typeof batcherSettings> = {
  name: 'batcher',
  settings: batcherSettings,
  module: (settings, parts) => ({
    module: BatcherModule,
    controllers: [BatcherHandler],
    providers: [
      {
        provide: Windows,
        useValue: new Windows(
          parts.log,
          { windowMs: settings.BATCHER_WINDOW_MS, maxRecords: settings.BATCHER_MAX_WINDOW_RECORDS },
          parts,
        ),
      },
      { provide: SERVER, useValue: parts.server },
    ],
  }),
};
