import type { Command } from 'commander';
import { exitCodeMeanings } from '../../../console/src/cli/exit-codes.js';
import { createProgram, pathOf } from '../../../console/src/cli/program.js';
import { code, markdownPage, markdownTable, type Page } from './page.js';

/** The commands that do something: those without commands of their own. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function section(command: Command): string {
  const parts = [`## ${pathOf(command)}`, sentence(command.description()), `\`${pathOf(command)} ${command.usage()}\``];
  if (command.registeredArguments.length > 0) {
    parts.push(
      markdownTable(
        ['Argument', 'Meaning'],
        command.registeredArguments.map((one) => [code(`<${one.name()}>`), one.description]),
      ),
    );
  }
  parts.push(
    markdownTable(
      ['Option', 'Meaning'],
      command.options.map(({ flags, description, argChoices }) => [
        code(flags),
        argChoices === undefined ? description : `${description}: ${argChoices.join(', ')}`,
      ]),
    ),
  );
  return parts.join('\n\n');
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** docs/reference/cli.md. */
export function cliPage(): Page {
  const program = createProgram(() => async () => undefined);
  return markdownPage(
    'docs/reference/cli.md',
    'Command line',
    '`npx sync …` where the package is installed, `npm run sync -- …` in the repository. It talks to the console: SYNC_URL says where that is, CONSOLE_TOKEN or the file ' +
      '`console-token` in DATA_DIR opens it. `--json` prints one JSON document; with `--watch`, `watch` and `tail` one a line, the last of a watch being its end. ' +
      'Notes and the progress bar go to standard error.',
    markdownTable(
      ['Exit code', 'Meaning'],
      Object.entries(exitCodeMeanings).map(([exit, meaning]) => [exit, meaning]),
    ),
    ...leaves(program).map(section),
  );
}
