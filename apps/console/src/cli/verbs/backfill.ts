import type { Command } from 'commander';
import { printLine } from '../context.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { parseIds } from '../record-ids.js';
import { jobLines } from '../text.js';
import { followSent, watchJob } from '../watch.js';
import { withConsoleOptions, type ConsoleOptions, type RunVerb, type Verb } from './verb.js';

interface StartOptions extends ConsoleOptions {
  readonly object?: string;
  readonly where?: string;
  readonly since?: string;
  readonly ids?: readonly string[];
  readonly id?: string;
  readonly watch?: boolean;
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
      const { object, where, since, id, watch = false, json = false, url } = options;
      const ids = options.ids === undefined ? undefined : parseIds(options.ids);
      const client = context.client(url);
      const sent = await client.startBackfill({ object, where, since, ids, id });
      return followSent(context, client, sent.id, { json, watch });
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
