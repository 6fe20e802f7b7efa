import { toRecordId } from '@libs/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { DeadLettersQuery } from '../../core/answers.js';
import { plural } from '../../core/format.js';
import { stoppedServices } from '../../core/safety-stop.js';
import { printLine } from '../context.js';
import { groupLines, letterLines, matchingLine } from '../dead-letter-text.js';
import { CliError, exitCodes } from '../exit-codes.js';
import { parseIds } from '../record-ids.js';
import { followSent } from '../watch.js';
import { withConsoleOptions, type ConsoleOptions, type RunVerb, type Verb } from './verb.js';

interface FilterOptions extends ConsoleOptions {
  readonly code?: readonly string[];
  readonly object?: readonly string[];
  readonly since?: string;
  readonly until?: string;
}

interface RedriveOptions extends FilterOptions {
  readonly id?: readonly string[];
  readonly commandId?: string;
  readonly watch?: boolean;
}

/** Reads a whole number from 1 to `most`. */
function wholeNumber(most: number): (given: string) => number {
  return (given) => {
    const number = Number(given);
    if (Number.isInteger(number) && number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`It is a whole number from 1 to ${most}.`);
  };
}

function withFilters(command: Command): Command {
  return command
    .option('--code <codes...>', 'only with one of these codes, e.g. iterable.invalid_email')
    .option('--object <names...>', 'only of these objects, e.g. Lead')
    .option('--since <time>', 'only written at or after this, e.g. 2026-11-24T12:00:00Z')
    .option('--until <time>', 'only written before this');
}

function list(group: Command, run: RunVerb): void {
  withConsoleOptions(
    withFilters(group.command('list').description('list dead letters by code, with what to do about each')),
  ).action(
    run(async ({ client, out, notes }, { code, object, since: from, until: to, json, url }: FilterOptions) => {
      const answer = await client(url).deadLetters({ code: code?.slice(), object: object?.slice(), from, to });
      if (json === true) printLine(out, JSON.stringify(answer));
      else {
        for (const line of groupLines(answer, Date.now())) printLine(out, line);
        if (answer.total > 0) printLine(notes, 'See them: sync dead-letters show <code>');
      }
      return exitCodes.ok;
    }),
  );
}

/** What is to be shown: a record, by its id of 15 or 18 characters, or a code. */
function queryOf(what: string): Pick<Partial<DeadLettersQuery>, 'id' | 'code'> {
  const id = toRecordId(what);
  return id === null ? { code: [what] } : { id: [id] };
}

function show(group: Command, run: RunVerb): void {
  withConsoleOptions(
    group
      .command('show')
      .argument('<what>', 'a record id, or a code')
      .description('show the newest dead letters of a record or of a code')
      .option('--limit <n>', 'how many of each code, 1 to 1000 (default: 20)', wholeNumber(1_000)),
  ).action(
    run(async ({ client, out }, what: string, { limit, json, url }: ConsoleOptions & { readonly limit?: number }) => {
      const answer = await client(url).deadLetters({ ...queryOf(what), limit });
      if (json === true) printLine(out, JSON.stringify(answer));
      if (answer.total === 0) {
        const known = answer.complete ? '' : ' among the newest ones, which are all that the console knows';
        throw new CliError(`There is no dead letter of ${what}${known}. See sync dead-letters list.`, exitCodes.failed);
      }
      if (json !== true) for (const line of letterLines(answer)) printLine(out, line);
      return exitCodes.ok;
    }),
  );
}

function redrive(group: Command, run: RunVerb): void {
  withConsoleOptions(
    withFilters(
      group
        .command('redrive')
        .description(
          'fetch and write the records of dead letters again, once the cause is corrected; give at least one filter',
        ),
    )
      .option('--id <ids...>', 'only of these records, separated by commas or blanks; @file reads them from a file')
      .option('--command-id <id>', 'id of the command: the same id twice does its work once (default: a new one)')
      .option('--watch', 'follow it to its end; Ctrl-C only stops watching'),
  ).action(
    run(async (context, options: RedriveOptions) => {
      const { code, object, since: from, until: to, commandId, watch = false, json = false, url } = options;
      if ([code, object, from, to, options.id].every((filter) => filter === undefined)) {
        throw new CliError(
          'Say which dead letters: --code, --object, --id, --since or --until. sync dead-letters list shows what there is.',
          exitCodes.usage,
        );
      }
      const ids = options.id === undefined ? undefined : parseIds(options.id, '--id');
      const client = context.client(url);
      const request = { codes: code?.slice(), objects: object?.slice(), ids, from, to, id: commandId };
      const { id, matching } = await client.redriveDeadLetters(request);
      printLine(context.notes, matchingLine(matching));
      return followSent(context, client, id, { json, watch });
    }),
  );
}

function goOn(group: Command, run: RunVerb): void {
  withConsoleOptions(
    group
      .command('continue')
      .description('let a safety stop go on: what it holds back becomes dead letters where it must')
      .option(
        '--minutes <n>',
        'how long no safety stop holds anything back, 1 to 1440 (default: 10)',
        wholeNumber(1_440),
      ),
  ).action(
    run(async ({ client, out, notes }, { minutes, json, url }: ConsoleOptions & { readonly minutes?: number }) => {
      const api = client(url);
      const { services } = await api.health();
      const stopped = stoppedServices(services);
      const sent = await api.continueAfterStop({ minutes });
      if (stopped.length === 0) printLine(notes, 'No safety stop holds now, as far as the console knows.');
      if (json === true) printLine(out, JSON.stringify(sent));
      else {
        const whom = stopped.length === 0 ? '' : ` to ${stopped.join(' and ')}`;
        const time = plural(sent.minutes, 'minute');
        printLine(out, `Sent${whom}: for ${time} no safety stop holds anything back. See sync status.`);
      }
      return exitCodes.ok;
    }),
  );
}

/** `sync dead-letters list|show|redrive|continue`. */
export const deadLetters: Verb = (program, run) => {
  const group = program.command('dead-letters').description('see what could not be processed, and send it again');
  for (const verb of [list, show, redrive, goOn]) verb(group, run);
};
