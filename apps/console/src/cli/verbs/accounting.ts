import { printLine } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { accountingLines } from '../text.js';
import { withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

/** `sync accounting`: what became of every change, and which are unaccounted for. */
export const accounting: Verb = (program, run) => {
  withConsoleOptions(
    program
      .command('accounting')
      .description('show what became of every change; exit code 1 when some are unaccounted for'),
  ).action(
    run(async ({ client, out }, { json, url }: ConsoleOptions) => {
      const account = await client(url).accounting();
      if (json === true) printLine(out, JSON.stringify(account));
      else for (const line of accountingLines(account)) printLine(out, line);
      return account.gap > 0 ? exitCodes.failed : exitCodes.ok;
    }),
  );
};
