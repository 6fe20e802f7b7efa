import { cliSettings } from '../../../console/src/cli/settings.js';
import { consoleService } from '../../../console/src/console.module.js';
import { sandboxSettings } from '../../../sandbox/src/sandbox.config.js';
import { mappingSchema } from '@libs/mapping';
import { services } from '../services.js';
import { asyncApiPage } from './asyncapi.js';
import { cliPage } from './cli-page.js';
import { errorCodesPage, metricsPage, topicsPage } from './log-pages.js';
import { openApiPage } from './openapi.js';
import type { Page } from './page.js';
import { collectSettings, environmentExample, settingsPage, type Program } from './settings-page.js';

/** Every program that reads settings, in the order of a change's way. */
const programs: readonly Program[] = [
  ...[...services.toReversed(), consoleService].map(({ name, settings }) => ({ name, settings, isService: true })),
  { name: 'sync (command line)', settings: cliSettings },
  { name: 'sandbox', settings: sandboxSettings },
];

/** Every generated page. `version`: that of the package. */
export function allPages(version: string): Page[] {
  const settings = collectSettings(programs);
  return [
    settingsPage(settings, programs),
    environmentExample(settings),
    topicsPage(),
    metricsPage(),
    errorCodesPage(),
    asyncApiPage(version),
    openApiPage(version),
    cliPage(),
    { path: 'docs/reference/mapping.schema.json', content: `${JSON.stringify(mappingSchema(), null, 2)}\n` },
  ];
}
