import { Module } from '@nestjs/common';
import { readTextFiles } from '@libs/config';
import { mappingFileExtensions, parseMappingFiles } from '@libs/mapping';
import { createChangeSource } from '@libs/salesforce';
import type { ServiceSpec } from '@libs/service';
import { cdcListenerSettings, type CdcListenerSettings } from './cdc-listener.config.js';
import { CdcListenerHandler } from './cdc-listener.handler.js';
import { defaultChannels } from './core/channels.js';

@Module({})
export class CdcListenerModule {}

function channelsOf(settings: CdcListenerSettings): string[] {
  if (settings.SALESFORCE_CHANNELS !== undefined) return [...new Set(settings.SALESFORCE_CHANNELS)];
  return defaultChannels(parseMappingFiles(readTextFiles(settings.MAPPINGS_DIR, mappingFileExtensions)));
}

export const cdcListenerService: ServiceSpec<typeof cdcListenerSettings> = {
  name: 'cdc-listener',
  settings: cdcListenerSettings,
  module: (settings, parts) => {
    const source = createChangeSource(settings, parts);
    const channels = channelsOf(settings);
    return {
      module: CdcListenerModule,
      providers: [
        { provide: CdcListenerHandler, useFactory: () => new CdcListenerHandler({ ...parts, source, channels }) },
      ],
    };
  },
};
