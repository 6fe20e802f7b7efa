import { Module, type DynamicModule } from '@nestjs/common';
import { createSalesforceClient, type SalesforceClient } from '@libs/salesforce';
import { LiveMappings, SafetyStop, type ServiceParts, type ServiceSpec } from '@libs/service';
import { CompiledMappings } from './compiled-mappings.js';
import { LaneGate } from './lane-gate.js';
import { mapperSettings, type MapperSettings } from './mapper.config.js';
import { MapperHandler } from './mapper.handler.js';
import { Mapper } from './mapper.js';
import { MappingCommands } from './mapping-commands.js';
import { MappingLifecycle } from './mapping-lifecycle.js';
import { MAPPER, MappingStatus } from './mapping-status.js';
import { ParentReaders } from './parent-readers.js';
import { ProfileSchemas } from './profile-schemas.js';
import { toMapperSet } from './read-mappings.js';
import { checkFields } from './resolve-mapping.js';

/** Invariant 5: most batches, of some 400 records each, that a partition has in memory at a time. */
const MAX_BATCHES = 6;

@Module({})
export class MapperModule {
  /** Errors: a BadSettingError for mapping files that cannot be used. */
  static with(settings: MapperSettings, parts: ServiceParts, salesforce: SalesforceClient): DynamicModule {
    const { log, metrics, health, logger } = parts;
    const projectType = settings.ITERABLE_PROJECT_TYPE;
    const live = new LiveMappings({
      app: MAPPER,
      directory: settings.MAPPINGS_DIR,
      read: (files, directory) => toMapperSet(files, directory, projectType),
      check: (next, inForce, files) => checkFields({ next, inForce, files }, salesforce),
      metrics,
      health,
      logger,
    });
    const compiled = new CompiledMappings(live.inForce, salesforce);
    const status = new MappingStatus({ log, logger, health }, live);
    const readers = new ParentReaders(() => compiled.all(), salesforce);
    const schemas = new ProfileSchemas(log);
    const safety = new SafetyStop(
      { log, health, metrics, logger, stage: 'mapper' },
      {
        percent: settings.DEAD_LETTER_STOP_PERCENT,
        windowMs: settings.DEAD_LETTER_STOP_WINDOW_SECONDS * 1_000,
      },
    );
    const gate = new LaneGate(safety);
    const followOwners = settings.FAN_OUT_OWNERS;
    const mapper = new Mapper({
      log,
      salesforce,
      mappings: compiled,
      readers,
      schemas,
      gate,
      followOwners,
      metrics,
      health,
      projectType,
    });
    const commands = new MappingCommands({ log, metrics, mappings: live, status });
    const lifecycle = new MappingLifecycle({ live, compiled, status, schemas, safety, metrics, health });
    return {
      module: MapperModule,
      controllers: [MapperHandler],
      providers: [
        { provide: Mapper, useValue: mapper },
        { provide: MappingCommands, useValue: commands },
        { provide: MappingLifecycle, useValue: lifecycle },
        { provide: SafetyStop, useValue: safety },
        { provide: LaneGate, useValue: gate },
      ],
    };
  }
}

export const mapperService: ServiceSpec<typeof mapperSettings> = {
  name: MAPPER,
  settings: mapperSettings,
  maxRecords: MAX_BATCHES,
  module: (settings, parts) => MapperModule.with(settings, parts, createSalesforceClient(settings, parts)),
};
