import { join } from 'node:path';
import { describeMistake } from '@libs/mapping';
import { checkStructure } from '../../core/check-structure.js';
import { plural } from '../../core/format.js';
import type { CheckAnswer, Finding } from '../../core/mapping-answers.js';
import { printLine, type Context } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { readLocalFiles } from '../local-mappings.js';
import { mappingFileSettings } from '../settings.js';
import { groupOf, MAPPING_GROUP, withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

interface CheckOptions extends ConsoleOptions {
  readonly offline?: boolean;
  readonly deployed?: boolean;
}

/** What a check found, for a person: errors and warnings by place, then what they come to. */
export function checkLines({ errors, warnings }: CheckAnswer, what: string): string[] {
  const line = (severity: string) => (finding: Finding) => `${describeMistake(finding)} [${severity} ${finding.code}]`;
  const counts = `${plural(errors.length, 'error')}, ${plural(warnings.length, 'warning')}`;
  return [
    ...errors.map(line('error')),
    ...warnings.map(line('warning')),
    errors.length + warnings.length === 0 ? `No mistake: ${what}.` : `${counts}: ${what}.`,
  ];
}

/** Findings name files in their directory; whoever reads them is somewhere else. */
function under(directory: string, { ok, errors, warnings }: CheckAnswer): CheckAnswer {
  const place = (finding: Finding) =>
    finding.file === directory ? finding : { ...finding, file: join(directory, finding.file) };
  return { ok, errors: errors.map(place), warnings: warnings.map(place) };
}

async function check(context: Context, directory: string, { offline, url }: CheckOptions): Promise<CheckAnswer> {
  const files = readLocalFiles(directory);
  if (offline === true || files.length === 0) {
    const { errors } = checkStructure(files, directory);
    return under(directory, { ok: errors.length === 0, errors: [...errors], warnings: [] });
  }
  return under(directory, await context.client(url).checkMappings({ files }));
}

/** `sync mapping check`. */
export const mappingCheck: Verb = (program, run) => {
  withConsoleOptions(
    groupOf(program, 'mapping', MAPPING_GROUP)
      .command('check')
      .argument('[dir]', 'directory of the mapping files (default: MAPPINGS_DIR, else ./mappings)')
      .description('check mapping files against the org and the Iterable project, before they ship')
      .option('--offline', 'by their structure alone: no console, no network')
      .option('--deployed', 'the files that the console has, instead of those here'),
  ).action(
    run(async (context, dir: string | undefined, options: CheckOptions) => {
      const { json, url, offline, deployed } = options;
      if (deployed === true && (offline === true || dir !== undefined)) {
        throw new CliError(
          '--deployed checks the files of the console: give neither a directory nor --offline.',
          exitCodes.usage,
        );
      }
      const directory = dir ?? context.settings(mappingFileSettings).MAPPINGS_DIR;
      const answer =
        deployed === true ? await context.client(url).checkMappings({}) : await check(context, directory, options);
      const where = deployed === true ? 'the files of the console' : directory;
      const what = `${where}, ${offline === true ? 'by structure alone' : 'against the org and the Iterable project'}`;
      if (json === true) printLine(context.out, JSON.stringify(answer));
      else for (const line of checkLines(answer, what)) printLine(context.out, line);
      return answer.ok ? exitCodes.ok : exitCodes.failed;
    }),
  );
};
