import type { MappingAnswer } from '../../core/answers.js';
import { plural } from '../../core/format.js';
import { printLine } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { groupOf, MAPPING_GROUP, withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

interface ReloadOptions extends ConsoleOptions {
  readonly id?: string;
}

/** What the mapper answered, for a person. */
export function reloadLines({ state, versions = {}, changed = [], mistakes = [], reason }: MappingAnswer): string[] {
  const inForce = Object.entries(versions).map(([object, version]) => `  ${object} ${version}`);
  if (state === 'sent') return ['Sent; nobody has answered yet. Is the mapper running? See sync status.'];
  if (state === 'accepted') return [`Not decided yet: ${reason ?? 'it is tried again'}. Still in force:`, ...inForce];
  if (state === 'rejected') {
    return [
      mistakes.length === 0
        ? `Refused: ${reason ?? 'no reason given'}`
        : `Refused, ${plural(mistakes.length, 'mistake')}:`,
      ...mistakes.map((mistake) => `  ${mistake}`),
      ...(inForce.length === 0 ? [] : ['Still in force:', ...inForce]),
    ];
  }
  if (changed.length === 0) return ['Nothing changed. In force:', ...inForce];
  return [
    `Applied: ${changed.join(', ')}. In force:`,
    ...inForce,
    'Profiles of before stay as they are until a change or a backfill.',
  ];
}

/** `sync mapping reload`. */
export const mappingReload: Verb = (program, run) => {
  withConsoleOptions(
    groupOf(program, 'mapping', MAPPING_GROUP)
      .command('reload')
      .description('have the mapping files looked at now, instead of within seconds; says what is in force')
      .option('--id <id>', 'id of the command: the same id twice does its work once (default: a new one)'),
  ).action(
    run(async ({ client, out }, { json, url, id }: ReloadOptions) => {
      const answer = await client(url).reloadMappings({ id });
      if (json === true) printLine(out, JSON.stringify(answer));
      else for (const line of reloadLines(answer)) printLine(out, line);
      return answer.state === 'rejected' || answer.state === 'sent' ? exitCodes.failed : exitCodes.ok;
    }),
  );
};
