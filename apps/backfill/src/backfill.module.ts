import { Module } from '@nestjs/common';
import { createSalesforceClient } from '@libs/salesforce';
import { LiveMappings, type ServiceSpec } from '@libs/service';
import { backfillSettings } from './backfill.config.js';
import { BackfillHandler, MAPPINGS, SERVER, SESSION_PARTS } from './backfill.handler.js';
import type { SessionParts } from './session.js';

@Module({})
export class BackfillModule {}

export const backfillService: ServiceSpec<typeof backfillSettings> = {
  name: 'backfill',
  settings: backfillSettings,
  // Whoever owns the admin topic runs all jobs: their order and the limit of waiting ids need one that sees them all.
  assignment: 'single-owner',
  module: (settings, parts) => {
    const mappings = new LiveMappings({ app: 'backfill', directory: settings.MAPPINGS_DIR, ...parts });
    const salesforce = createSalesforceClient(settings, parts);
    return {
      module: BackfillModule,
      controllers: [BackfillHandler],
      providers: [
        {
          provide: SESSION_PARTS,
          useValue: { ...parts, salesforce, mappedObjects: () => [...mappings.inForce.keys()] } satisfies SessionParts,
        },
        { provide: MAPPINGS, useValue: mappings },
        { provide: SERVER, useValue: parts.server },
      ],
    };
  },
};
