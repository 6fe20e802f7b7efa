import { toRecordId } from '@libs/contracts';
import { InvalidArgumentError } from 'commander';
import { MAX_SAMPLE, type PreviewAnswer, type PreviewRequest, type RecordPreview } from '../../core/preview-answers.js';
import { printLine, type Context } from '../context.js';
import { CliError, exitCodes, type ExitCode } from '../exit-codes.js';
import { readLocalFiles, readLocalMappings } from '../local-mappings.js';
import { previewLines } from '../preview-lines.js';
import { previewSavedRow, readSavedRow } from '../saved-row.js';
import { mappingFileSettings, offlineSettings } from '../settings.js';
import { groupOf, MAPPING_GROUP, withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

interface PreviewOptions extends ConsoleOptions {
  readonly sample?: number;
  readonly object?: string;
  readonly record?: string;
  readonly dir?: string;
  readonly deployed?: boolean;
}

type Target = Pick<PreviewRequest, 'id' | 'email' | 'sample' | 'object'>;

/** What the argument and the options ask for. Errors: {@link CliError}. */
export function targetOf(who: string | undefined, { sample, object }: PreviewOptions): Target {
  if ((who === undefined) === (sample === undefined)) {
    throw new CliError(
      'Say which records: a record id, an email address, --sample <n> --object <name>, or --record <file> --object <name>.',
      exitCodes.usage,
    );
  }
  if (who === undefined) {
    if (object === undefined) throw new CliError('--sample needs --object.', exitCodes.usage);
    return { sample, object };
  }
  if (object !== undefined) {
    throw new CliError(
      '--object goes with --sample or --record: an id and an address say it themselves.',
      exitCodes.usage,
    );
  }
  if (who.includes('@')) return { email: who };
  const id = toRecordId(who);
  if (id === null) {
    throw new CliError(
      `${who} is neither a record id (15 or 18 characters, with a right checksum) nor an email address.`,
      exitCodes.usage,
    );
  }
  return { id };
}

function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_SAMPLE) return count;
  throw new InvalidArgumentError(`a whole number from 1 to ${MAX_SAMPLE}`);
}

/** A saved row needs neither console nor org: on standard output is its body, and nothing else. */
async function previewFile(context: Context, file: string, options: PreviewOptions): Promise<ExitCode> {
  const { object, dir, json } = options;
  if (object === undefined) throw new CliError('--record needs --object.', exitCodes.usage);
  const { MAPPINGS_DIR, ITERABLE_PROJECT_TYPE: projectType } = context.settings(offlineSettings);
  const mappings = readLocalMappings(dir ?? MAPPINGS_DIR, { projectType });
  const { preview, notes } = await previewSavedRow(readSavedRow(file), object, { mappings, projectType });
  if (json === true) printLine(context.out, JSON.stringify(preview));
  else if (preview.body !== null) printLine(context.out, JSON.stringify(preview.body, null, 2));
  for (const note of [...(preview.body === null || json === true ? [preview.text] : []), ...notes]) {
    printLine(context.notes, note);
  }
  return exitCodeOf([preview]);
}

async function previewAtConsole(context: Context, target: Target, options: PreviewOptions): Promise<PreviewAnswer> {
  const { dir, deployed, url } = options;
  if (deployed === true) return context.client(url).previewMapping(target);
  const files = readLocalFiles(dir ?? context.settings(mappingFileSettings).MAPPINGS_DIR);
  if (files.length === 0) {
    throw new CliError(
      'There is no mapping file: --dir names their directory, --deployed takes those of the console.',
      exitCodes.usage,
    );
  }
  return context.client(url).previewMapping({ ...target, files: [...files] });
}

function exitCodeOf(records: readonly RecordPreview[]): ExitCode {
  return records.some(({ fate }) => fate === 'failed') ? exitCodes.failed : exitCodes.ok;
}

async function show(context: Context, who: string | undefined, options: PreviewOptions): Promise<ExitCode> {
  const { record, sample, dir, deployed, json } = options;
  if (deployed === true && (dir !== undefined || record !== undefined)) {
    throw new CliError(
      '--deployed goes by the files of the console: give neither --dir nor --record.',
      exitCodes.usage,
    );
  }
  if (record !== undefined) {
    if (who !== undefined || sample !== undefined) {
      throw new CliError('--record shows one saved row: give no id, address or --sample beside it.', exitCodes.usage);
    }
    return previewFile(context, record, options);
  }
  const { records, notes } = await previewAtConsole(context, targetOf(who, options), options);
  for (const [index, one] of records.entries()) {
    if (json === true) printLine(context.out, JSON.stringify(one));
    else for (const line of [...(index === 0 ? [] : ['']), ...previewLines(one)]) printLine(context.out, line);
  }
  for (const note of notes) printLine(context.notes, note);
  return exitCodeOf(records);
}

/** `sync mapping preview`. */
export const mappingPreview: Verb = (program, run) => {
  withConsoleOptions(
    groupOf(program, 'mapping', MAPPING_GROUP)
      .command('preview')
      .argument('[who]', 'id of a record, or an email address: every mapped record that has it')
      .description(
        'show what records would become in Iterable, and the difference from what it holds now; writes nothing',
      )
      .option('--sample <n>', `so many records of an object, the latest changed first (at most ${MAX_SAMPLE})`, countOf)
      .option('--object <name>', 'with --sample or --record: API name of the object')
      .option('--record <file>', 'a saved row (JSON) instead of the org: prints its body; needs no console')
      .option('--dir <dir>', 'directory of the mapping files to go by (default: MAPPINGS_DIR, else ./mappings)')
      .option('--deployed', 'go by the mapping files that the console has, instead of those here'),
  ).action(run(show));
};
