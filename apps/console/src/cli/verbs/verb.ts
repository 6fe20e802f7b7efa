import type { Command } from 'commander';
import type { Context } from '../context.js';
import type { ExitCode } from '../exit-codes.js';

/** One verb of `sync`: adds its commands to the program. To add a verb, write one and list it in ../program.ts. */
export type Verb = (program: Command, run: RunVerb) => void;

/** Makes a commander action of what a verb does; the exit code it gives becomes that of the process. */
export type RunVerb = <A extends unknown[]>(
  action: (context: Context, ...args: A) => Promise<ExitCode>,
) => (...args: A) => Promise<void>;

/** Options that every verb has which talks to the console. */
export interface ConsoleOptions {
  readonly json?: boolean;
  readonly url?: string;
}

/** What `sync mapping` is for. */
export const MAPPING_GROUP = 'check, preview, plan and reload mappings';

/** The command that holds others, e.g. `mapping`: made by the first verb that asks for it. */
export function groupOf(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

/** Adds `--json` and `--url`. */
export function withConsoleOptions(command: Command): Command {
  return command
    .option('--json', 'print JSON for machines')
    .option('--url <url>', 'where the console is (default: SYNC_URL, else http://127.0.0.1:3000)');
}
