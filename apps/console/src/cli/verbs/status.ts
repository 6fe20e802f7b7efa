import { printLine } from '../context.js';
import { exitCodes } from '../exit-codes.js';
import { statusLines, type StatusView } from '../text.js';
import { withConsoleOptions, type ConsoleOptions, type Verb } from './verb.js';

/** `sync status`: the headline, every stage, every object, what needs attention. */
export const status: Verb = (program, run) => {
  withConsoleOptions(program.command('status').description('show how the sync stands')).action(
    run(async ({ client, out }, { json, url }: ConsoleOptions) => {
      const api = client(url);
      const [health, flow, { backfills }, deadLetters] = await Promise.all([
        api.health(),
        api.flow(60),
        api.backfills(),
        api.deadLetters(),
      ]);
      const view: StatusView = { health, flow, backfills, deadLetters };
      if (json === true) printLine(out, JSON.stringify(view));
      else for (const line of statusLines(view)) printLine(out, line);
      return health.headline.level === 'attention' ? exitCodes.failed : exitCodes.ok;
    }),
  );
};
