import { Module } from '@nestjs/common';
import { readTextFiles } from '@libs/config';
import { mappingFileExtensions, parseMappingFiles } from '@libs/mapping';
import { createSalesforceClient } from '@libs/salesforce';
import type { ServiceSpec } from '@libs/service';
import { backfillSettings } from './backfill.config.js';
import { BackfillHandler, SERVER, SESSION_PARTS } from './backfill.handler.js';

@Module({})
export class BackfillModule {}

export const backfillService: ServiceSpec<typeof backfillSettings> = {
  name: 'backfill',
  settings: backfillSettings,
  // Whoever owns the admin topic runs all jobs: their order and the limit of waiting ids need one that sees them all.
  assignment: 'single-owner',
  module: (settings, parts) => {
    const mappings = parseMappingFiles(readTextFiles(settings.MAPPINGS_DIR, mappingFileExtensions));
    const salesforce = createSalesforceClient(settings, parts);
    return {
      module: BackfillModule,
      controllers: [BackfillHandler],
      providers: [
        { provide: SESSION_PARTS, useValue: { ...parts, salesforce, mappedObjects: [...mappings.keys()] } },
        { provide: SERVER, useValue: parts.server },
      ],
    };
  },
};
