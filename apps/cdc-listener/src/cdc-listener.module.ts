import { Module } from '@nestjs/common';
import { readTextFiles } from '@libs/config';
import { mappingFileExtensions, parseMappingFiles } from '@libs/mapping';
import { createChangeSource } from '@libs/salesforce';
import type { ServiceSpec } from '@libs/service';
import { cdcListenerSettings } from './cdc-listener.config.js';
import { CdcListenerHandler } from './cdc-listener.handler.js';
import { defaultChannels, objectsByChannel } from './core/channels.js';
import { EventFilter } from './event-filter.js';

@Module({})
export class CdcListenerModule {}

export const cdcListenerService: ServiceSpec<typeof cdcListenerSettings> = {
  name: 'cdc-listener',
  settings: cdcListenerSettings,
  module: (settings, parts) => {
    const source = createChangeSource(settings, parts);
    const readMappings = () => parseMappingFiles(readTextFiles(settings.MAPPINGS_DIR, mappingFileExtensions));
    const mappings = readMappings();
    const channels = objectsByChannel(settings.SALESFORCE_CHANNELS ?? defaultChannels(mappings), mappings);
    const options = { unmapped: settings.LISTENER_FILTER_UNMAPPED, own: settings.LISTENER_IGNORE_OWN_CHANGES };
    const filter = new EventFilter({ client: source.client, readMappings, options, logger: parts.logger });
    const pollMs = settings.LISTENER_POLL_MS;
    return {
      module: CdcListenerModule,
      providers: [
        {
          provide: CdcListenerHandler,
          useFactory: () => new CdcListenerHandler({ ...parts, source, channels, filter, pollMs }),
        },
      ],
    };
  },
};
