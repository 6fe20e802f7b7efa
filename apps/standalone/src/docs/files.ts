import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Page } from './page.js';

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Which pages differ from their files under `root`, and how. Empty: none. */
export function differences(root: string, pages: readonly Page[]): string[] {
  return pages.flatMap(({ path, content }) => {
    const present = read(join(root, path));
    if (present === content) return [];
    if (present === null) return [`${path} is missing`];
    const lines = content.split('\n');
    const line = present.split('\n').findIndex((text, index) => text !== lines[index]);
    return [`${path} differs from line ${line === -1 ? lines.length : line + 1} on`];
  });
}

/** Writes the pages under `root`. */
export function writePages(root: string, pages: readonly Page[]): void {
  for (const { path, content } of pages) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
