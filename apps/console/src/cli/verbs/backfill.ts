import { readFileSync } from 'node:fs';
import { MAX_BACKFILL_IDS, toRecordId } from '@libs/contracts';
import type { Command } from 'commander';
import { printLine } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { jobTitle } from '../../core/format.js';
import { jobEnd, jobLines, jobProgress } from '../text.js';
import { awaitAnswer, exitCodeOf, watchJob } from '../watch.js';
import { withConsoleOptions, type ConsoleOptions, type RunVerb, type Verb } from './verb.js';

interface StartOptions extends ConsoleOptions {
  readonly object?: string;
  readonly where?: string;
  readonly since?: string;
  readonly ids?: readonly string[];
  readonly id?: string;
  readonly watch?: boolean;
}

function readIdFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CliError(
      `--ids: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`,
      exitCodes.usage,
    );
  }
}

/**
 * The ids of `--ids`: separated by commas or blanks, in one or several arguments; `@file` stands for those in a file.
 * Output: 18-character ids. Errors: {@link CliError} naming those that are none.
 */
export function parseIds(given: readonly string[], read: (file: string) => string = readIdFile): string[] {
  const texts = given
    .flatMap((text) => (text.startsWith('@') ? read(text.slice(1)) : text).split(/[\s,]+/))
    .filter((text) => text !== '');
  const bad = texts.filter((text) => toRecordId(text) === null);
  if (bad.length > 0) {
    throw new CliError(
      `--ids: no record id: ${bad.slice(0, 5).join(', ')}${bad.length > 5 ? ` and ${bad.length - 5} more` : ''}`,
      exitCodes.usage,
    );
  }
  const ids = [...new Set(texts.map((text) => toRecordId(text) ?? text))];
  if (ids.length === 0) throw new CliError('--ids: no id given', exitCodes.usage);
  if (ids.length > MAX_BACKFILL_IDS) {
    throw new CliError(
      `--ids: ${ids.length} ids, at most ${MAX_BACKFILL_IDS} fit one backfill: start several.`,
      exitCodes.usage,
    );
  }
  return ids;
}

function checkTarget({ object, where, since, ids }: StartOptions): void {
  if ((object === undefined) === (ids === undefined))
    throw new CliError('Give either --object or --ids.', exitCodes.usage);
  if (where !== undefined && object === undefined) throw new CliError('--where needs --object.', exitCodes.usage);
  if (since !== undefined && object === undefined) throw new CliError('--since needs --object.', exitCodes.usage);
}

function start(backfill: Command, run: RunVerb): void {
  withConsoleOptions(
    backfill
      .command('start')
      .description('send the records of an object, or a list of records, through the sync')
      .option('--object <name>', 'API name of the object, e.g. Lead')
      .option('--where <soql>', 'condition of a SOQL WHERE clause, without the word WHERE')
      .option('--since <time>', 'only rows changed at or after this, e.g. 2026-11-24T12:00:00Z')
      .option(
        '--ids <ids...>',
        'record ids of any mapped objects, separated by commas or blanks; @file reads them from a file',
      )
      .option('--id <id>', 'id of the command: the same id twice does its work once (default: a new one)')
      .option('--watch', 'follow it to its end; Ctrl-C only stops watching'),
  ).action(
    run(async (context, options: StartOptions) => {
      checkTarget(options);
      const { object, where, since, id, watch, json = false, url } = options;
      const ids = options.ids === undefined ? undefined : parseIds(options.ids);
      const client = context.client(url);
      const sent = await client.startBackfill({ object, where, since, ids, id });
      if (watch === true) return watchJob(context, client, sent.id, { json, justStarted: true });
      const job = await awaitAnswer(client, sent.id, context.signal);
      if (json) printLine(context.out, JSON.stringify(job ?? { id: sent.id, state: 'sent' }));
      else if (job === null) {
        printLine(
          context.out,
          `Sent as ${sent.id}; nobody has answered yet. Is the backfill service running? See sync status.`,
        );
      } else if (exitCodeOf(job) === exitCodes.failed) printLine(context.out, jobEnd(job));
      else
        printLine(
          context.out,
          `Started ${jobTitle(job)}: ${jobProgress(job)}. Follow it: sync backfill watch ${sent.id}`,
        );
      return job === null ? exitCodes.ok : exitCodeOf(job);
    }),
  );
}

/** `sync backfill start|list|watch`. */
export const backfill: Verb = (program, run) => {
  const group = program.command('backfill').description('start and watch backfills');
  start(group, run);
  withConsoleOptions(group.command('list').description('list the known backfills, newest first')).action(
    run(async ({ client, out }, { json, url }: ConsoleOptions) => {
      const answer = await client(url).backfills();
      if (json === true) printLine(out, JSON.stringify(answer));
      else for (const line of jobLines(answer.backfills)) printLine(out, line);
      return exitCodes.ok;
    }),
  );
  withConsoleOptions(
    group.command('watch').argument('<id>', 'id of the backfill').description('follow a backfill to its end'),
  ).action(
    run(async (context, id: string, { json = false, url }: ConsoleOptions) =>
      watchJob(context, context.client(url), id, { json }),
    ),
  );
};
