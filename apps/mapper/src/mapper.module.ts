import { Module, type DynamicModule } from '@nestjs/common';
import { compileMapping } from '@libs/mapping';
import { createSalesforceClient, type SalesforceClient } from '@libs/salesforce';
import type { ServiceParts, ServiceSpec } from '@libs/service';
import { CompiledMappings } from './compiled-mappings.js';
import { mapperSettings, type MapperSettings } from './mapper.config.js';
import { MapperHandler } from './mapper.handler.js';
import { Mapper } from './mapper.js';
import { readMappings } from './read-mappings.js';

/** Invariant 5: most batches, of some 400 records each, that a partition has in memory at a time. */
const MAX_BATCHES = 6;

@Module({})
export class MapperModule {
  /** Errors: a BadSettingError for mapping files that cannot be used. */
  static with(settings: MapperSettings, parts: ServiceParts, salesforce: SalesforceClient): DynamicModule {
    const { log, metrics, health } = parts;
    const projectType = settings.ITERABLE_PROJECT_TYPE;
    const mappings = readMappings(settings.MAPPINGS_DIR, projectType);
    for (const mapping of mappings.values()) {
      const { object, version } = compileMapping(mapping);
      metrics.mapperInfo.set({ object, version }, 1);
    }
    const compiled = new CompiledMappings(mappings, salesforce);
    const mapper = new Mapper({ log, salesforce, mappings: compiled, metrics, health, projectType });
    return {
      module: MapperModule,
      controllers: [MapperHandler],
      providers: [{ provide: Mapper, useValue: mapper }],
    };
  }
}

export const mapperService: ServiceSpec<typeof mapperSettings> = {
  name: 'mapper',
  settings: mapperSettings,
  maxRecords: MAX_BATCHES,
  module: (settings, parts) => MapperModule.with(settings, parts, createSalesforceClient(settings, parts)),
};
