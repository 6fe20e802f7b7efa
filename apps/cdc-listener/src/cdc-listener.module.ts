import { Module } from '@nestjs/common';
import { createChangeSource } from '@libs/salesforce';
import { LiveMappings, type ServiceSpec } from '@libs/service';
import { cdcListenerSettings } from './cdc-listener.config.js';
import { CdcListenerHandler } from './cdc-listener.handler.js';
import { EventFilter } from './event-filter.js';
import { Following } from './following.js';

@Module({})
export class CdcListenerModule {}

export const cdcListenerService: ServiceSpec<typeof cdcListenerSettings> = {
  name: 'cdc-listener',
  settings: cdcListenerSettings,
  module: (settings, parts) => {
    const source = createChangeSource(settings, parts);
    const live = new LiveMappings({ app: 'cdc-listener', directory: settings.MAPPINGS_DIR, ...parts });
    const { log, logger } = parts;
    const channels = settings.SALESFORCE_CHANNELS;
    const following = new Following({ log, live, channels, parents: { owners: settings.FAN_OUT_OWNERS }, logger });
    const options = { unmapped: settings.LISTENER_FILTER_UNMAPPED, own: settings.LISTENER_IGNORE_OWN_CHANGES };
    const filter = new EventFilter({
      client: source.client,
      mappings: () => live.inForce,
      agreed: () => following.agreed,
      options,
      logger,
    });
    const pollMs = settings.LISTENER_POLL_MS;
    return {
      module: CdcListenerModule,
      providers: [
        {
          provide: CdcListenerHandler,
          useFactory: () => new CdcListenerHandler({ ...parts, source, following, filter, pollMs }),
        },
      ],
    };
  },
};
