import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { differences, writePages } from './files.js';
import { allPages } from './pages.js';

// `npm run docs` writes the generated pages; with --check it compares them, names what differs and exits with 1.
const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync('package.json', 'utf8')));
const pages = allPages(version);
if (process.argv.includes('--check')) {
  const found = differences('.', pages);
  for (const difference of found) process.stderr.write(`${difference}\n`);
  if (found.length > 0) {
    process.stderr.write('The code says something else: run npm run docs and commit what it writes.\n');
    process.exitCode = 1;
  }
} else {
  writePages('.', pages);
  process.stdout.write(`${pages.map(({ path }) => path).join('\n')}\n`);
}
