// tsc copies what it compiles and nothing else: the console's page, and the broker that the bench starts, go beside the code.
import { cpSync, globSync } from 'node:fs';

for (const from of [...globSync('apps/*/src/assets'), 'tools/kafka']) cpSync(from, `dist/${from}`, { recursive: true });
