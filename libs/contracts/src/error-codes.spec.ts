import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from './error-codes.js';

const ROOT = resolve(import.meta.dirname, '../../..');
/** Who owns codes. A literal 'owner.some_reason' in the tree is a code, unless it is one of {@link NO_CODES}. */
const OWNERS = [
  'backfill',
  'batcher',
  'console',
  'event-log',
  'iterable',
  'listener',
  'mapper',
  'mapping',
  'salesforce',
  'sync',
  'writer',
];
const LITERAL = new RegExp(`['"\`]((?:${OWNERS.join('|')})\\.[a-z_]+)['"\`]`, 'g');
/** Types of commands and messages, a file. */
const NO_CODES =
  /^(backfill\.start|mapping\.reload|event-log\.db|sync\.(command|cursor|identity|lease|outcome|status))$/;

/** Codes by the files that use them, tests and the table itself left out. */
function codesInUse(): Map<string, string[]> {
  const used = new Map<string, string[]>();
  for (const file of globSync('{apps,libs}/*/src/**/*.ts', { cwd: ROOT })) {
    // The sandbox speaks the codes of the other systems, not ours.
    if (file.endsWith('spec.ts') || file.endsWith('error-codes.ts') || file.startsWith('apps/sandbox')) continue;
    for (const [, code = ''] of readFileSync(resolve(ROOT, file), 'utf8').matchAll(LITERAL)) {
      if (!NO_CODES.test(code)) used.set(code, [...(used.get(code) ?? []), file]);
    }
  }
  return used;
}

describe('error codes', () => {
  it('explains every code that the tree uses, and no other', () => {
    const used = codesInUse();
    const unexplained = [...used]
      .filter(([code]) => !(code in errorCodes))
      .map(([code, files]) => `${code} (${files[0]})`);
    const unused = Object.keys(errorCodes).filter((code) => !used.has(code));
    expect({ unexplained, unused }).toEqual({ unexplained: [], unused: [] });
  });

  it.each(Object.entries(errorCodes))('%s is written for a person', (code, { meaning, remedy }) => {
    expect(code).toMatch(/^[a-z-]+\.[a-z_]+$/);
    expect(meaning).toMatch(/^[A-Z].*\.$/s);
    expect(remedy).toMatch(/^[A-Z].*\.$/s);
  });

  it('are in alphabetical order', () => {
    expect(Object.keys(errorCodes)).toEqual(Object.keys(errorCodes).toSorted());
  });
});
