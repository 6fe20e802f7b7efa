// tsc copies no assets: the page of the console and the like are copied beside the compiled code.
import { cpSync, existsSync, globSync } from 'node:fs';

for (const from of globSync('apps/*/src/assets')) cpSync(from, `dist/${from}`, { recursive: true });
for (const needed of ['dist/apps/console/src/assets']) {
  if (existsSync(needed.replace('dist/', '')) && !existsSync(needed)) throw new Error(`${needed} was not copied`);
}
