import { Command, CommanderError } from 'commander';
import type { Context } from './context.js';
import { CliError, exitCodeMeanings, exitCodes, type ExitCode } from './exit-codes.js';
import { accounting } from './verbs/accounting.js';
import { backfill } from './verbs/backfill.js';
import { deadLetters } from './verbs/dead-letters.js';
import { mappingCheck } from './verbs/mapping-check.js';
import { mappingFields } from './verbs/mapping-fields.js';
import { mappingPlan } from './verbs/mapping-plan.js';
import { mappingPreview } from './verbs/mapping-preview.js';
import { mappingReload } from './verbs/mapping-reload.js';
import { status } from './verbs/status.js';
import { tail } from './verbs/tail.js';
import { topics } from './verbs/topics.js';
import type { RunVerb, Verb } from './verbs/verb.js';

/** Every verb, in the order of the help. */
const verbs: readonly Verb[] = [
  status,
  accounting,
  backfill,
  deadLetters,
  mappingCheck,
  mappingFields,
  mappingPreview,
  mappingPlan,
  mappingReload,
  topics,
  tail,
];

const EXIT_CODES = Object.entries(exitCodeMeanings)
  .map(([code, meaning]) => `  ${code}  ${meaning}`)
  .join('\n');

/** The command line as commander sees it; `run` decides what an action does with its result. */
export function createProgram(run: RunVerb): Command {
  const program = new Command('sync')
    .description('See and steer the sync from Salesforce to Iterable.')
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_CODES}\n\nSettings: SYNC_URL, CONSOLE_TOKEN, DATA_DIR (docs/reference/settings.md).`,
    );
  for (const verb of verbs) verb(program, run);
  return program;
}

/** A command as it is typed, e.g. `sync backfill start`. */
export function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Makes every command, also the inner ones, throw instead of leaving the process, and write to the context. */
function contain(command: Command, streams: Pick<Context, 'out' | 'notes'>): void {
  const { out, notes } = streams;
  command.exitOverride().configureOutput({
    writeOut: (text) => out.write(text),
    writeErr: (text) => notes.write(text),
    outputError: (text, write) => write(`${text.trimEnd()}\n(${pathOf(command)} --help shows what is possible)\n`),
  });
  for (const inner of command.commands) contain(inner, streams);
}

/** Runs one command line, without the program's name. Gives the exit code; never rejects but for a bug. */
export async function runCli(args: readonly string[], context: Context): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const program = createProgram((action) => async (...given) => {
    exitCode = await action(context, ...given);
  });
  contain(program, context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (!(error instanceof CliError)) throw error;
    context.notes.write(`sync: ${error.message}\n`);
    return error.exitCode;
  }
}
