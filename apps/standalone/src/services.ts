import type { ServiceSpec } from '@libs/service';
import { backfillService } from '../../backfill/src/backfill.module.js';
import { batcherService } from '../../batcher/src/batcher.module.js';
import { cdcListenerService } from '../../cdc-listener/src/cdc-listener.module.js';
import { iterableWriterService } from '../../iterable-writer/src/iterable-writer.module.js';
import { mapperService } from '../../mapper/src/mapper.module.js';

/** The services that move records, from the sink to the source. Each takes its own settings out of all of them. */
export const services = [
  iterableWriterService,
  mapperService,
  batcherService,
  backfillService,
  cdcListenerService,
] as unknown as readonly ServiceSpec[];
