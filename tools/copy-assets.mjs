// tsc copies what it compiles and nothing else: the console's page, the broker that the bench starts and the
// Pub/Sub API's definition go beside the code.
import { cpSync, globSync } from 'node:fs';

for (const from of [...globSync('apps/*/src/assets'), 'tools/kafka', 'proto'])
  cpSync(from, `dist/${from}`, { recursive: true });
