import { readFileSync } from 'node:fs';
import { MAX_BACKFILL_IDS, toRecordId } from '@libs/contracts';
import { CliError, exitCodes } from './exit-codes.js';

const readFile = (file: string) => readFileSync(file, 'utf8');

/** Most wrong ids that are named. */
const NAMED = 5;

/**
 * Record ids as given on the command line: separated by commas or blanks, in one or several arguments; `@file` stands for those in a file.
 * Output: distinct ids of 18 characters. Errors: {@link CliError} with the name of the option, naming those that are none.
 */
export function parseIds(
  given: readonly string[],
  option = '--ids',
  read: (file: string) => string = readFile,
): string[] {
  const refuse = (problem: string) => new CliError(`${option}: ${problem}`, exitCodes.usage);
  const textOf = (file: string) => {
    try {
      return read(file);
    } catch (error) {
      throw refuse(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    }
  };
  const texts = given
    .flatMap((text) => (text.startsWith('@') ? textOf(text.slice(1)) : text).split(/[\s,]+/))
    .filter((text) => text !== '');
  const bad = texts.filter((text) => toRecordId(text) === null);
  if (bad.length > 0) {
    const more = bad.length > NAMED ? ` and ${bad.length - NAMED} more` : '';
    throw refuse(`no record id: ${bad.slice(0, NAMED).join(', ')}${more}`);
  }
  const ids = [...new Set(texts.map((text) => toRecordId(text) ?? text))];
  if (ids.length === 0) throw refuse('no id given');
  if (ids.length > MAX_BACKFILL_IDS)
    throw refuse(`${ids.length} ids, at most ${MAX_BACKFILL_IDS} fit one command: give several.`);
  return ids;
}
